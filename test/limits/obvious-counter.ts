import { expect } from 'vitest'
import type { Moment } from '../../src/limits/account.js'
import type { CounterLimit, Reading } from '../../src/limits/counter.js'
import { ceilingOf, obviousLimit, weightOn, type ObviousLimit } from './obvious-limits.js'

interface Charged {
  readonly subject: string
  readonly limits: readonly { readonly limit: CounterLimit; readonly count: ObviousLimit }[]
  readonly cost: number
}

/** All limits of all subjects, each counted the slow way. */
export class ObviousCounter {
  readonly #now = { monotonicMs: 0, wallMs: 0 }
  readonly #counts = new Map<string, ObviousLimit>()
  readonly #forgotten: ObviousLimit[] = []
  readonly #charged: (Charged | undefined)[] = []

  clocksSay({ monotonicMs, wallMs }: Moment): void {
    this.#now.monotonicMs = Math.max(this.#now.monotonicMs, monotonicMs)
    this.#now.wallMs = wallMs
  }

  used(subject: string, limits: readonly CounterLimit[]): number[] {
    return limits.map((limit) => this.#count(subject, limit).used(limit, this.#now))
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number): { taken: boolean; receipt: number } {
    const used = this.used(subject, limits)
    const taken = limits.every((limit, index) => (used[index] ?? NaN) + weightOn(limit, cost) <= ceilingOf(limit))
    const receipt = this.#charged.length
    const counts = limits.map((limit) => ({ limit, count: this.#count(subject, limit) }))
    if (taken) for (const { limit, count } of counts) count.charge(limit, this.#now, cost, receipt)
    this.#charged.push(taken ? { subject, limits: counts, cost } : undefined)
    return { taken, receipt }
  }

  /** `difference` says what the counter under test has taken off each limit, as far as that is for it to choose. */
  giveBack(receipt: number, cost: number, difference: (subject: string, limit: CounterLimit) => number): void {
    const charged = this.#charged[receipt]
    this.#charged[receipt] = undefined
    if (charged === undefined) return
    const back = Math.min(cost, charged.cost)
    for (const { limit, count } of charged.limits) {
      const most = count.mayGiveBack?.(limit, this.#now, receipt, back)
      if (most === undefined) {
        count.giveBack(limit, this.#now, receipt, back)
      } else if (this.#counts.get(keyOf(charged.subject, limit)) === count) {
        const given = difference(charged.subject, limit)
        expect(given).toBeGreaterThanOrEqual(0)
        expect(given).toBeLessThanOrEqual(most + 1e-9)
        count.giveBack(limit, this.#now, receipt, given)
      }
    }
  }

  reset(subject: string): void {
    for (const [key, count] of this.#counts) {
      if (!key.startsWith(`${subject} `) || key.endsWith(' concurrent')) continue
      this.#counts.delete(key)
      this.#forgotten.push(count)
    }
  }

  /** That a wait is as long as it has to be: no shorter, and no longer where time alone makes room. */
  expectWait(subject: string, limit: CounterLimit, cost: number, { waitMs }: Reading): void {
    const count = this.#count(subject, limit)
    const weight = weightOn(limit, cost)
    const fits = (laterMs: number): boolean => {
      const { monotonicMs, wallMs } = this.#now
      const later = { monotonicMs: monotonicMs + laterMs, wallMs: wallMs + laterMs }
      return count.used(limit, later) + weight <= ceilingOf(limit) + 1e-9
    }
    if (fits(0)) expect(waitMs).toBeLessThan(1e-6)
    else if (weight > ceilingOf(limit)) expect(waitMs).toBe(Infinity)
    else if (limit.algorithm === 'concurrent') expect(waitMs).toBe(1)
    else expect([waitMs, fits(waitMs - 0.01), fits(waitMs)]).toEqual([waitMs, false, true])
  }

  assertHolds(): void {
    for (const count of [...this.#counts.values(), ...this.#forgotten]) expect(count.holds()).toBe(true)
  }

  #count(subject: string, limit: CounterLimit): ObviousLimit {
    const key = keyOf(subject, limit)
    let count = this.#counts.get(key)
    if (count === undefined) {
      count = obviousLimit(limit)
      this.#counts.set(key, count)
    }
    return count
  }
}

function keyOf(subject: string, { key }: CounterLimit): string {
  return `${subject} ${key}`
}
