import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitAlgorithm } from '../../decisions/limit.js'
import type {
  CalendarCounterLimit,
  ConcurrentCounterLimit,
  Counter,
  CounterLimit,
  GcraCounterLimit,
  WindowCounterLimit,
} from '../../limits/counter.js'

/** What a case is given: a counter, and a subject that was not counted before, also where counters share a memory. */
export interface CounterBench {
  readonly counter: Counter
  readonly subject: string
}

export type CounterCases = Readonly<Record<string, (bench: CounterBench) => Promise<void>>>

/** What can be asked of a counter that knows an algorithm. */
export type AlgorithmCases = Readonly<Record<LimitAlgorithm, CounterCases>>

export const shortWindowMs = 300
/** Timers and clocks of two machines need not agree to the millisecond. */
export const marginMs = 60

export function limitOf(requests: number, windowMs = 3_600_000): WindowCounterLimit {
  return { key: `fixed:${windowMs}`, requests, algorithm: 'fixed', windowMs }
}

export function slidingLimit(requests: number, windowMs: number): WindowCounterLimit {
  return { key: `sliding:${windowMs}`, requests, algorithm: 'sliding', windowMs }
}

export function gcraLimit(requests: number, windowMs: number, burst: number): GcraCounterLimit {
  return { key: `gcra:${windowMs}`, requests, algorithm: 'gcra', windowMs, burst }
}

export function calendarLimit(
  requests: number,
  unit: CalendarCounterLimit['unit'],
  timeZone = 'UTC',
): CalendarCounterLimit {
  return { key: `calendar:${unit}`, requests, algorithm: 'calendar', unit, timeZone }
}

export function concurrentLimit(requests: number, maxAgeMs = 3_600_000): ConcurrentCounterLimit {
  return { key: 'concurrent', requests, algorithm: 'concurrent', maxAgeMs }
}

export async function takes(
  { counter, subject }: CounterBench,
  limits: readonly CounterLimit[],
  cost = 1,
): Promise<boolean> {
  return (await counter.take(subject, limits, cost)).taken
}

export async function used({ counter, subject }: CounterBench, limits: readonly CounterLimit[]): Promise<number[]> {
  return (await counter.peek(subject, limits)).map((reading) => reading.used)
}

/** Until `spanMs` after `startedAt` have passed on all clocks. */
export async function sleepUntil(startedAt: number, spanMs: number): Promise<void> {
  await sleep(Math.max(0, startedAt + spanMs + marginMs - Date.now()))
}
