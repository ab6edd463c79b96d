import type { Counter, CounterLimit } from '../../limits/counter.js'

/** What a case is given: a counter, and a subject that was not counted before, also where counters share a memory. */
export interface CounterBench {
  readonly counter: Counter
  readonly subject: string
}

export type CounterCases = Readonly<Record<string, (bench: CounterBench) => Promise<void>>>

export const shortWindowMs = 300
/** Timers and clocks of two machines need not agree to the millisecond. */
export const marginMs = 60

export function limitOf(requests: number, windowMs = 3_600_000): CounterLimit {
  return { key: `fixed:${windowMs}`, requests, windowMs, algorithm: 'fixed' }
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
