import { Temporal } from 'temporal-polyfill'
import type { CalendarUnit } from '../../decisions/limit.js'

/** A span of the calendar in milliseconds of the wall clock, the end not included. */
export interface CalendarWindow {
  readonly startMs: number
  readonly endMs: number
}

/** The last window of each unit and zone: all subjects turn at the same moment, and zone arithmetic takes 60 µs. */
const latest = new Map<string, CalendarWindow>()

/**
 * The minute, hour, day, week or month in which a moment lies. A day is from midnight to midnight as a clock in
 * `timeZone` shows it, which takes 23, 24 or 25 hours; where that clock leaves midnight out, a day begins later.
 * Hours and minutes are those that pass: one that the clock shows twice is two windows.
 *
 * @throws RangeError for what is no time zone
 */
export function calendarWindow(unit: CalendarUnit, timeZone: string, nowMs: number): CalendarWindow {
  const key = `${unit} ${timeZone}`
  const known = latest.get(key)
  if (known !== undefined && nowMs >= known.startMs && nowMs < known.endMs) return known
  const window = windowAt(unit, timeZone, nowMs)
  // A window that the moment does not lie in would turn at each request.
  if (!(nowMs >= window.startMs && nowMs < window.endMs)) throw new RangeError(`no ${unit} in ${timeZone} at ${nowMs}`)
  latest.set(key, window)
  return window
}

const lengthMs = { minute: 60_000, hour: 3_600_000 } as const

function windowAt(unit: CalendarUnit, timeZone: string, nowMs: number): CalendarWindow {
  const now = Temporal.Instant.fromEpochMilliseconds(Math.floor(nowMs)).toZonedDateTimeISO(timeZone)
  if (unit !== 'minute' && unit !== 'hour') return daysAround(unit, now, timeZone)
  const shownMs = Math.floor(nowMs) + now.offsetNanoseconds / 1e6
  const startMs = Math.floor(nowMs) - (((shownMs % lengthMs[unit]) + lengthMs[unit]) % lengthMs[unit])
  return { startMs, endMs: startMs + lengthMs[unit] }
}

function daysAround(unit: 'day' | 'week' | 'month', now: Temporal.ZonedDateTime, timeZone: string): CalendarWindow {
  const today = now.toPlainDate()
  const window = daysFrom(unit, today, timeZone)
  // A clock that goes back over midnight shows yesterday once more, after today has begun.
  return now.epochMilliseconds < window.endMs ? window : daysFrom(unit, today.add({ days: 1 }), timeZone)
}

function daysFrom(unit: 'day' | 'week' | 'month', today: Temporal.PlainDate, timeZone: string): CalendarWindow {
  const daysBefore = { day: 0, week: today.dayOfWeek - 1, month: today.day - 1 }[unit]
  const first = today.subtract({ days: daysBefore })
  const startOf = (day: Temporal.PlainDate) => day.toZonedDateTime(timeZone).epochMilliseconds
  return { startMs: startOf(first), endMs: startOf(first.add({ [`${unit}s`]: 1 })) }
}
