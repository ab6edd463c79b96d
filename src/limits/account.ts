import type { Cells } from './algorithms/algorithm.js'
import type { CounterLimit, Reading } from './counter.js'
import { layoutAfter, type Layout, type Place } from './layout.js'

/** Now, on both clocks. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** What one subject has used, as plain numbers, by a layout that it shares with others. */
export class Account implements Cells {
  readonly numbers: number[] = []
  lists: number[][] | undefined = undefined
  /** From here on, on both clocks, nothing in it counts any more. */
  endsAtMs = -Infinity
  endsAtWallMs = -Infinity
  layout: Layout

  constructor(layout: Layout) {
    this.layout = layout
    fill(this.numbers, layout)
  }

  /** To be called before all others with limits that may not be those of the last time. */
  meet(limits: readonly CounterLimit[]): Layout {
    if (this.layout.limits !== limits) {
      this.layout = layoutAfter(this.layout, limits)
      fill(this.numbers, this.layout)
    }
    return this.layout
  }

  hasRoom({ limits, places }: Layout, cost: number, now: Moment): boolean {
    for (let index = 0; index < limits.length; index += 1) {
      const { algorithm, at, onWall } = places[index] as Place
      const nowMs = onWall ? now.wallMs : now.monotonicMs
      if (!algorithm.hasRoom(this, at, limits[index] as CounterLimit, nowMs, cost)) return false
    }
    return true
  }

  /** Returns one mark for each limit. */
  charge({ limits, places }: Layout, cost: number, now: Moment): number[] {
    const marks: number[] = []
    for (let index = 0; index < limits.length; index += 1) {
      const limit = limits[index] as CounterLimit
      const { algorithm, at, onWall } = places[index] as Place
      marks.push(algorithm.charge(this, at, limit, onWall ? now.wallMs : now.monotonicMs, cost))
      const endsAtMs = algorithm.endsAtMs(this, at, limit)
      if (!onWall && endsAtMs > this.endsAtMs) this.endsAtMs = endsAtMs
      if (onWall && endsAtMs > this.endsAtWallMs) this.endsAtWallMs = endsAtMs
    }
    return marks
  }

  read({ limits, places }: Layout, cost: number, now: Moment): Reading[] {
    const readings: Reading[] = []
    for (let index = 0; index < limits.length; index += 1) {
      const { algorithm, at, onWall } = places[index] as Place
      const nowMs = onWall ? now.wallMs : now.monotonicMs
      readings.push(algorithm.read(this, at, limits[index] as CounterLimit, nowMs, cost))
    }
    return readings
  }

  giveBack({ limits, places }: Layout, marks: readonly number[], cost: number, now: Moment): void {
    for (let index = 0; index < limits.length; index += 1) {
      const { algorithm, at, onWall } = places[index] as Place
      const nowMs = onWall ? now.wallMs : now.monotonicMs
      algorithm.giveBack(this, at, limits[index] as CounterLimit, nowMs, marks[index] ?? NaN, cost)
    }
  }

  /** What is left when all that was used is forgotten: the requests in flight, in the very lists that receipts know. */
  withoutUsage(): Account | undefined {
    if (this.lists === undefined) return undefined
    const left = new Account(this.layout)
    left.lists = this.lists
    left.endsAtMs = this.endsAtMs
    for (const { algorithm, at } of this.layout.places) {
      if (!algorithm.resets) left.numbers[at] = this.numbers[at] ?? NaN
    }
    return left
  }
}

/** Numbers of limits that were not met before. Places stand by `at` in the order in which they were added. */
function fill(numbers: number[], { places, width }: Layout): void {
  if (numbers.length === width) return
  const fresh = places.filter(({ at }) => at >= numbers.length).sort((one, other) => one.at - other.at)
  for (const { algorithm } of fresh) numbers.push(...algorithm.empty)
}
