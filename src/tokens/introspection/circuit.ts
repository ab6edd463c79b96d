import { ClienteleFault } from '../../decisions/faults.js'
import { BackOff } from '../back-off.js'
import type { Ask } from './ask.js'
import type { Answer } from './read-answer.js'

/** Failures in a row after which a server is left alone for a while. */
const mostFailures = 5
const retryPauseMs = 50

/** Of one answer; the answer about another token need not have it. */
const ofOneAnswer = 'answer'

/**
 * Asks again once where that may help, and not at all for a while where nothing helps: a server that is down is not
 * kept down by us, and one that does not know us is not asked for each request.
 */
export class Circuit {
  readonly #ask: Ask
  readonly #onFailure: (fault: ClienteleFault) => void
  readonly #backOff = new BackOff()
  #failures = 0
  #trying = false

  constructor(ask: Ask, onFailure: (fault: ClienteleFault) => void) {
    this.#ask = ask
    this.#onFailure = onFailure
  }

  async ask(token: string): Promise<Answer> {
    const paused = this.#backOff.faultNow() ?? (this.#trying ? this.#backOff.fault : undefined)
    if (paused !== undefined) throw paused
    // After a pause one question goes ahead, and the others wait for how it fares.
    const isTrial = this.#backOff.fault !== undefined
    if (isTrial) this.#trying = true
    try {
      const answer = await this.#askTwice(token)
      this.#failures = 0
      this.#backOff.succeeded()
      return answer
    } catch (error) {
      if (error instanceof ClienteleFault) this.#noteFailure(error)
      throw error
    } finally {
      if (isTrial) this.#trying = false
    }
  }

  /** A connection may have been closed while it was idle. Asking changes nothing at the server, so it is safe. */
  async #askTwice(token: string): Promise<Answer> {
    try {
      return await this.#ask(token)
    } catch (error) {
      if (!(error instanceof ClienteleFault) || error.reason !== 'unreachable') throw error
    }
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs * (1 + Math.random())))
    return this.#ask(token)
  }

  #noteFailure(fault: ClienteleFault): void {
    this.#onFailure(fault)
    if (fault.reason === ofOneAnswer) return
    this.#failures++
    // Those that were under way together are one failure, not a hundred.
    if (this.#backOff.leftMs() > 0) return
    const { reason, retryAfterSeconds = 0 } = fault
    if (reason === 'throttled') this.#backOff.failed(fault, retryAfterSeconds * 1000)
    else if (reason === 'credentials' || this.#failures >= mostFailures) this.#backOff.failed(fault)
  }
}
