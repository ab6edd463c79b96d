import { ClienteleFault } from '../decisions/faults.js'
import { backOffMs } from '../runtime/back-off.js'
import { monotonicClock } from '../runtime/clock.js'

const longestMs = 60_000

/** The time after failures during which nobody asks again: doubling, and ended by a success. */
export class BackOff {
  #failure: { readonly fault: ClienteleFault; readonly count: number; readonly retryAt: number } | undefined

  /** What went wrong the last time, as long as nothing went right since. */
  get fault(): ClienteleFault | undefined {
    return this.#failure?.fault
  }

  leftMs(): number {
    return this.#failure === undefined ? 0 : this.#failure.retryAt - monotonicClock()
  }

  /** What to say to whoever comes before the time is over. */
  faultNow(): ClienteleFault | undefined {
    const waitMs = this.leftMs()
    if (this.#failure === undefined || waitMs <= 0) return undefined
    const { code, message, cause, reason } = this.#failure.fault
    return new ClienteleFault(code, message, { cause, reason, retryAfterSeconds: waitMs / 1000 })
  }

  /** `leastMs`: what the other side asked for, within bounds. */
  failed(fault: ClienteleFault, leastMs = 0): void {
    const count = (this.#failure?.count ?? 0) + 1
    const waitMs = Math.max(backOffMs(count, longestMs), Math.min(leastMs, longestMs))
    this.#failure = { fault, count, retryAt: monotonicClock() + waitMs }
  }

  succeeded(): void {
    this.#failure = undefined
  }
}
