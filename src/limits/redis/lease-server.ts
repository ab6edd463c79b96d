import { numberOf, standingOf } from './answer.js'
import { ExactCounter } from './exact-counter.js'
import type { CounterKeys } from './keys.js'
import { askScript, settleScript } from './lease-scripts.js'
import type { Grant, LeaseServer, Question, Settlement } from './leases.js'
import { limitText } from './limit-text.js'
import type { Names } from './names.js'
import type { CountingServer } from './server.js'

export interface LeaseTerms {
  /** How long a share may be spent. */
  readonly maxMs: number
  /** At most this part of what is left is a share. */
  readonly share: number
}

/** Gives out shares on a Redis. */
export class RedisLeases extends ExactCounter implements LeaseServer {
  readonly #server: CountingServer
  readonly #keys: CounterKeys
  readonly #names: Names
  readonly #terms: string

  constructor(server: CountingServer, keys: CounterKeys, names: Names, { maxMs, share }: LeaseTerms) {
    super(server, keys, names)
    this.#server = server
    this.#keys = keys
    this.#names = names
    this.#terms = `${share},${maxMs}`
  }

  async ask({ subject, limits, cost, wanted, turn, settled }: Question): Promise<Grant> {
    const before = settled === undefined ? '"",0' : `"${settled.turn}",${settled.unspent}`
    const own = `${cost},"${this.#names.next()}","${this.#names.process}",${before},"${turn}",${wanted},${this.#terms}`
    const question = (nowMs: number) => own + limitText(limits, nowMs)
    const reply = await this.#server.run(askScript, [this.#keys.account(subject)], question)
    const granted = { granted: numberOf(reply[3]), lastsMs: numberOf(reply[4]) }
    return { ...standingOf(reply, limits, 5), ...granted }
  }

  async settle({ subject, turn, unspent }: Settlement): Promise<void> {
    const question = `"${this.#names.process}","${turn}",${Math.min(unspent, Number.MAX_SAFE_INTEGER)}`
    await this.#server.run(settleScript, [this.#keys.account(subject)], () => question)
  }

  override reset(subject: string): Promise<void> {
    return super.reset(subject, this.#names.process)
  }
}
