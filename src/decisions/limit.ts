/** Every word for a way to count. */
export const limitAlgorithms = ['fixed', 'calendar', 'sliding', 'gcra', 'concurrent'] as const

export type LimitAlgorithm = (typeof limitAlgorithms)[number]

/** What a window, or the age of a request in flight, may be: 100 ms to a year. */
export const windowBounds = { shortestSeconds: 0.1, longestSeconds: 366 * 86_400 } as const

/** Every span of the calendar that a limit may be for. A week begins on Monday (ISO 8601). */
export const calendarUnits = ['minute', 'hour', 'day', 'week', 'month'] as const

export type CalendarUnit = (typeof calendarUnits)[number]

/** One ceiling, by the way it counts. */
export type Limit = FixedLimit | CalendarLimit | SlidingLimit | GcraLimit | ConcurrentLimit

/** At most `requests` in a window that starts at the first request and ends `windowSeconds` later. */
export interface FixedLimit {
  readonly algorithm: 'fixed'
  /** Whole, at least 1. */
  readonly requests: number
  /** 0.1 (100 ms) to a year. */
  readonly windowSeconds: number
}

/** At most `requests` in a minute, hour, day, week or month as a clock on the wall has them. */
export interface CalendarLimit {
  readonly algorithm: 'calendar'
  /** Whole, at least 1. */
  readonly requests: number
  readonly unit: CalendarUnit
  /** Where the clock hangs: an IANA name (`Europe/Berlin`, `UTC`). Its days of 23 and 25 hours are days too. */
  readonly timeZone: string
}

/**
 * At most `requests` in the window before now, as two cells tell it: what was charged in the cell that runs, and of
 * the cell before it the share that still lies in the window.
 */
export interface SlidingLimit {
  readonly algorithm: 'sliding'
  /** Whole, at least 1. */
  readonly requests: number
  /** 0.1 (100 ms) to a year. */
  readonly windowSeconds: number
}

/** `requests` in `windowSeconds` as a steady rate, of which `burst` may come at once. */
export interface GcraLimit {
  readonly algorithm: 'gcra'
  /** Whole, at least 1. */
  readonly requests: number
  /** 0.1 (100 ms) to a year. */
  readonly windowSeconds: number
  /** Whole, at least 1. */
  readonly burst: number
}

/** At most `requests` at a time. Each is one, whatever it costs. */
export interface ConcurrentLimit {
  readonly algorithm: 'concurrent'
  /** Whole, at least 1. */
  readonly requests: number
  /** From here on a request that has not ended counts no more: 0.1 to a year. */
  readonly maxAgeSeconds: number
}

/**
 * What a limit is to whoever counts: its algorithm and its span. Ceilings, rates and time zones are left out, so
 * that what was charged stays charged when they change.
 */
export function limitKey(one: Limit): string {
  switch (one.algorithm) {
    case 'calendar':
      return `calendar:${one.unit}`
    case 'concurrent':
      return one.algorithm
    case 'fixed':
    case 'sliding':
    case 'gcra':
      return `${one.algorithm}:${Math.round(one.windowSeconds * 1000)}`
  }
}

const usualSeconds = { minute: 60, hour: 3600, day: 86_400, week: 604_800, month: undefined } as const

/** How long a limit holds, where that is always the same: no month is. */
export function spanSeconds(one: Limit): number | undefined {
  if (one.algorithm === 'calendar') return usualSeconds[one.unit]
  return one.algorithm === 'concurrent' ? undefined : one.windowSeconds
}
