import type { Clock } from '../runtime/clock.js'
import type { CounterLimit, Take } from './counter.js'
import { memoryCounter, type MemoryCounter } from './memory-counter.js'
import { Receipt, spendReceipt } from './receipt.js'

interface Ceilings {
  readonly requests: number
  readonly burst?: number
}

/** What one of `processes` has of a limit while nobody counts for all of them: its part, and at least one request. */
export function shareOf<L extends Ceilings>(limit: L, processes: number): L {
  const part = (whole: number): number => Math.max(1, Math.floor(whole / processes))
  const { requests, burst } = limit
  return { ...limit, requests: part(requests), ...(burst !== undefined && { burst: part(burst) }) }
}

export interface LocalShareClocks {
  readonly clock?: Clock
  readonly wallClock?: Clock
}

/** What is to be charged to one limit, as soon as the counter is there again. */
export interface Due {
  limit: CounterLimit
  amount: number
}

/** What a process has let through alone and the counter has not heard of yet, by the keys of limits. */
type Debt = Map<string, Due>

interface Remembered {
  readonly subject: string
  readonly receipt: unknown
  /** Where it was added: what others owe is not lowered by it, nor what has been handed over. */
  readonly dues: readonly Due[]
}

/**
 * What this process lets through while the counter is down. All that it lets through is remembered, whoever has
 * decided on it, so that an outage that comes back many times in a window opens no new share. What it has decided
 * alone is owed to the counter.
 *
 * The arithmetic alone: asks no counter, and is told of the time.
 */
export class LocalShare {
  readonly #used: MemoryCounter
  readonly #debts = new Map<string, Debt>()
  #sweep: Iterator<string, undefined> | undefined

  constructor(clocks: LocalShareClocks = {}) {
    this.#used = memoryCounter(clocks)
  }

  /**
   * Of a request that the counter has let through. Returns what `end` takes; nothing where there are too many to
   * remember, which makes nobody's share larger than it is.
   */
  remember(subject: string, limits: readonly CounterLimit[], cost: number): unknown {
    try {
      const { receipt } = this.#used.take(subject, withoutCeilings(limits), cost)
      return new Receipt<Remembered>(this, { subject, receipt, dues: [] })
    } catch {
      return undefined
    }
  }

  /** Decides alone. `shares` are the limits as `shareOf` makes them, in the same order. */
  take(subject: string, limits: readonly CounterLimit[], shares: readonly CounterLimit[], cost: number): Take {
    const take = this.#used.take(subject, shares, cost)
    if (!take.taken) return take
    // Requests in flight end by themselves: nobody is owed a place.
    const counted = cost > 0 ? limits.filter(({ algorithm }) => algorithm !== 'concurrent') : []
    const dues = this.owe(
      subject,
      counted.map((limit) => ({ limit, amount: cost })),
    )
    return { ...take, receipt: new Receipt<Remembered>(this, { subject, receipt: take.receipt, dues }) }
  }

  /**
   * The end of a request: frees its place, and takes `cost` back. If it was decided on alone, also from what is owed
   * for it, and no more than still counts: none of it where the window has turned.
   */
  end(receipt: unknown, cost: number): void {
    const remembered = spendReceipt<Remembered>(this, receipt)
    if (remembered === undefined) return
    const { subject, dues } = remembered
    const before = this.#standing(subject, dues)
    this.#used.giveBack(remembered.receipt, cost)
    const after = this.#standing(subject, dues)
    dues.forEach((due, index) => {
      const lowered = Math.min(cost, (before[index] ?? NaN) - (after[index] ?? NaN))
      due.amount = Math.max(0, due.amount - lowered)
    })
  }

  owes(subject: string): boolean {
    return this.#debts.has(subject)
  }

  /** Hands over what is owed, as far as it lies in windows that still run; from then on it is the caller's. */
  collect(subject: string): readonly Due[] {
    const due = this.#dueOf(subject)
    this.#debts.delete(subject)
    return due
  }

  /** Takes back what `collect` has handed over and could not be charged. Returns what it is a part of now. */
  owe(subject: string, dues: readonly Due[]): readonly Due[] {
    if (dues.length === 0) return dues
    const debt = this.#debts.get(subject) ?? this.#open(subject)
    return dues.map((due) => {
      const open = debt.get(due.limit.key)
      if (open === undefined) {
        debt.set(due.limit.key, due)
        return due
      }
      open.limit = due.limit
      open.amount += due.amount
      return open
    })
  }

  reset(subject: string): void {
    this.#used.reset(subject)
    this.#debts.delete(subject)
  }

  #open(subject: string): Debt {
    this.#sweepSome()
    const debt: Debt = new Map()
    this.#debts.set(subject, debt)
    return debt
  }

  /** Never more than is remembered: what was let through in a window that has turned is owed no more. */
  #dueOf(subject: string): readonly Due[] {
    const dues = [...(this.#debts.get(subject)?.values() ?? [])]
    const standing = this.#standing(subject, dues)
    dues.forEach((due, index) => (due.amount = Math.min(due.amount, standing[index] ?? NaN)))
    return dues.filter(({ amount }) => amount > 0)
  }

  /** What is remembered and still counts. */
  #standing(subject: string, dues: readonly Due[]): readonly number[] {
    if (dues.length === 0) return []
    const limits = dues.map(({ limit }) => limit)
    return this.#used.peek(subject, limits).map(({ used }) => used)
  }

  /** Two for each that is added, so that those of subjects that never come back do not stay for ever. */
  #sweepSome(): void {
    for (let count = 0; count < 2; count += 1) {
      this.#sweep ??= this.#debts.keys()
      const next: IteratorResult<string, undefined> = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = undefined
        return
      }
      if (this.#dueOf(next.value).length === 0) this.#debts.delete(next.value)
    }
  }
}

const open = new WeakMap<readonly CounterLimit[], readonly CounterLimit[]>()

/** For charging what somebody else has let through: there is always room. */
function withoutCeilings(limits: readonly CounterLimit[]): readonly CounterLimit[] {
  let made = open.get(limits)
  if (made === undefined) {
    made = limits.map((limit) =>
      limit.algorithm === 'gcra' ? { ...limit, burst: Infinity } : { ...limit, requests: Infinity },
    )
    open.set(limits, made)
  }
  return made
}
