import type { MaybePromise } from '../decisions/maybe-promise.js'

/** One limit as a counter sees it. `key` is unique among the limits of a subject and survives a change of tier. */
export interface CounterLimit {
  readonly key: string
  readonly requests: number
  readonly windowMs: number
  readonly algorithm: 'fixed'
}

export interface Reading {
  readonly used: number
  readonly remaining: number
  /** Until the window ends; 0 when none has begun. */
  readonly resetMs: number
}

export interface Take {
  readonly taken: boolean
  /** One per limit, in their order, after the charge. */
  readonly readings: readonly Reading[]
  /** What `giveBack` needs to correct the window that was charged, and no other. */
  readonly receipt: unknown
}

/**
 * Who counts requests against limits. A port of its own, because counting needs an atomic step that key-value
 * stores do not have. A rejection or a throw means "I do not know" and is answered with a 503.
 */
export interface Counter {
  /** Charges `cost` to every limit, or to none: a refused request changes nothing. */
  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Take>
  peek(subject: string, limits: readonly CounterLimit[]): MaybePromise<readonly Reading[]>
  /** Takes `cost` back from the windows that a `take` charged, if they have not turned. */
  giveBack(receipt: unknown, cost: number): MaybePromise<void>
  reset(subject: string): MaybePromise<void>
}
