import { calendarWindow } from '../../src/limits/algorithms/calendar-window.js'
import type {
  CalendarCounterLimit,
  ConcurrentCounterLimit,
  CounterLimit,
  GcraCounterLimit,
  WindowCounterLimit,
} from '../../src/limits/counter.js'
import type { Moment } from '../../src/limits/account.js'

/** Slow and plain: keeps every charge there ever was, and adds up anew each time. */
export interface ObviousLimit {
  used(limit: CounterLimit, now: Moment): number
  charge(limit: CounterLimit, now: Moment, cost: number, receipt: number): void
  /** What may be given back at the most, where that is for the counter to choose. */
  mayGiveBack?(limit: CounterLimit, now: Moment, receipt: number, cost: number): number
  giveBack(limit: CounterLimit, now: Moment, receipt: number, cost: number): void
  /** What was promised, told without looking at how it is counted. */
  holds(): boolean
}

interface Charge {
  readonly receipt: number
  amount: number
}

const sum = (charges: readonly Charge[]): number => charges.reduce((total, { amount }) => total + amount, 0)

interface Window {
  readonly startMs: number
  readonly endMs: number
  readonly charges: Charge[]
  highest: number
}

/** Windows one after the other: `fixed`, and `calendar` with its rule for a clock that is set. */
abstract class ObviousWindows<L extends CounterLimit> implements ObviousLimit {
  readonly windows: Window[] = []

  protected abstract isOver(window: Window, now: Moment): boolean
  protected abstract open(limit: L, now: Moment): { startMs: number; endMs: number }

  running(now: Moment): Window | undefined {
    const last = this.windows.at(-1)
    return last === undefined || this.isOver(last, now) ? undefined : last
  }

  used(_limit: CounterLimit, now: Moment): number {
    return sum(this.running(now)?.charges ?? [])
  }

  charge(limit: CounterLimit, now: Moment, amount: number, receipt: number): void {
    let window = this.running(now)
    if (window === undefined) {
      window = { ...this.open(limit as L, now), charges: [], highest: 0 }
      this.windows.push(window)
    }
    window.charges.push({ receipt, amount })
    window.highest = Math.max(window.highest, limit.requests)
  }

  giveBack(_limit: CounterLimit, _now: Moment, receipt: number, cost: number): void {
    for (const { charges } of this.windows) {
      for (const charge of charges) if (charge.receipt === receipt) charge.amount = Math.max(0, charge.amount - cost)
    }
  }

  holds(): boolean {
    return this.windows.every(({ charges, highest }) => sum(charges) <= highest)
  }
}

class ObviousFixed extends ObviousWindows<WindowCounterLimit> {
  protected isOver({ endMs }: Window, { monotonicMs }: Moment): boolean {
    return monotonicMs >= endMs
  }

  protected open({ windowMs }: WindowCounterLimit, { monotonicMs }: Moment) {
    return { startMs: monotonicMs, endMs: monotonicMs + windowMs }
  }
}

class ObviousCalendar extends ObviousWindows<CalendarCounterLimit> {
  protected isOver({ startMs, endMs }: Window, { wallMs }: Moment): boolean {
    return wallMs >= endMs || wallMs < startMs - (endMs - startMs)
  }

  protected open({ unit, timeZone }: CalendarCounterLimit, { wallMs }: Moment) {
    return calendarWindow(unit, timeZone, wallMs)
  }
}

class ObviousSliding extends ObviousWindows<WindowCounterLimit> {
  protected isOver({ endMs }: Window, { monotonicMs }: Moment): boolean {
    return monotonicMs >= endMs
  }

  protected open({ windowMs }: WindowCounterLimit, { monotonicMs }: Moment) {
    const last = this.windows.at(-1)
    const startMs = last !== undefined && monotonicMs < last.endMs + windowMs ? last.endMs : monotonicMs
    return { startMs, endMs: startMs + windowMs }
  }

