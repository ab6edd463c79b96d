import type { MaybePromise } from '../decisions/maybe-promise.js'
import { andThen } from '../decisions/maybe-promise.js'
import { orElse, type Charge, type Charging } from './charging.js'
import type { Counter, CounterLimit, Take } from './counter.js'
import { guardedTake, type GuardedCounter } from './guarded-take.js'
import { LocalShare, shareOf } from './local-share.js'
import { Receipt, spendReceipt } from './receipt.js'

/** What all policies of one counter have let through. With one for each, every route would have a share of its own. */
export interface LocalUse {
  readonly share: LocalShare
  /** By subject: what is just being made up for. */
  readonly settling: Map<string, Promise<void>>
}

const useByCounter = new WeakMap<Counter, LocalUse>()

export function localUseOf(counter: Counter): LocalUse {
  let use = useByCounter.get(counter)
  if (use === undefined) {
    use = { share: new LocalShare(), settling: new Map() }
    useByCounter.set(counter, use)
  }
  return use
}

/** Beside `reset` of the counter: what this process remembers of a subject. */
export function forgetLocalUse(counter: Counter, subject: string): void {
  useByCounter.get(counter)?.share.reset(subject)
}

/** What `giveBack` needs: the receipt of the counter, if it has answered, and ours. */
interface Charged {
  readonly cost: number
  readonly counted: { readonly receipt: unknown } | undefined
  readonly local: unknown
}

/** Goes on with this process's share of each limit where the counter fails, and makes up for it afterwards. */
export class ShareCharging implements Charging {
  readonly #guarded: GuardedCounter
  readonly #use: LocalUse
  readonly #processes: number
  readonly #shares = new WeakMap<readonly CounterLimit[], readonly CounterLimit[]>()

  constructor(guarded: GuardedCounter, use: LocalUse, processes: number) {
    this.#guarded = guarded
    this.#use = use
    this.#processes = processes
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge> {
    return orElse(
      () => this.#counted(subject, limits, cost),
      (fault) => {
        const take = this.#use.share.take(subject, limits, this.#sharesOf(limits), cost)
        const receipt = new Receipt<Charged>(this, { cost, counted: undefined, local: take.receipt })
        return { ...take, receipt, alone: { fault, processes: this.#processes } }
      },
    )
  }

  giveBack(receipt: unknown, cost: number): MaybePromise<void> {
    const charged = spendReceipt<Charged>(this, receipt)
    if (charged === undefined) return undefined
    const { counted, local } = charged
    this.#use.share.end(local, Math.min(cost, charged.cost))
    return counted && this.#guarded.counter.giveBack(counted.receipt, cost)
  }

  #counted(subject: string, limits: readonly CounterLimit[], cost: number): MaybePromise<Charge> {
    const { settling, share } = this.#use
    const before = settling.get(subject) ?? (share.owes(subject) ? this.#settle(subject) : undefined)
    return andThen(before, () =>
      andThen(guardedTake(this.#guarded, subject, limits, cost), (take) =>
        this.#remembered(subject, limits, cost, take),
      ),
    )
  }

  #remembered(subject: string, limits: readonly CounterLimit[], cost: number, take: Take): Charge {
    if (!take.taken) return take
    const local = this.#use.share.remember(subject, limits, cost)
    const receipt = new Receipt<Charged>(this, { cost, counted: { receipt: take.receipt }, local })
    return { taken: true, readings: take.readings, receipt }
  }

  /** Once for all who ask meanwhile: they wait for it, or they would be let through before it counts. */
  #settle(subject: string): Promise<void> {
    const { settling } = this.#use
    const work = this.#makeUp(subject).finally(() => settling.delete(subject))
    settling.set(subject, work)
    return work
  }

  /**
   * Each limit by itself, because their windows have not turned together. Where less is left than is owed, that is
   * taken: the rest was too much, and belongs to no other window.
   */
  async #makeUp(subject: string): Promise<void> {
    const { share } = this.#use
    const due = [...share.collect(subject)]
    try {
      for (let next = due[0]; next !== undefined; due.shift(), next = due[0]) {
        const { limit, amount } = next
        const { taken, readings } = await guardedTake(this.#guarded, subject, [limit], amount)
        const left = readings[0]?.remaining ?? 0
        if (!taken && left > 0) await guardedTake(this.#guarded, subject, [limit], left)
      }
    } catch (error) {
      share.owe(subject, due)
      throw error
    }
  }

  #sharesOf(limits: readonly CounterLimit[]): readonly CounterLimit[] {
    let shares = this.#shares.get(limits)
    if (shares === undefined) {
      shares = limits.map((limit) => shareOf(limit, this.#processes))
      this.#shares.set(limits, shares)
    }
    return shares
  }
}
