import { monotonicClock } from './clock.js'

/** For what may be done at once a few times, and then only every so often. */
export class TokenBucket {
  readonly #burst: number
  readonly #refillMs: number
  /** When the bucket will be full again. It is empty when that is `burst` refills away. */
  #fullAt = -Infinity

  /** `burst` at once, one more each `refillMs`. */
  constructor(burst: number, refillMs: number) {
    this.#burst = burst
    this.#refillMs = refillMs
  }

  /** 0 when one may be taken now. */
  waitMs(): number {
    return Math.max(0, this.#fullAt - monotonicClock() - (this.#burst - 1) * this.#refillMs)
  }

  /** Whether there was one to take. */
  take(): boolean {
    if (this.waitMs() > 0) return false
    this.#fullAt = Math.max(this.#fullAt, monotonicClock()) + this.#refillMs
    return true
  }

  /** One that was taken and not needed. */
  giveBack(): void {
    this.#fullAt -= this.#refillMs
  }
}