  /** Of each cell, the part of its length that lies in the window before now. */
  override used(limit: CounterLimit, { monotonicMs }: Moment): number {
    const { windowMs } = limit as WindowCounterLimit
    return this.windows.reduce((total, { startMs, endMs, charges }) => {
      const running = monotonicMs >= startMs && monotonicMs < endMs
      const left = running ? 1 : Math.max(0, endMs - (monotonicMs - windowMs)) / windowMs
      return total + sum(charges) * left
    }, 0)
  }
}

class ObviousGcra implements ObviousLimit {
  /** Every change of the bucket, in order. */
  readonly #events: { atMs: number; amount: number; receipt: number; perMs: number; burst: number }[] = []
  #held = true

  used(limit: CounterLimit, now: Moment): number {
    return this.#levels(limit as GcraCounterLimit, now.monotonicMs).at(-1)?.before ?? 0
  }

  charge(limit: CounterLimit, { monotonicMs }: Moment, amount: number, receipt: number): void {
    this.#add(limit as GcraCounterLimit, monotonicMs, amount, receipt)
    this.#held &&= this.used(limit, { monotonicMs, wallMs: 0 }) <= (limit as GcraCounterLimit).burst + 1e-9
  }

  /**
   * Had it been charged less from the start, there would now be less by as much as ever stood there at the least
   * since. More would let others through who have no room.
   */
  mayGiveBack(limit: CounterLimit, now: Moment, receipt: number, cost: number): number {
    const charged = this.#events.findIndex((event) => event.receipt === receipt && event.amount > 0)
    if (charged === -1) return 0
    const since = this.#levels(limit as GcraCounterLimit, now.monotonicMs).slice(charged + 1)
    return Math.min(cost, this.#events[charged]?.amount ?? 0, ...since.flatMap(({ before, after }) => [before, after]))
  }

  giveBack(limit: CounterLimit, { monotonicMs }: Moment, receipt: number, cost: number): void {
    this.#add(limit as GcraCounterLimit, monotonicMs, -cost, receipt)
  }

  holds(): boolean {
    return this.#held
  }

  #add({ requests, windowMs, burst }: GcraCounterLimit, atMs: number, amount: number, receipt: number): void {
    this.#events.push({ atMs, amount, receipt, perMs: requests / windowMs, burst })
  }

  /** What stood there right before and after each event, and now. What ran off between two went at the later one's rate. */
  #levels({ requests, windowMs }: GcraCounterLimit, nowMs: number): { before: number; after: number }[] {
    let [level, atMs] = [0, 0]
    return [...this.#events, { atMs: nowMs, amount: 0, perMs: requests / windowMs }].map((event) => {
      const before = Math.max(0, level - (event.atMs - atMs) * event.perMs)
      level = Math.max(0, before + event.amount)
      atMs = event.atMs
      return { before, after: level }
    })
  }
}

class ObviousConcurrent implements ObviousLimit {
  readonly #requests: { readonly startMs: number; readonly receipt: number; over: boolean }[] = []
  #held = true

  used(limit: CounterLimit, { monotonicMs }: Moment): number {
    const { maxAgeMs } = limit as ConcurrentCounterLimit
    return this.#requests.filter(({ startMs, over }) => !over && monotonicMs - startMs < maxAgeMs).length
  }

  charge(limit: CounterLimit, now: Moment, _cost: number, receipt: number): void {
    this.#requests.push({ startMs: now.monotonicMs, receipt, over: false })
    this.#held &&= this.used(limit, now) <= limit.requests
  }

  giveBack(_limit: CounterLimit, _now: Moment, receipt: number): void {
    for (const request of this.#requests) if (request.receipt === receipt) request.over = true
  }

  holds(): boolean {
    return this.#held
  }
}

export function obviousLimit({ algorithm }: CounterLimit): ObviousLimit {
  const make = {
    fixed: ObviousFixed,
    calendar: ObviousCalendar,
    sliding: ObviousSliding,
    gcra: ObviousGcra,
    concurrent: ObviousConcurrent,
  }[algorithm]
  return new make()
}

/** What a limit is full at, and what a request takes of it. */
export function ceilingOf(limit: CounterLimit): number {
  return limit.algorithm === 'gcra' ? limit.burst : limit.requests
}

export function weightOn(limit: CounterLimit, cost: number): number {
  return limit.algorithm === 'concurrent' ? 1 : cost
}
