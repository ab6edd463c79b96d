import { ClienteleFault } from '../../decisions/faults.js'

/**
 * Whether a server still is the one that this process knows. One that comes back empty, as a Redis does that writes
 * nothing down, would say of every client that there is none.
 */
export class Epoch {
  #seen: string | undefined

  check(epoch: string | undefined): void {
    this.#seen ??= epoch
    if (epoch === this.#seen) return
    const message =
      'redisStore(): the server has lost its contracts. Restore them; start anew if they are to be others.'
    throw new ClienteleFault('ERR_CLIENTELE_STORE', message)
  }
}
