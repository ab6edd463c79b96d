import type { Limit } from '../decisions/admission.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'

/** One limit as a counter sees it. `key` is unique among the limits of a subject and survives a change of tier. */
export interface CounterLimit {
  readonly key: string
  readonly requests: number
  readonly windowMs: number
  readonly algorithm: Limit['algorithm']
}

/** Where a subject stands with one limit. All three are finite and never below 0. */
export interface Reading {
  readonly used: number
  /** 0 also where a limit was lowered below what is used. */
  readonly remaining: number
  /** Until the window ends; 0 when none has begun. */
  readonly resetMs: number
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
   * changes nothing. A limit has room when `used + cost <= requests`.
   */
  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Take>
  /** Reads without charging and without opening a window. */
  peek(subject: string, limits: readonly CounterLimit[]): MaybePromise<readonly Reading[]>
  /**
   * Takes `cost` (finite, at least 0) back from the windows that a `take` charged, as far as they have not turned:
   * once per receipt, and never more than was charged. The receipt of a refused `take` gives back nothing.
   */
  giveBack(receipt: unknown, cost: number): MaybePromise<void>
  /** Forgets what a subject has used. Receipts from before no longer give anything back. */
  reset(subject: string): MaybePromise<void>
}
