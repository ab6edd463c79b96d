import type { Clock } from '../runtime/clock.js'
import type { Moment } from './account.js'

/**
 * Now, on the two clocks that limits are counted by, whatever those say: a clock of spans that goes back, or says
 * nothing, stands still instead, so that no window is opened or drawn out by it. A wall clock may be set either way;
 * `calendar` knows what to make of it. The wall is looked at only when it is asked for: that costs as much as a charge.
 */
export class SteadyClocks implements Moment {
  monotonicMs = 0
  wallMs = 0
  readonly #clock: Clock
  readonly #wallClock: Clock

  constructor(clock: Clock, wallClock: Clock) {
    this.#clock = clock
    this.#wallClock = wallClock
  }

  /** Valid until the next call. */
  read(withWall: boolean): Moment {
    const nowMs = this.#clock()
    if (nowMs > this.monotonicMs && nowMs < Infinity) this.monotonicMs = nowMs
    if (withWall) {
      const wallMs = this.#wallClock()
      if (Number.isFinite(wallMs)) this.wallMs = wallMs
    }
    return this
  }
}
