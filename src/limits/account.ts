import { cellWidth } from './algorithms/algorithm.js'
import { algorithms } from './algorithms/table.js'
import type { CounterLimit, Reading } from './counter.js'

/** What one subject has used, as plain numbers: `cellWidth` of them for each key, in the order of `keys`. */
export class Account {
  /** From here on nothing in it counts any more. */
  endsAtMs = -Infinity
  #keys: readonly string[]
  readonly #cells: number[] = []

  constructor(limits: readonly CounterLimit[]) {
    this.#keys = keysOf(limits)
    for (const limit of limits) this.#cells.push(...algorithms[limit.algorithm].empty)
  }

  hasRoom(limits: readonly CounterLimit[], cost: number, nowMs: number): boolean {
    for (let index = 0; index < limits.length; index += 1) {
      const limit = limits[index] as CounterLimit
      // This way round, so that a NaN on either side is "no".
      const fits = this.#used(index, limit, nowMs) + cost <= limit.requests
      if (!fits) return false
    }
    return true
  }

  charge(limits: readonly CounterLimit[], cost: number, nowMs: number): void {
    for (let index = 0; index < limits.length; index += 1) {
      const limit = limits[index] as CounterLimit
      const algorithm = algorithms[limit.algorithm]
      const at = this.#cellOf(index, limit)
      algorithm.charge(this.#cells, at, limit, nowMs, cost)
      const endsAtMs = algorithm.endsAtMs(this.#cells, at, limit)
      if (endsAtMs > this.endsAtMs) this.endsAtMs = endsAtMs
    }
  }

  read(limits: readonly CounterLimit[], nowMs: number): Reading[] {
    const readings: Reading[] = []
    for (let index = 0; index < limits.length; index += 1) {
      const limit = limits[index] as CounterLimit
      const used = this.#used(index, limit, nowMs)
      const endsAtMs = algorithms[limit.algorithm].endsAtMs(this.#cells, this.#cellOf(index, limit), limit)
      readings.push({
        used,
        remaining: Math.max(0, limit.requests - used),
        resetMs: Math.max(0, endsAtMs - nowMs),
      })
    }
    return readings
  }

  giveBack(limits: readonly CounterLimit[], cost: number, chargedAtMs: number): void {
    for (let index = 0; index < limits.length; index += 1) {
      const limit = limits[index] as CounterLimit
      algorithms[limit.algorithm].giveBack(this.#cells, this.#cellOf(index, limit), chargedAtMs, cost)
    }
  }

  #used(index: number, limit: CounterLimit, nowMs: number): number {
    return algorithms[limit.algorithm].used(this.#cells, this.#cellOf(index, limit), limit, nowMs)
  }

  /** Looks in the same place first: a search is needed only when a subject has changed its tier. */
  #cellOf(index: number, limit: CounterLimit): number {
    const keys = this.#keys
    if (keys[index] === limit.key) return index * cellWidth
    const found = keys.indexOf(limit.key)
    if (found !== -1) return found * cellWidth
    this.#keys = [...keys, limit.key]
    this.#cells.push(...algorithms[limit.algorithm].empty)
    return keys.length * cellWidth
  }
}

const knownKeys = new WeakMap<readonly CounterLimit[], readonly string[]>()

/** One list of keys for all subjects of a tier. */
function keysOf(limits: readonly CounterLimit[]): readonly string[] {
  let keys = knownKeys.get(limits)
  if (keys === undefined) {
    keys = limits.map((limit) => limit.key)
    knownKeys.set(limits, keys)
  }
  return keys
}
