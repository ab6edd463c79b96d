import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { checkCost, type Counter, type CounterLimit, type Reading, type Take } from '../counter.js'
import { Receipt, spendReceipt } from '../receipt.js'
import { areSame, canBeLeased, Lease, type Clocks } from './lease.js'
import type { LeaseServer, Settlement } from './leases.js'

interface Spent {
  readonly subject: string
  readonly lease: Lease
  readonly cost: number
}

/** Of what could not be told to the server, no more than this is remembered: the rest stays charged. */
const maxDebts = 10_000

/**
 * Takes shares of limits and spends them here, where each answer is at hand. What has to be asked about is asked one
 * question at a time for each subject; who comes meanwhile waits for the answer, and then asks for himself alone.
 */
export class LeaseCounter implements Counter {
  readonly #server: LeaseServer
  readonly #clocks: Clocks
  readonly #nextTurn: () => string
  readonly #leases = new Map<string, Lease>()
  readonly #asking = new Map<string, Promise<Take>>()
  #debts: Settlement[] = []

  constructor(server: LeaseServer, clocks: Clocks, nextTurn: () => string) {
    this.#server = server
    this.#clocks = clocks
    this.#nextTurn = nextTurn
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Take> {
    checkCost(cost)
    return this.#takeHere(subject, limits, cost) ?? this.#takeThere(subject, limits, cost)
  }

  async peek(subject: string, limits: readonly CounterLimit[]): Promise<readonly Reading[]> {
    const lease = this.#leases.get(subject)
    const settlement = lease && settlementOf(subject, lease)
    if (settlement !== undefined) await this.#settle(settlement)
    return this.#server.peek(subject, limits)
  }

  giveBack(receipt: unknown, cost: number): MaybePromise<void> {
    checkCost(cost)
    const charged = spendReceipt<Spent>(this, receipt)
    if (charged === undefined) return this.#server.giveBack(receipt, cost)
    const { lease, subject } = charged
    const amount = Math.min(cost, charged.cost)
    if (lease.isKnown && !lease.isSettled) {
      lease.takeBack(amount)
      return
    }
    const { id, limits, marks } = lease
    return this.#server.returnCharge({ subject, id, limits, marks, cost: charged.cost }, amount)
  }

  reset(subject: string): MaybePromise<void> {
    const lease = this.#leases.get(subject)
    if (lease !== undefined) lease.isSettled = true
    this.#leases.delete(subject)
    return this.#server.reset(subject)
  }

  /** To be called about once in the time that a lease lasts: gives back what is over. */
  async sweep(): Promise<void> {
    for (const [subject, lease] of this.#leases) {
      if (!lease.isOver(this.#clocks)) continue
      // What it has spent is a measure for the next one, until nobody has come for a while.
      if (lease.isSettled || lease.unspent === 0) this.#leases.delete(subject)
      this.#owe(settlementOf(subject, lease))
    }
    await this.#payDebts()
  }

  /** Gives everything back. */
  async end(): Promise<void> {
    await Promise.allSettled(this.#asking.values())
    for (const [subject, lease] of this.#leases) this.#owe(settlementOf(subject, lease))
    this.#leases.clear()
    await this.#payDebts()
  }

  #takeHere(subject: string, limits: readonly CounterLimit[], cost: number): Take | undefined {
    const lease = this.#leases.get(subject)
    if (lease === undefined || !(cost <= lease.unspent) || lease.isSettled) return undefined
    if (!areSame(lease.limits, limits) || lease.isOver(this.#clocks)) return undefined
    lease.limits = limits
    const readings = lease.spend(cost)
    return { taken: true, readings, receipt: new Receipt<Spent>(this, { subject, lease, cost }) }
  }

  async #takeThere(subject: string, limits: readonly CounterLimit[], cost: number): Promise<Take> {
    if (!canBeLeased(limits)) return this.#server.take(subject, limits, cost)
    const asked = this.#asking.get(subject)
    if (asked !== undefined) {
      await asked
      return this.#takeHere(subject, limits, cost) ?? this.#server.take(subject, limits, cost)
    }
    const asking = this.#ask(subject, limits, cost).finally(() => this.#asking.delete(subject))
    this.#asking.set(subject, asking)
    return asking
  }

  async #ask(subject: string, limits: readonly CounterLimit[], cost: number): Promise<Take> {
    const before = this.#leases.get(subject)
    const wanted = before?.wantedNext(cost, before.isOver(this.#clocks)) ?? cost
    const settled = before && settlementOf(subject, before)
    this.#leases.delete(subject)
    const sent = { monotonicMs: this.#clocks.monotonicMs(), wallMs: this.#clocks.wallMs() }
    const turn = this.#nextTurn()
    try {
      const grant = await this.#server.ask({ subject, limits, cost, wanted, turn, settled })
      const { taken, account, now } = grant
      if (!taken) return { taken, readings: account.read(account.layout, cost, now), receipt: undefined }
      const lease = new Lease(turn, limits, cost, sent, grant)
      this.#leases.set(subject, lease)
      const readings = account.read(account.layout, cost, now)
      return { taken, readings, receipt: new Receipt<Spent>(this, { subject, lease, cost }) }
    } catch (error) {
      // Nobody knows what was done of it. Of what was granted, nothing is spent.
      this.#owe(settled)
      this.#owe({ subject, turn, unspent: Infinity })
      throw error
    }
  }

  #owe(settlement: Settlement | undefined): void {
    if (settlement !== undefined && this.#debts.length < maxDebts) this.#debts.push(settlement)
  }

  async #settle(settlement: Settlement): Promise<void> {
    try {
      await this.#server.settle(settlement)
    } catch (error) {
      this.#owe(settlement)
      throw error
    }
  }

  /** Together, which is one trip for many; what fails is owed on. */
  async #payDebts(): Promise<void> {
    const debts = this.#debts
    this.#debts = []
    await Promise.allSettled(debts.map((debt) => this.#settle(debt)))
  }
}

/** Ends a lease. */
function settlementOf(subject: string, lease: Lease): Settlement | undefined {
  if (lease.isSettled) return undefined
  lease.isSettled = true
  const { turn, unspent } = lease
  lease.unspent = 0
  return unspent > 0 && lease.isKnown ? { subject, turn, unspent } : undefined
}
