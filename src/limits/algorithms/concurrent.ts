import type { ConcurrentCounterLimit } from '../counter.js'
import { isOver, readingOf, type Algorithm, type Cells } from './algorithm.js'

/**
 * Requests in flight, each with the moment it began, the oldest first. One that is `maxAgeMs` old has lost its place:
 * whoever should have given it back is gone. Number: where its list stands, -1 for "nowhere yet".
 */
export const concurrent: Algorithm<ConcurrentCounterLimit> = {
  clock: 'monotonic',
  resets: false,
  empty: [-1],

  hasRoom(cells, at, limit, nowMs) {
    return inFlight(cells, at, limit, nowMs) + 1 <= limit.requests
  },

  /** Marked by when it began: two that began together can stand for each other. */
  charge(cells, at, limit, nowMs) {
    const list = listOf(cells, at) ?? newList(cells, at)
    const aged = list.length - inFlight(cells, at, limit, nowMs)
    if (aged > 0) list.splice(0, aged)
    list.push(nowMs)
    return nowMs
  },

  read(cells, at, limit, nowMs) {
    const taken = inFlight(cells, at, limit, nowMs)
    return readingOf(taken, limit.requests, 0, taken + 1 <= limit.requests ? 0 : 1)
  },

  endsAtMs(cells, at, limit) {
    return (listOf(cells, at)?.at(-1) ?? -Infinity) + limit.maxAgeMs
  },

  giveBack(cells, at, _limit, _nowMs, mark) {
    const list = listOf(cells, at)
    const place = list?.indexOf(mark) ?? -1
    if (place !== -1) list?.splice(place, 1)
  },
}

function listOf({ numbers, lists }: Cells, at: number): number[] | undefined {
  return lists?.[numbers[at] ?? -1]
}

function newList(cells: Cells, at: number): number[] {
  const list: number[] = []
  cells.lists ??= []
  cells.numbers[at] = cells.lists.push(list) - 1
  return list
}

/** From the newest on, because the aged ones are few and in front. */
function inFlight(cells: Cells, at: number, { maxAgeMs }: ConcurrentCounterLimit, nowMs: number): number {
  const list = listOf(cells, at)
  if (list === undefined) return 0
  let aged = 0
  while (aged < list.length && isOver(list[aged] as number, maxAgeMs, nowMs)) aged += 1
  return list.length - aged
}
