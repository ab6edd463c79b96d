import type { WindowCounterLimit } from '../counter.js'
import { isOver, numberAt, readingOf, type Algorithm, type Cells } from './algorithm.js'

/** A window starts at the first request and ends `windowMs` later. Numbers: start of the window, charged in it. */
export const fixed: Algorithm<WindowCounterLimit> = {
  clock: 'monotonic',
  resets: true,
  empty: [-Infinity, 0],

  hasRoom(cells, at, limit, nowMs, cost) {
    return used(cells, at, limit, nowMs) + cost <= limit.requests
  },

  charge({ numbers }, at, limit, nowMs, cost) {
    const start = numbers[at] ?? NaN
    if (isOver(start, limit.windowMs, nowMs)) {
      numbers[at] = nowMs
      numbers[at + 1] = cost
      return nowMs
    }
    numbers[at + 1] = (numbers[at + 1] ?? NaN) + cost
    return start
  },

  read(cells, at, limit, nowMs, cost) {
    const taken = used(cells, at, limit, nowMs)
    const over = isOver(numberAt(cells, at), limit.windowMs, nowMs)
    // In this order, so that a window that has just begun is not longer than it is by what fractions are off.
    const resetMs = over ? 0 : limit.windowMs - (nowMs - numberAt(cells, at))
    if (taken + cost <= limit.requests) return readingOf(taken, limit.requests, resetMs, 0)
    return readingOf(taken, limit.requests, resetMs, cost <= limit.requests ? resetMs : Infinity)
  },

  endsAtMs(cells, at, limit) {
    return numberAt(cells, at) + limit.windowMs
  },

  // Two windows never start at the same moment.
  giveBack({ numbers }, at, _limit, _nowMs, mark, cost) {
    if (numbers[at] === mark) numbers[at + 1] = Math.max(0, (numbers[at + 1] ?? NaN) - cost)
  },
}

function used(cells: Cells, at: number, limit: WindowCounterLimit, nowMs: number): number {
  return isOver(numberAt(cells, at), limit.windowMs, nowMs) ? 0 : numberAt(cells, at + 1)
}
