import type { GcraCounterLimit } from '../counter.js'
import { numberAt, readingOf, type Algorithm, type Cells } from './algorithm.js'

/**
 * A bucket of `burst` that runs off at `requests` per `windowMs`: the generic cell rate algorithm, kept as what stands
 * in the bucket rather than as a moment, so that a new rate leaves what was charged as it is. Numbers: what stood
 * there at the last change, when that was, and when less than half stood there last.
 */
export const gcra: Algorithm<GcraCounterLimit> = {
  clock: 'monotonic',
  resets: true,
  empty: [0, 0, -Infinity],

  hasRoom(cells, at, limit, nowMs, cost) {
    return level(cells, at, limit, nowMs) + cost <= limit.burst
  },

  charge(cells, at, limit, nowMs, cost) {
    const before = level(cells, at, limit, nowMs)
    if (!(before >= limit.burst / 2)) cells.numbers[at + 2] = nowMs
    write(cells, at, nowMs, before + cost)
    return nowMs
  },

  read(cells, at, limit, nowMs, cost) {
    const taken = level(cells, at, limit, nowMs)
    const over = taken + cost - limit.burst
    const waitMs = over > 0 ? (cost <= limit.burst ? over / perMs(limit) : Infinity) : 0
    return readingOf(taken, limit.burst, taken / perMs(limit), waitMs)
  },

  endsAtMs(cells, at, limit) {
    return numberAt(cells, at + 1) + numberAt(cells, at) / perMs(limit)
  },

  giveBack(cells, at, limit, nowMs, mark, cost) {
    const before = level(cells, at, limit, nowMs)
    const after = before - Math.min(before, cost, stillStanding(cells, at, limit, nowMs, mark, cost))
    if (!(after >= limit.burst / 2)) cells.numbers[at + 2] = nowMs
    write(cells, at, nowMs, after)
  },
}

function write({ numbers }: Cells, at: number, nowMs: number, level: number): void {
  numbers[at] = level
  numbers[at + 1] = nowMs
}

function level(cells: Cells, at: number, limit: GcraCounterLimit, nowMs: number): number {
  const [stood, sinceMs] = [numberAt(cells, at), numberAt(cells, at + 1)]
  // A clock that was set back lets nothing run in; by more than the bucket takes to run off, it was wrong before.
  if (nowMs < sinceMs) return nowMs < sinceMs - limit.burst / perMs(limit) ? 0 : stood
  return Math.max(0, stood - (nowMs - sinceMs) * perMs(limit))
}

/**
 * How much of a charge can be given back without touching what others were charged: of what was charged when, the
 * bucket tells nothing any more. Taken out from the start, a charge makes a difference now of as much as ever stood
 * there at the least since. That is not known, but two things are: no more can have run off than the rate allows,
 * and what lay under the half has not moved if it never came to less than the half.
 */
function stillStanding(
  cells: Cells,
  at: number,
  limit: GcraCounterLimit,
  nowMs: number,
  mark: number,
  cost: number,
): number {
  const half = limit.burst / 2
  const neverUnderHalf = numberAt(cells, at + 2) <= mark && level(cells, at, limit, nowMs) >= half
  const notRunOff = cost - (nowMs - mark) * perMs(limit)
  return Math.max(0, neverUnderHalf ? half : 0, notRunOff)
}

function perMs({ requests, windowMs }: GcraCounterLimit): number {
  return requests / windowMs
}
