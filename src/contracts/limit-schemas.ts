import { z } from 'zod'
import {
  calendarUnits,
  limitAlgorithms,
  limitKey,
  windowBounds,
  type CalendarLimit,
  type ConcurrentLimit,
  type FixedLimit,
  type GcraLimit,
  type Limit,
  type SlidingLimit,
} from '../decisions/limit.js'
import { unknownMember } from '../runtime/check.js'
import type { Shape } from './schema-shape.js'

/** One ceiling as people write it: without an algorithm it is `fixed`, without a maximum age five minutes. */
export type LimitInput =
  | (Omit<FixedLimit, 'algorithm'> & Partial<Pick<FixedLimit, 'algorithm'>>)
  | CalendarLimit
  | SlidingLimit
  | GcraLimit
  | (Omit<ConcurrentLimit, 'maxAgeSeconds'> & Partial<Pick<ConcurrentLimit, 'maxAgeSeconds'>>)

const requests = z.int().min(1)
const seconds = z.number().min(windowBounds.shortestSeconds).max(windowBounds.longestSeconds)
const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'expected the IANA name of a time zone, as in Europe/Berlin or UTC')

/** An offset (`+01:00`), which some runtimes take for a zone, knows no daylight saving. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function exactly<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, { error: unknownMember(Object.keys(shape)) })
}

const fixed = exactly({
  algorithm: z.literal('fixed'),
  requests,
  windowSeconds: seconds,
} satisfies Shape<FixedLimit>)
const calendar = exactly({
  algorithm: z.literal('calendar'),
  requests,
  unit: z.enum(calendarUnits),
  timeZone,
} satisfies Shape<CalendarLimit>)
const sliding = exactly({
  algorithm: z.literal('sliding'),
  requests,
  windowSeconds: seconds,
} satisfies Shape<SlidingLimit>)
const gcra = exactly({
  algorithm: z.literal('gcra'),
  requests,
  windowSeconds: seconds,
  burst: requests,
} satisfies Shape<GcraLimit>)
const concurrentShape = {
  algorithm: z.literal('concurrent'),
  requests,
  maxAgeSeconds: seconds,
} satisfies Shape<ConcurrentLimit>

const anyOther = { error: `expected one of ${limitAlgorithms.join(', ')}` }
const limit = z.discriminatedUnion(
  'algorithm',
  [fixed, calendar, sliding, gcra, exactly(concurrentShape)],
  anyOther,
) satisfies z.ZodType<Limit>

const concurrentInput = exactly({ ...concurrentShape, maxAgeSeconds: seconds.default(300) })
const limitInput = z.preprocess(
  fixedUnlessSaid,
  z.discriminatedUnion('algorithm', [fixed, calendar, sliding, gcra, concurrentInput], anyOther),
)

function fixedUnlessSaid(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return (value as { algorithm?: unknown }).algorithm === undefined ? { ...value, algorithm: 'fixed' } : value
}

const aList = 'expected a list of limits'

/** Two limits that count alike would be one counter with two ceilings. */
function listOf<T extends z.ZodType<Limit>>(one: T, expected: string) {
  return z
    .array(one, expected)
    .min(1, 'expected at least one limit')
    .max(20, 'expected at most 20 limits')
    .refine((limits) => new Set(limits.map(limitKey)).size === limits.length, {
      error: 'two limits have the same algorithm and window; keep the lower one',
    })
}

export const limitList = listOf(limit, aList)
export const limitInputs = listOf(limitInput, aList)
export const oneOrMoreLimits = z.preprocess(
  (given) => (typeof given === 'object' && given !== null && !Array.isArray(given) ? [given] : given),
  listOf(limitInput, 'expected a limit or a list of limits'),
)

/** For limits that did not come out of a checked record. */
export function isLimit(value: unknown): value is Limit {
  return limit.safeParse(value).success
}
