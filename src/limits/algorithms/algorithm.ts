import type { CounterLimit, Reading } from '../counter.js'

/** What one subject has used: the numbers of all its limits, side by side. */
export interface Cells {
  readonly numbers: number[]
  /** For what has to be kept one by one; made by the first that needs one. */
  lists: number[][] | undefined
}

/**
 * One way to count: arithmetic on the numbers that stand in `cells.numbers` from `at` on, as many as `empty` has.
 * Knows no clock, no store and no subject, so that a test can judge it by itself; writes in place, so that a charge
 * allocates nothing.
 */
export interface Algorithm<L extends CounterLimit = CounterLimit> {
  /** Whose milliseconds `nowMs` are: those of a clock that only ever goes on, or those of the calendar. */
  readonly clock: 'monotonic' | 'wall'
  /** Whether a reset empties it: what is used can be forgotten, what is going on cannot. */
  readonly resets: boolean
  /** The numbers of a limit that was never charged. */
  readonly empty: readonly number[]
  /** Whether `cost` may be charged. Written so that a NaN anywhere is "no". */
  hasRoom(cells: Cells, at: number, limit: L, nowMs: number, cost: number): boolean
  /** Returns a mark by which `giveBack` knows what was charged here. */
  charge(cells: Cells, at: number, limit: L, nowMs: number, cost: number): number
  read(cells: Cells, at: number, limit: L, nowMs: number, cost: number): Reading
  /** From here on the numbers mean nothing; in the past when nothing is charged. */
  endsAtMs(cells: Cells, at: number, limit: L): number
  /** Takes back what was charged under `mark`, as far as it still counts. */
  giveBack(cells: Cells, at: number, limit: L, nowMs: number, mark: number, cost: number): void
}

/**
 * Whether a span that began at `startMs` is over. A clock that was set back over its start opens no new one, unless it
 * went back by more than the span: then it was the later time that was wrong, and to wait for it could take for ever.
 */
export function isOver(startMs: number, spanMs: number, nowMs: number): boolean {
  return nowMs >= startMs + spanMs || nowMs < startMs - spanMs
}

/** NaN for a number that is not there: every comparison with it is false, so nothing is admitted on it. */
export function numberAt(cells: Cells, at: number): number {
  return cells.numbers[at] ?? NaN
}

/** What all ways to count have in common in their answer. `waitMs` is asked for only where `cost` has no room. */
export function readingOf(used: number, ceiling: number, resetMs: number, waitMs: number): Reading {
  return { used, remaining: Math.max(0, ceiling - used), resetMs, waitMs }
}
