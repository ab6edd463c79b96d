import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { monotonicClock, type Clock } from '../runtime/clock.js'
import { Account } from './account.js'
import type { Counter, CounterLimit, Reading, Take } from './counter.js'

export interface MemoryCounterOptions {
  /**
   * How many subjects (clients of an API) are counted at once. A subject with a window that still runs is never
   * forgotten to make room: when all of them run, a new subject's requests get a 503 and the known ones go on.
   * @default 1_000_000
   */
  readonly maxKeys?: number
  /** Milliseconds that only ever grow. @default the monotonic clock of the process */
  readonly clock?: Clock
}

const optionsSchema = z.strictObject({
  maxKeys: z.int().min(1).default(1_000_000),
  clock: z.custom<Clock>((value) => typeof value === 'function', 'expected a function').default(() => monotonicClock),
})

/**
 * For one process that counts by itself: exact, and never waits. The numbers live in memory: a restart opens
 * fresh windows, and several processes admit several times the limit.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function memoryCounter(options: MemoryCounterOptions = {}): MemoryCounter {
  const { maxKeys, clock } = checkOptions('memoryCounter()', optionsSchema, options)
  return new MemoryCounter(maxKeys, clock)
}

const fullSweepIntervalMs = 1000
/** More than one account per insert, so that the sweep overtakes what comes in. */
const accountsSweptPerInsert = 2

/** What `memoryCounter` returns: a `Counter` whose answers are always at hand. */
export class MemoryCounter implements Counter {
  readonly #accounts = new Map<string, Account>()
  readonly #maxKeys: number
  readonly #clock: Clock
  #latestMs = 0
  #lastFullSweepMs = -Infinity
  #sweep: Iterator<[string, Account]> | undefined

  constructor(maxKeys: number, clock: Clock) {
    this.#maxKeys = maxKeys
    this.#clock = clock
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): Take {
    checkCost(cost)
    const nowMs = this.#nowMs()
    const known = this.#accounts.get(subject)
    const account = known ?? new Account(limits)
    if (!account.hasRoom(limits, cost, nowMs)) {
      return { taken: false, readings: account.read(limits, nowMs), receipt: undefined }
    }
    if (known === undefined) this.#open(subject, account, nowMs)
    account.charge(limits, cost, nowMs)
    return { taken: true, readings: account.read(limits, nowMs), receipt: new Receipt(account, limits, cost, nowMs) }
  }

  peek(subject: string, limits: readonly CounterLimit[]): readonly Reading[] {
    const account = this.#accounts.get(subject) ?? new Account(limits)
    return account.read(limits, this.#nowMs())
  }

  giveBack(receipt: unknown, cost: number): void {
    checkCost(cost)
    if (receipt instanceof Receipt) receipt.spend(cost)
  }

  reset(subject: string): void {
    this.#accounts.delete(subject)
  }

  /** A clock that goes back, or says nothing, stands still instead: no window is opened or drawn out by it. */
  #nowMs(): number {
    const nowMs = this.#clock()
    if (nowMs > this.#latestMs && nowMs < Infinity) this.#latestMs = nowMs
    return this.#latestMs
  }

  #open(subject: string, account: Account, nowMs: number): void {
    this.#sweepSome(nowMs)
    if (this.#accounts.size >= this.#maxKeys) this.#sweepAll(nowMs)
    if (this.#accounts.size >= this.#maxKeys) {
      throw new ClienteleFault(
        'ERR_CLIENTELE_COUNTER',
        `memoryCounter(): all ${this.#maxKeys} subjects have running windows, so a new one cannot be counted; raise maxKeys`,
      )
    }
    this.#accounts.set(subject, account)
  }

  #sweepSome(nowMs: number): void {
    this.#sweep ??= this.#accounts.entries()
    for (let count = 0; count < accountsSweptPerInsert; count += 1) {
      const next = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = undefined
        return
      }
      this.#dropIfOver(next.value, nowMs)
    }
  }

  #sweepAll(nowMs: number): void {
    if (nowMs - this.#lastFullSweepMs < fullSweepIntervalMs) return
    this.#lastFullSweepMs = nowMs
    for (const entry of this.#accounts) this.#dropIfOver(entry, nowMs)
  }

  #dropIfOver([subject, account]: [string, Account], nowMs: number): void {
    if (account.endsAtMs <= nowMs) this.#accounts.delete(subject)
  }
}

/** What was charged, and when: enough to find the very window again. */
class Receipt {
  #left: number
  readonly #account: Account
  readonly #limits: readonly CounterLimit[]
  readonly #chargedAtMs: number

  constructor(account: Account, limits: readonly CounterLimit[], cost: number, chargedAtMs: number) {
    this.#account = account
    this.#limits = limits
    this.#left = cost
    this.#chargedAtMs = chargedAtMs
  }

  spend(cost: number): void {
    this.#account.giveBack(this.#limits, Math.min(cost, this.#left), this.#chargedAtMs)
    this.#left = 0
  }
}

function checkCost(cost: number): void {
  if (Number.isFinite(cost) && cost >= 0) return
  throw new ClienteleFault('ERR_CLIENTELE_INVALID', 'cost: expected a finite number, 0 or more')
}
