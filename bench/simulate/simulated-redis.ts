import { Account } from '../../src/limits/account.js'
import type { CounterLimit, Reading } from '../../src/limits/counter.js'
import { firstLayout } from '../../src/limits/layout.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import type { LeaseTerms } from '../../src/limits/redis/lease-server.js'
import type { Grant, LeaseServer, Question, Settlement } from '../../src/limits/redis/leases.js'
import type { World } from './world.js'

/** A server that counts, a network away. Stands in for a Redis and its scripts; what asks it is the real thing. */
export class SimulatedRedis {
  readonly #world: World
  readonly #terms: LeaseTerms
  readonly #counter
  readonly #leases = new Map<string, unknown>()
  isDown: () => boolean = () => false
  trips = 0

  constructor(world: World, terms: LeaseTerms) {
    this.#world = world
    this.#terms = terms
    const clock = (): number => world.nowMs
    this.#counter = memoryCounter({ clock, wallClock: clock })
  }

  connection(): LeaseServer {
    return {
      take: (...parameters) => this.#trip(() => this.#counter.take(...parameters)),
      peek: (...parameters) => this.#trip(() => this.#counter.peek(...parameters)),
      reset: (subject) =>
        this.#trip(() => {
          this.#counter.reset(subject)
        }),
      giveBack: (receipt, cost) =>
        this.#trip(() => {
          this.#counter.giveBack(receipt, cost)
        }),
      returnCharge: () => Promise.reject(new Error('nothing is corrected here')),
      ask: (question) => this.#trip(() => this.#ask(question)),
      settle: (settlement) =>
        this.#trip(() => {
          this.#settle(settlement)
        }),
    }
  }

  async #trip<T>(work: () => T): Promise<T> {
    this.trips += 1
    const wayMs = (): number => 0.2 + this.#world.chance() * 0.6
    await this.#world.after(wayMs())
    if (this.isDown()) throw new Error('down')
    const answer = work()
    await this.#world.after(wayMs())
    return answer
  }

  #ask({ subject, limits, cost, wanted, turn, settled }: Question): Grant {
    if (settled !== undefined) this.#settle(settled)
    const left = Math.min(...this.#counter.peek(subject, limits).map(({ remaining }) => remaining))
    const granted = Math.max(cost, Math.min(wanted, Math.floor(left * this.#terms.share)))
    const { taken, readings, receipt } = this.#counter.take(subject, limits, granted)
    if (taken && granted > cost) this.#leases.set(turn, receipt)
    const { nowMs } = this.#world
    const now = { monotonicMs: nowMs, wallMs: nowMs }
    const lastsMs = Math.min(this.#terms.maxMs, ...readings.map(({ resetMs }) => resetMs))
    return { taken, now, id: '', account: accountAs(limits, readings, nowMs), granted, lastsMs }
  }

  #settle({ turn, unspent }: Settlement): void {
    this.#counter.giveBack(this.#leases.get(turn), Math.min(unspent, Number.MAX_SAFE_INTEGER))
    this.#leases.delete(turn)
  }
}

/** For minutes of the calendar, of which the simulation consists. */
function accountAs(limits: readonly CounterLimit[], readings: readonly Reading[], nowMs: number): Account {
  const account = new Account(firstLayout(limits))
  account.layout.places.forEach(({ at }, index) => {
    const { used = 0, resetMs = 0 } = readings[index] ?? {}
    account.numbers.splice(at, 3, nowMs + resetMs - 60_000, nowMs + resetMs, used)
  })
  return account
}
