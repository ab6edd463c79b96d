import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { monotonicClock, wallClock, type Clock } from '../runtime/clock.js'
import { Account, type Moment } from './account.js'
import { checkCost, type Counter, type CounterLimit, type Reading, type Take } from './counter.js'
import { firstLayout, type Layout } from './layout.js'
import { Receipt, spendReceipt } from './receipt.js'
import { SteadyClocks } from './steady-clocks.js'

/** What `memoryCounter` returns: a `Counter` whose answers are always at hand. */
export interface MemoryCounter extends Counter {
  take(subject: string, limits: readonly CounterLimit[], cost: number): Take
  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[]
  giveBack(receipt: unknown, cost: number): void
  reset(subject: string): void
}

export interface MemoryCounterOptions {
  /**
   * How many subjects (clients of an API) are counted at once. A subject with a window that still runs is never
   * forgotten to make room: when all of them run, a new subject's requests get a 503 and the known ones go on.
   * @default 1_000_000
   */
  readonly maxKeys?: number
  /** Milliseconds that only ever grow, for all that lasts a span of time. @default the monotonic clock of the process */
  readonly clock?: Clock
  /**
   * Milliseconds since 1970, for limits that go by the calendar. One that is set forward may open a window too early,
   * one that is set back opens none. @default the wall clock
   */
  readonly wallClock?: Clock
}

const clockOption = z.custom<Clock>((value) => typeof value === 'function', 'expected a function')
const optionsSchema = z.strictObject({
  maxKeys: z.int().min(1).default(1_000_000),
  clock: clockOption.default(() => monotonicClock),
  wallClock: clockOption.default(() => wallClock),
})

/**
 * For one process that counts by itself: exact, and never waits. The numbers live in memory: a restart opens
 * fresh windows, and several processes admit several times the limit.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function memoryCounter(options: MemoryCounterOptions = {}): MemoryCounter {
  const { maxKeys, clock, wallClock: wall } = checkOptions('memoryCounter()', optionsSchema, options)
  return new CounterInMemory(maxKeys, new SteadyClocks(clock, wall))
}

/** Whether what is counted is seen by one process alone. */
export function countsInMemory(counter: Counter): boolean {
  return counter instanceof CounterInMemory
}

const fullSweepIntervalMs = 1000
/** More than one account per insert, so that the sweep overtakes what comes in. */
const accountsSweptPerInsert = 2

class CounterInMemory implements MemoryCounter {
  readonly #accounts = new Map<string, Account>()
  readonly #maxKeys: number
  readonly #clocks: SteadyClocks
  #lastFullSweepMs = -Infinity
  #sweep: Iterator<[string, Account]> | undefined

  constructor(maxKeys: number, clocks: SteadyClocks) {
    this.#maxKeys = maxKeys
    this.#clocks = clocks
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): Take {
    checkCost(cost)
    const known = this.#accounts.get(subject)
    const account = known ?? new Account(firstLayout(limits))
    const layout = account.meet(limits)
    const now = this.#clocks.read(layout.onWall)
    if (!account.hasRoom(layout, cost, now)) {
      return { taken: false, readings: account.read(layout, cost, now), receipt: undefined }
    }
    if (known === undefined) this.#open(subject, account)
    const marks = account.charge(layout, cost, now)
    return {
      taken: true,
      readings: account.read(layout, cost, now),
      receipt: new Receipt<Charged>(this, { account, layout, cost, marks }),
    }
  }

  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[] {
    const account = this.#accounts.get(subject) ?? new Account(firstLayout(limits))
    const layout = account.meet(limits)
    return account.read(layout, 1, this.#clocks.read(layout.onWall))
  }

  giveBack(receipt: unknown, cost: number): void {
    checkCost(cost)
    const charged = spendReceipt<Charged>(this, receipt)
    if (charged === undefined) return
    const { account, layout, marks } = charged
    account.giveBack(layout, marks, Math.min(cost, charged.cost), this.#clocks.read(layout.onWall))
  }

  reset(subject: string): void {
    const left = this.#accounts.get(subject)?.withoutUsage()
    if (left === undefined) this.#accounts.delete(subject)
    else this.#accounts.set(subject, left)
  }

  #open(subject: string, account: Account): void {
    const now = this.#clocks.read(true)
    this.#sweepSome(now)
    if (this.#accounts.size >= this.#maxKeys) this.#sweepAll(now)
    if (this.#accounts.size >= this.#maxKeys) {
      throw new ClienteleFault(
        'ERR_CLIENTELE_COUNTER',
        `memoryCounter(): all ${this.#maxKeys} subjects have running windows, so a new one cannot be counted; raise maxKeys`,
      )
    }
    this.#accounts.set(subject, account)
  }

  #sweepSome(now: Moment): void {
    this.#sweep ??= this.#accounts.entries()
    for (let count = 0; count < accountsSweptPerInsert; count += 1) {
      const next = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = undefined
        return
      }
      this.#dropIfOver(next.value, now)
    }
  }

  #sweepAll(now: Moment): void {
    if (now.monotonicMs - this.#lastFullSweepMs < fullSweepIntervalMs) return
    this.#lastFullSweepMs = now.monotonicMs
    for (const entry of this.#accounts) this.#dropIfOver(entry, now)
  }

  #dropIfOver([subject, { endsAtMs, endsAtWallMs }]: [string, Account], now: Moment): void {
    if (endsAtMs <= now.monotonicMs && endsAtWallMs <= now.wallMs) this.#accounts.delete(subject)
  }
}

/** What was charged, and under which marks: enough to find the very windows again. */
interface Charged {
  readonly account: Account
  readonly layout: Layout
  readonly cost: number
  readonly marks: readonly number[]
}
