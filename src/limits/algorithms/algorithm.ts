import type { CounterLimit } from '../counter.js'

/** How many numbers any algorithm may keep per limit. */
export const cellWidth = 2

/**
 * One way to count: arithmetic on the `cellWidth` numbers that stand in `cells` from `at` on. Knows no clock, no
 * store and no subject, so that a test can judge it by itself; writes in place, so that a charge allocates nothing.
 */
export interface Algorithm {
  /** The numbers of a limit that was never charged. */
  readonly empty: readonly number[]
  /** What is charged at `nowMs`; `used + cost <= requests` decides. */
  used(cells: readonly number[], at: number, limit: CounterLimit, nowMs: number): number
  /** From here on the numbers mean nothing; in the past when nothing is charged. */
  endsAtMs(cells: readonly number[], at: number, limit: CounterLimit): number
  charge(cells: number[], at: number, limit: CounterLimit, nowMs: number, cost: number): void
  /** Takes back what was charged at `chargedAtMs`, if that window still counts. */
  giveBack(cells: number[], at: number, chargedAtMs: number, cost: number): void
}
