import { calendarWindow } from '../algorithms/calendar-window.js'
import type { CalendarCounterLimit, CounterLimit } from '../counter.js'

interface LimitTexts {
  /** By fives: algorithm, key, ceiling, span, stop. */
  readonly texts: readonly string[]
  /** Where those stand whose window goes by the calendar. */
  readonly calendars: readonly (readonly [at: number, limit: CalendarCounterLimit])[]
}

const known = new WeakMap<readonly CounterLimit[], LimitTexts>()

/** Limits as scripts take them. Made once, but for the windows of the calendar in which the server must be by now. */
export function limitTexts(limits: readonly CounterLimit[], serverNowMs: number): readonly string[] {
  let made = known.get(limits)
  if (made === undefined) {
    made = makeTexts(limits)
    known.set(limits, made)
  }
  if (made.calendars.length === 0) return made.texts
  const texts = [...made.texts]
  for (const [at, { unit, timeZone }] of made.calendars) {
    const { startMs, endMs } = calendarWindow(unit, timeZone, serverNowMs)
    texts[at + 3] = String(startMs)
    texts[at + 4] = String(endMs)
  }
  return texts
}

function makeTexts(limits: readonly CounterLimit[]): LimitTexts {
  const texts = limits.flatMap((limit) => [
    limit.algorithm,
    limit.key,
    String(ceilingOf(limit)),
    String(spanOf(limit)),
    '0',
  ])
  const calendars = limits.flatMap((limit, index) =>
    limit.algorithm === 'calendar' ? [[5 * index, limit] as const] : [],
  )
  return { texts, calendars }
}

export function ceilingOf(limit: CounterLimit): number {
  return limit.algorithm === 'gcra' ? limit.burst : limit.requests
}

export function spanOf(limit: CounterLimit): number {
  switch (limit.algorithm) {
    case 'fixed':
    case 'sliding':
      return limit.windowMs
    case 'gcra':
      return limit.requests / limit.windowMs
    case 'concurrent':
      return limit.maxAgeMs
    case 'calendar':
      return 0
  }
}
