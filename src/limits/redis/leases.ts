import type { MaybePromise } from '../../decisions/maybe-promise.js'
import type { Counter, CounterLimit } from '../counter.js'
import type { Standing } from './answer.js'

/** What was charged, and under which marks. */
export interface Charged {
  readonly subject: string
  readonly id: string
  readonly limits: readonly CounterLimit[]
  readonly marks: readonly number[]
  readonly cost: number
}

/** A lease that is over, and what of it was not spent: `Infinity` for all of one that nobody heard of. */
export interface Settlement {
  readonly subject: string
  readonly turn: string
  readonly unspent: number
}

export interface Question {
  readonly subject: string
  readonly limits: readonly CounterLimit[]
  readonly cost: number
  /** `cost` included. */
  readonly wanted: number
  /** The name of the lease that is asked for. */
  readonly turn: string
  /** What the one before leaves. */
  readonly settled: Settlement | undefined
}

/** When it was not taken, nothing was granted. */
export interface Grant extends Standing {
  /** What was charged, the cost included. */
  readonly granted: number
  /** From the server's now on. */
  readonly lastsMs: number
}

/** Where shares are given out. Counts everything else exactly. */
export interface LeaseServer extends Counter {
  ask(question: Question): Promise<Grant>
  settle(settlement: Settlement): Promise<void>
  /** Takes back what was charged under marks, however often it is called with one charge. */
  returnCharge(charged: Charged, cost: number): MaybePromise<void>
}
