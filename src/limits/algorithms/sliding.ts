import type { WindowCounterLimit } from '../counter.js'
import { isOver, numberAt, readingOf, type Algorithm, type Cells } from './algorithm.js'

/**
 * Two cells of `windowMs`, one after the other: what is used is what was charged in the one that runs, and of the one
 * before it the share that still lies in the `windowMs` before now. Numbers: start of the cell that was charged last,
 * charged in it, charged in the one before.
 */
export const sliding: Algorithm<WindowCounterLimit> = {
  clock: 'monotonic',
  resets: true,
  empty: [-Infinity, 0, 0],

  hasRoom(cells, at, limit, nowMs, cost) {
    return used(cells, at, limit, nowMs) + cost <= limit.requests
  },

  charge({ numbers }, at, limit, nowMs, cost) {
    const start = numbers[at] ?? NaN
    const elapsed = nowMs - start
    if (isOver(start, 2 * limit.windowMs, nowMs)) {
      numbers[at] = nowMs
      numbers[at + 1] = cost
      numbers[at + 2] = 0
      return nowMs
    }
    if (elapsed < limit.windowMs) {
      numbers[at + 1] = (numbers[at + 1] ?? NaN) + cost
      return start
    }
    numbers[at + 2] = numbers[at + 1] ?? NaN
    numbers[at + 1] = cost
    return (numbers[at] = start + limit.windowMs)
  },

  read(cells, at, limit, nowMs, cost) {
    const taken = used(cells, at, limit, nowMs)
    const lastsMs = numberAt(cells, at + 1) > 0 ? 2 * limit.windowMs : limit.windowMs
    const resetMs = taken > 0 ? Math.max(0, numberAt(cells, at) + lastsMs - nowMs) : 0
    const waitMs = taken + cost <= limit.requests ? 0 : waitFor(cells, at, limit, nowMs, cost)
    return readingOf(taken, limit.requests, resetMs, waitMs)
  },

  endsAtMs(cells, at, limit) {
    return numberAt(cells, at) + 2 * limit.windowMs
  },

  // The cell that was charged is the one that runs, or the one before it.
  giveBack({ numbers }, at, limit, _nowMs, mark, cost) {
    const start = numbers[at] ?? NaN
    if (start === mark) numbers[at + 1] = Math.max(0, (numbers[at + 1] ?? NaN) - cost)
    else if (start === mark + limit.windowMs) numbers[at + 2] = Math.max(0, (numbers[at + 2] ?? NaN) - cost)
  },
}

function used(cells: Cells, at: number, limit: WindowCounterLimit, nowMs: number): number {
  if (isOver(numberAt(cells, at), 2 * limit.windowMs, nowMs)) return 0
  const elapsed = Math.max(0, nowMs - numberAt(cells, at))
  if (elapsed >= limit.windowMs) return numberAt(cells, at + 1) * shareLeft(elapsed - limit.windowMs, limit)
  return numberAt(cells, at + 1) + numberAt(cells, at + 2) * shareLeft(elapsed, limit)
}

/** Of a cell that ended `sinceMs` ago, how much lies in the window before now. */
function shareLeft(sinceMs: number, { windowMs }: WindowCounterLimit): number {
  return 1 - sinceMs / windowMs
}

/** Where `cost` has no room now: the moment at which enough of the cell before has slid out, in this cell or the next. */
function waitFor(cells: Cells, at: number, limit: WindowCounterLimit, nowMs: number, cost: number): number {
  if (cost > limit.requests) return Infinity
  const elapsed = Math.max(0, nowMs - numberAt(cells, at))
  const [current, before] = [numberAt(cells, at + 1), numberAt(cells, at + 2)]
  const inThisCell = current + cost <= limit.requests && elapsed < limit.windowMs
  const [standing, sliding] = inThisCell ? [current, before] : [0, current]
  const slidOutAfterMs = limit.windowMs * (1 - (limit.requests - cost - standing) / sliding)
  return Math.max(0, slidOutAfterMs + (inThisCell ? 0 : limit.windowMs) - elapsed)
}
