import { ClienteleFault } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { deadline } from '../runtime/deadline.js'
import type { Counter, CounterLimit, Reading, Take } from './counter.js'

/** A counter and how long it may take to answer. */
export interface GuardedCounter {
  readonly counter: Counter
  readonly counterTimeoutMs: number
}

/**
 * Charges through a counter that may be anybody's: a throw, a rejection, silence and nonsense all come out as
 * `ERR_CLIENTELE_COUNTER`, so that trouble is neither an admission nor a refusal.
 */
export function guardedTake(
  { counter, counterTimeoutMs }: GuardedCounter,
  subject: string,
  limits: readonly CounterLimit[],
  cost: number,
): MaybePromise<Take> {
  let answer: MaybePromise<Take>
  try {
    answer = counter.take(subject, limits, cost)
  } catch (cause) {
    throw counterFault(cause)
  }
  if (!isPromise(answer)) return sensibleTake(answer, limits.length)
  return takeInTime({ counter, counterTimeoutMs }, answer, cost).then((take) => sensibleTake(take, limits.length))
}

/** What is taken when nobody waits for it any more is given back: that request was not let in by it. */
function takeInTime({ counter, counterTimeoutMs }: GuardedCounter, answer: Promise<Take>, cost: number): Promise<Take> {
  let isLate = false
  const answered = Promise.resolve(answer)
  answered
    .then((take) => (isLate && isTaken(take) ? counter.giveBack(take.receipt, cost) : undefined))
    .catch(() => undefined)
  return inTime(answered, counterTimeoutMs).catch((fault: unknown) => {
    isLate = true
    throw fault
  })
}

function isTaken(take: Partial<Take> | null | undefined): take is Take {
  return take?.taken === true
}

/** Reads in the same way. */
export async function guardedPeek(
  { counter, counterTimeoutMs }: GuardedCounter,
  subject: string,
  limits: readonly CounterLimit[],
): Promise<readonly Reading[]> {
  const readings = await inTime((async () => counter.peek(subject, limits))(), counterTimeoutMs)
  if (areReadings(readings, limits.length)) return readings
  throw nonsense('a peek is a list with one reading per limit')
}

/** And forgets. */
export async function guardedReset({ counter, counterTimeoutMs }: GuardedCounter, subject: string): Promise<void> {
  await inTime((async () => counter.reset(subject))(), counterTimeoutMs)
}

function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  const late = () => new ClienteleFault('ERR_CLIENTELE_COUNTER', `no answer from the counter in ${timeoutMs} ms`)
  return deadline(Promise.resolve(answer), timeoutMs, late).catch((cause: unknown) => {
    throw counterFault(cause)
  })
}

function counterFault(cause: unknown): ClienteleFault {
  if (cause instanceof ClienteleFault && cause.code === 'ERR_CLIENTELE_COUNTER') return cause
  return new ClienteleFault('ERR_CLIENTELE_COUNTER', 'the counter failed', { cause })
}

function sensibleTake(take: Take, limitCount: number): Take {
  if (isTake(take, limitCount)) return take
  throw nonsense('a take is { taken: boolean, readings, receipt }, with one reading per limit')
}

function nonsense(what: string): ClienteleFault {
  const reading = 'of used, remaining, resetMs and waitMs, numbers of 0 or more'
  return new ClienteleFault('ERR_CLIENTELE_COUNTER', `the counter answered nonsense: ${what}, ${reading}`)
}

/** What a counter of somebody's own hands over may be anything, whatever its type says. */
function isTake(take: Partial<Take> | null | undefined, limitCount: number): boolean {
  if (take === null || take === undefined || typeof take.taken !== 'boolean') return false
  return areReadings(take.readings, limitCount)
}

function areReadings(readings: unknown, limitCount: number): boolean {
  if (!Array.isArray(readings) || readings.length !== limitCount) return false
  for (const reading of readings as readonly Reading[]) if (!isReading(reading)) return false
  return true
}

function isReading(reading: Partial<Reading> | null | undefined): boolean {
  return (
    reading !== null &&
    reading !== undefined &&
    isAmount(reading.used) &&
    isAmount(reading.remaining) &&
    isAmount(reading.resetMs) &&
    (isAmount(reading.waitMs) || reading.waitMs === Infinity)
  )
}

function isAmount(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}
