import type { CalendarUnit } from '../decisions/limit.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'

/**
 * One limit as a counter sees it: plain data, so that it can be sent to where the counting is done. `key` is unique
 * among the limits of a subject and survives a change of tier, of ceiling, of rate and of time zone.
 */
export type CounterLimit = WindowCounterLimit | CalendarCounterLimit | GcraCounterLimit | ConcurrentCounterLimit

interface CounterLimitBase {
  readonly key: string
  readonly requests: number
}

export interface WindowCounterLimit extends CounterLimitBase {
  readonly algorithm: 'fixed' | 'sliding'
  readonly windowMs: number
}

/** `calendarWindow` says which window a moment lies in. */
export interface CalendarCounterLimit extends CounterLimitBase {
  readonly algorithm: 'calendar'
  readonly unit: CalendarUnit
  readonly timeZone: string
}

/** What was charged runs off at `requests` per `windowMs`; at most `burst` may stand. */
export interface GcraCounterLimit extends CounterLimitBase {
  readonly algorithm: 'gcra'
  readonly windowMs: number
  readonly burst: number
}

/** A request takes one place, whatever it costs, until `giveBack` or until it is `maxAgeMs` old. */
export interface ConcurrentCounterLimit extends CounterLimitBase {
  readonly algorithm: 'concurrent'
  readonly maxAgeMs: number
}

/** Where a subject stands with one limit. None is NaN or below 0; only `waitMs` may be infinite. */
export interface Reading {
  readonly used: number
  /** 0 also where a limit was lowered below what is used. */
  readonly remaining: number
  /** Until nothing of it counts any more; 0 when nothing does, and for `concurrent`, which no clock ends. */
  readonly resetMs: number
  /**
   * Until the same again has room if nobody else comes: 0 where it has now, `Infinity` where it never will. At least
   * 1 for `concurrent`, where nobody knows.
   */
  readonly waitMs: number
}

export interface Take {
  readonly taken: boolean
  /** One per limit, in their order: after the charge, or as they stand when nothing was charged. */
  readonly readings: readonly Reading[]
  /** What `giveBack` needs to correct the window that was charged, and no other. Opaque to everybody else. */
  readonly receipt: unknown
}

/**
 * Who counts requests against limits. A port of its own, because counting needs an atomic step that key-value
 * stores do not have. A rejection or a throw means "I do not know" and is answered with a 503.
 *
 * `testCounter` of `clientele/testing` holds a counter to all of this.
 */
export interface Counter {
  /**
   * Charges `cost` (finite, at least 0; 0 opens a window too) to every limit, or to none: a refused request
   * changes nothing. A limit has room when `used + cost <= requests` (for `gcra` its burst); `concurrent` counts one.
   */
  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Take>
  /** Reads without charging and without opening a window; `waitMs` as for a cost of 1. */
  peek(subject: string, limits: readonly CounterLimit[]): MaybePromise<readonly Reading[]>
  /**
   * Ends a request: frees its place in `concurrent` limits, and takes `cost` (finite, at least 0) back from the
   * windows that its `take` charged, as far as they have not turned. Once per receipt, and never more than was
   * charged. The receipt of a refused `take` gives back nothing.
   */
  giveBack(receipt: unknown, cost: number): MaybePromise<void>
  /**
   * Forgets what a subject has used. Receipts from before no longer give anything back, but requests that are in
   * flight stay in their places, and those are still freed.
   */
  reset(subject: string): MaybePromise<void>
}

/** What every counter refuses before it counts. */
export function checkCost(cost: number): void {
  if (Number.isFinite(cost) && cost >= 0) return
  throw new ClienteleFault('ERR_CLIENTELE_INVALID', 'cost: expected a finite number, 0 or more')
}
