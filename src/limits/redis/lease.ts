import type { Account, Moment } from '../account.js'
import type { CounterLimit, Reading } from '../counter.js'
import { marksOf } from './answer.js'
import type { Grant } from './leases.js'

/** Clocks of two machines differ in rate by far less, and timers by less than this. */
const rateMargin = 0.01
const marginMs = 1

/** Now, by a clock that stands still while the machine sleeps, and by one that may be set. */
export interface Clocks {
  monotonicMs(): number
  wallMs(): number
}

/** When a question was sent. */
export interface Sent {
  readonly monotonicMs: number
  readonly wallMs: number
}

/**
 * A share of the limits of a subject that was charged on the server, and is spent here. Whatever is spent of it lies in
 * the windows that it was charged in, because it is over before any of them turns: counted from when it was asked for,
 * on both clocks, less a margin. So a process that was paused, or a machine that slept, finds it over.
 */
export class Lease implements Moment {
  readonly turn: string
  readonly id: string
  readonly marks: readonly number[]
  /** Whether the server knows of it, which it does of those of which something was left. */
  readonly isKnown: boolean
  limits: readonly CounterLimit[]
  unspent: number
  spent: number
  /** No more is spent of it, and none comes back to it. */
  isSettled = false
  readonly endsAtMs: number
  readonly #endsAtWallMs: number
  readonly #account: Account
  readonly #offsetMs: number
  /** The server's time, as far as it is known here. */
  monotonicMs = 0
  wallMs = 0

  constructor(turn: string, limits: readonly CounterLimit[], cost: number, sent: Sent, grant: Grant) {
    const { account, now, granted } = grant
    const lastsMs = grant.lastsMs * (1 - rateMargin) - marginMs
    this.turn = turn
    this.id = grant.id
    this.limits = limits
    this.marks = marksOf(grant)
    this.isKnown = granted > cost
    this.unspent = granted - cost
    this.spent = cost
    this.endsAtMs = sent.monotonicMs + lastsMs
    this.#endsAtWallMs = sent.wallMs + lastsMs
    this.#offsetMs = now.monotonicMs - sent.monotonicMs
    this.#account = account
    account.giveBack(account.layout, this.marks, this.unspent, now)
  }

  isOver(clocks: Clocks): boolean {
    const monotonicMs = clocks.monotonicMs()
    this.monotonicMs = this.wallMs = monotonicMs + this.#offsetMs
    return !(monotonicMs < this.endsAtMs && clocks.wallMs() < this.#endsAtWallMs)
  }

  /** After `isOver`, and no more than `unspent`. */
  spend(cost: number): readonly Reading[] {
    this.unspent -= cost
    this.spent += cost
    const { layout } = this.#account
    this.#account.charge(layout, cost, this)
    return this.#account.read(layout, cost, this)
  }

  takeBack(cost: number): void {
    this.unspent += cost
    this.spent -= cost
    this.#account.giveBack(this.#account.layout, this.marks, cost, this)
  }

  /** How much to ask for next, `cost` included: twice as much after one that was used up, else what was needed. */
  wantedNext(cost: number, wasOver: boolean): number {
    return Math.max(cost, Math.ceil(this.spent * (wasOver ? 1.25 : 2)))
  }
}

/** Of tiers that were read anew, the limits are other objects and the same. */
export function areSame(some: readonly CounterLimit[], others: readonly CounterLimit[]): boolean {
  return some === others || JSON.stringify(some) === JSON.stringify(others)
}

/**
 * Whether a share of all of these can be spent later than it was charged and still be in the right place: in a window,
 * it is. What runs off from the moment of the charge would have run off before it is spent, and a place among the
 * requests in flight is held by a request.
 */
export function canBeLeased(limits: readonly CounterLimit[]): boolean {
  return limits.every(({ algorithm }) => algorithm !== 'gcra' && algorithm !== 'concurrent')
}
