import type { CalendarCounterLimit } from '../counter.js'
import { isOver, numberAt, readingOf, type Algorithm, type Cells } from './algorithm.js'
import { calendarWindow } from './calendar-window.js'

/**
 * A window is a minute, hour, day, week or month of the calendar. Numbers: start and end of the window, charged in it.
 *
 * The end is worked out when a window begins and then kept: while it runs, numbers are compared and no zone is asked.
 */
export const calendar: Algorithm<CalendarCounterLimit> = {
  clock: 'wall',
  resets: true,
  empty: [0, -Infinity, 0],

  hasRoom(cells, at, limit, nowMs, cost) {
    return used(cells, at, nowMs) + cost <= limit.requests
  },

  charge({ numbers }, at, limit, nowMs, cost) {
    const [start = NaN, end = NaN] = [numbers[at], numbers[at + 1]]
    if (!isOver(start, end - start, nowMs)) {
      numbers[at + 2] = (numbers[at + 2] ?? NaN) + cost
      return start
    }
    const window = calendarWindow(limit.unit, limit.timeZone, nowMs)
    numbers[at] = window.startMs
    numbers[at + 1] = window.endMs
    numbers[at + 2] = cost
    return window.startMs
  },

  read(cells, at, limit, nowMs, cost) {
    const taken = used(cells, at, nowMs)
    const resetMs = hasTurned(cells, at, nowMs) ? 0 : numberAt(cells, at + 1) - nowMs
    if (taken + cost <= limit.requests) return readingOf(taken, limit.requests, resetMs, 0)
    return readingOf(taken, limit.requests, resetMs, cost <= limit.requests ? resetMs : Infinity)
  },

  endsAtMs(cells, at) {
    return numberAt(cells, at + 1)
  },

  giveBack({ numbers }, at, _limit, _nowMs, mark, cost) {
    if (numbers[at] === mark) numbers[at + 2] = Math.max(0, (numbers[at + 2] ?? NaN) - cost)
  },
}

function used(cells: Cells, at: number, nowMs: number): number {
  return hasTurned(cells, at, nowMs) ? 0 : numberAt(cells, at + 2)
}

function hasTurned(cells: Cells, at: number, nowMs: number): boolean {
  const startMs = numberAt(cells, at)
  return isOver(startMs, numberAt(cells, at + 1) - startMs, nowMs)
}
