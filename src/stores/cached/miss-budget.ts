import { ClienteleFault } from '../../decisions/faults.js'
import { monotonicClock } from '../../runtime/clock.js'

/** Look-ups of what may not exist: so many at once, and so many more with each second. */
export class MissBudget {
  readonly #perSecond: number
  #left: number
  #countedAt = monotonicClock()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  take(): boolean {
    const now = monotonicClock()
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#countedAt) / 1000) * this.#perSecond)
    this.#countedAt = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  /** It was none: the record was there. */
  giveBack(): void {
    this.#left = Math.min(this.#perSecond, this.#left + 1)
  }
}

export function tooManyMisses(): ClienteleFault {
  const message = 'More unknown clients were asked about than missesPerSecond allows.'
  return new ClienteleFault('ERR_CLIENTELE_BUSY', message, { retryAfterSeconds: 1 })
}
