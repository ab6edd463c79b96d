import { expect } from 'vitest'
import type { CounterLimit, Reading } from '../../src/limits/counter.js'

interface Window {
  readonly subject: string
  readonly key: string
  readonly startMs: number
  readonly endMs: number
  forgotten: boolean
  /** The ceilings that were in force when something was charged, beside what was charged then. */
  readonly charges: { amount: number; receipt: number }[]
  highest: number
}

/** Slow and plain: keeps every window and every charge there ever was, and adds up anew each time. */
export class ObviousCounter {
  #nowMs = 0
  #windows: Window[] = []
  #nextReceipt = 0
  readonly #spent = new Set<number>()

  clockSays(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms)
  }

  take(subject: string, limits: readonly CounterLimit[], cost: number) {
    const receipt = this.#nextReceipt++
    const taken = limits.every((limit) => this.#used(subject, limit) + cost <= limit.requests)
    if (taken) {
      for (const limit of limits) {
        const window = this.#running(subject, limit) ?? this.#open(subject, limit)
        window.charges.push({ amount: cost, receipt })
        window.highest = Math.max(window.highest, limit.requests)
      }
    }
    return { taken, readings: this.read(subject, limits), receipt }
  }

  giveBack(receipt: number, cost: number): void {
    if (this.#spent.has(receipt)) return
    this.#spent.add(receipt)
    for (const { charges } of this.#windows) {
      for (const charge of charges) {
        if (charge.receipt === receipt) charge.amount = Math.max(0, charge.amount - cost)
      }
    }
  }

  reset(subject: string): void {
    for (const window of this.#windows) if (window.subject === subject) window.forgotten = true
  }

  read(subject: string, limits: readonly CounterLimit[]): Reading[] {
    return limits.map((limit) => {
      const used = this.#used(subject, limit)
      const window = this.#running(subject, limit)
      return {
        used,
        remaining: Math.max(0, limit.requests - used),
        resetMs: window === undefined ? 0 : window.endMs - this.#nowMs,
      }
    })
  }

  assertNeverOver(): void {
    for (const window of this.#windows) expect(total(window)).toBeLessThanOrEqual(window.highest)
  }

  #running(subject: string, { key }: CounterLimit): Window | undefined {
    return this.#windows.find(
      (window) => !window.forgotten && window.subject === subject && window.key === key && this.#nowMs < window.endMs,
    )
  }

  #used(subject: string, limit: CounterLimit): number {
    const window = this.#running(subject, limit)
    return window === undefined ? 0 : total(window)
  }

  #open(subject: string, { key, windowMs }: CounterLimit): Window {
    const startMs = this.#nowMs
    const window: Window = {
      subject,
      key,
      startMs,
      endMs: startMs + windowMs,
      forgotten: false,
      charges: [],
      highest: 0,
    }
    this.#windows.push(window)
    return window
  }
}

function total(window: Window): number {
  return window.charges.reduce((sum, charge) => sum + charge.amount, 0)
}
