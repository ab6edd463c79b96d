import type { CounterLimit } from '../counter.js'
import type { Algorithm } from './algorithm.js'

/** A window starts at the first request and ends `windowMs` later. Cells: start of the window, charged in it. */
export const fixed: Algorithm = {
  empty: [-Infinity, 0],

  used(cells, at, limit, nowMs) {
    return hasTurned(cells, at, limit, nowMs) ? 0 : numberAt(cells, at + 1)
  },

  endsAtMs(cells, at, limit) {
    return numberAt(cells, at) + limit.windowMs
  },

  charge(cells, at, limit, nowMs, cost) {
    if (hasTurned(cells, at, limit, nowMs)) {
      cells[at] = nowMs
      cells[at + 1] = cost
    } else {
      cells[at + 1] = numberAt(cells, at + 1) + cost
    }
  },

  // A later window starts after `chargedAtMs`: the start alone tells one window from the next.
  giveBack(cells, at, chargedAtMs, cost) {
    if (numberAt(cells, at) <= chargedAtMs) cells[at + 1] = Math.max(0, numberAt(cells, at + 1) - cost)
  },
}

function hasTurned(cells: readonly number[], at: number, limit: CounterLimit, nowMs: number): boolean {
  return nowMs >= fixed.endsAtMs(cells, at, limit)
}

/** NaN for a cell that is not there: every comparison with it is false, so nothing is admitted on it. */
function numberAt(cells: readonly number[], at: number): number {
  return cells[at] ?? NaN
}
