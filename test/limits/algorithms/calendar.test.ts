import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarUnits, type CalendarUnit } from '../../../src/decisions/limit.js'
import { calendar } from '../../../src/limits/algorithms/calendar.js'
import { calendarWindow } from '../../../src/limits/algorithms/calendar-window.js'
import { driven } from './drive.js'

const at = (iso: string): number => Date.parse(iso)
const shown = (unit: CalendarUnit, timeZone: string, iso: string): [string, string, number] => {
  const { startMs, endMs } = calendarWindow(unit, timeZone, at(iso))
  return [new Date(startMs).toISOString().slice(0, 16), new Date(endMs).toISOString().slice(0, 16), endMs - startMs]
}
const hour = 3_600_000

describe('calendarWindow', () => {
  it.each([
    ['minute', 'UTC', '2026-03-15T00:00:59.999Z', '2026-03-15T00:00', '2026-03-15T00:01', hour / 60],
    ['hour', 'Asia/Kathmandu', '2026-03-15T00:00Z', '2026-03-14T23:15', '2026-03-15T00:15', hour],
    ['day', 'Europe/Berlin', '2026-03-28T23:00Z', '2026-03-28T23:00', '2026-03-29T22:00', 23 * hour],
    ['day', 'Europe/Berlin', '2026-10-25T22:59:59.999Z', '2026-10-24T22:00', '2026-10-25T23:00', 25 * hour],
    ['week', 'America/New_York', '2026-03-08T12:00Z', '2026-03-02T05:00', '2026-03-09T04:00', 167 * hour],
    ['month', 'America/New_York', '2026-03-15T00:00Z', '2026-03-01T05:00', '2026-04-01T04:00', 743 * hour],
    ['month', 'UTC', '2028-02-29T23:59Z', '2028-02-01T00:00', '2028-03-01T00:00', 29 * 24 * hour],
    // An hour that the clock shows twice is two hours.
    ['hour', 'Europe/Berlin', '2026-10-25T00:30Z', '2026-10-25T00:00', '2026-10-25T01:00', hour],
    ['hour', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T01:00', '2026-10-25T02:00', hour],
    // Midnight is left out, comes twice, or a whole day is left out.
    ['day', 'America/Sao_Paulo', '2018-11-04T12:00Z', '2018-11-04T03:00', '2018-11-05T02:00', 23 * hour],
    ['day', 'America/Havana', '2026-11-01T04:30Z', '2026-11-01T04:00', '2026-11-02T05:00', 25 * hour],
    ['day', 'Pacific/Apia', '2011-12-30T09:00Z', '2011-12-29T10:00', '2011-12-30T10:00', 24 * hour],
    // The clock goes back a minute after midnight, and shows the last hour of the day before once more.
    ['day', 'America/Goose_Bay', '2010-11-07T03:30Z', '2010-11-07T03:00', '2010-11-08T04:00', 25 * hour],
    // Clocks go back by half an hour in the middle of what they show as an hour.
    ['hour', 'Australia/Lord_Howe', '2026-04-04T15:10Z', '2026-04-04T14:30', '2026-04-04T15:30', hour],
  ] as const)('%s in %s at %s', (unit, timeZone, iso, start, end, lengthMs) => {
    expect(shown(unit, timeZone, iso)).toEqual([start, end, lengthMs])
  })

  it('is refused for what is no zone and no moment', () => {
    expect(() => calendarWindow('day', 'Mars/Olympus', 0)).toThrow(RangeError)
    expect(() => calendarWindow('day', 'UTC', NaN)).toThrow(RangeError)
  })

  // Judged by what a clock of that zone shows, one moment at a time.
  it('holds its moment, and all of the day, week or month that the clock shows, and no more', () => {
    const zones = Intl.supportedValuesOf('timeZone')
    const moments = fc.integer({ min: at('1972-01-01T00:00Z'), max: at('2060-01-01T00:00Z') })
    const clocks = new Map<string, Intl.DateTimeFormat>()
    const day = (timeZone: string, ms: number): string => {
      let clock = clocks.get(timeZone)
      if (clock === undefined) {
        clock = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
        clocks.set(timeZone, clock)
      }
      return clock.format(ms)
    }
    const label = {
      day,
      month: (timeZone: string, ms: number) => day(timeZone, ms).slice(0, 7),
      week: (timeZone: string, ms: number) => {
        const date = at(`${day(timeZone, ms)}T00:00Z`)
        return String(Math.floor((date / (24 * hour) + 3) / 7))
      },
    }
    fc.assert(
      fc.property(fc.constantFrom(...calendarUnits), fc.constantFrom(...zones), moments, (unit, timeZone, ms) => {
        const { startMs, endMs } = calendarWindow(unit, timeZone, ms)
        expect(startMs <= ms && ms < endMs).toBe(true)
        if (unit === 'minute' || unit === 'hour') {
          expect(endMs - startMs).toBe(unit === 'hour' ? hour : hour / 60)
          return
        }
        const here = label[unit](timeZone, ms)
        expect([startMs, endMs - 1].map((edge) => label[unit](timeZone, edge))).toEqual([here, here])
        expect([startMs - 1, endMs].map((edge) => label[unit](timeZone, edge))).not.toContain(here)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('calendar', () => {
  const day = () =>
    driven(calendar, { key: 'k', requests: 5, algorithm: 'calendar', unit: 'day', timeZone: 'Europe/Berlin' })

  it('turns when the clock of the zone does, through daylight saving', () => {
    const limit = day()
    expect(limit.take(at('2026-03-29T21:00Z'), 5)).toBe(at('2026-03-28T23:00Z'))
    expect(limit.read(at('2026-03-29T21:59:59.999Z'))).toEqual({ used: 5, remaining: 0, resetMs: 1, waitMs: 1 })
    expect(limit.read(at('2026-03-29T22:00Z'))).toEqual({ used: 0, remaining: 5, resetMs: 0, waitMs: 0 })
    limit.take(at('2026-03-29T22:00Z'))
    expect(limit.endsAtMs()).toBe(at('2026-03-30T22:00Z'))
  })

  it('gives back into the window of that charge alone', () => {
    const limit = day()
    const first = limit.take(at('2026-01-01T12:00Z'), 3)
    const second = limit.take(at('2026-01-02T12:00Z'), 3)
    limit.giveBack(at('2026-01-02T12:00Z'), first, 3)
    expect(limit.used(at('2026-01-02T12:00Z'))).toBe(3)
    limit.giveBack(at('2026-01-02T12:00Z'), second, 1)
    expect(limit.used(at('2026-01-02T12:00Z'))).toBe(2)
    expect(limit.othersUntouched()).toBe(true)
  })

  // Attack line 32: a clock that jumps.
  it('opens no window when the clock is set back over midnight', () => {
    const limit = day()
    limit.take(at('2026-01-02T00:00Z'), 5)
    expect(limit.take(at('2026-01-01T12:00Z'))).toBeUndefined()
    expect(limit.take(at('2026-01-02T22:59Z'))).toBeUndefined()
    expect(limit.take(at('2026-01-02T23:00Z'))).toBeDefined()
  })

  it('does not wait for a future that a clock has shown by mistake', () => {
    const limit = day()
    limit.take(at('2031-01-01T00:00Z'), 5)
    expect(limit.take(at('2026-01-02T00:00Z'), 5)).toBeDefined()
    expect(limit.take(at('2026-01-02T01:00Z'))).toBeUndefined()
  })
})
