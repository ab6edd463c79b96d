import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { monotonicClock } from '../runtime/clock.js'
import { deadline } from '../runtime/deadline.js'
import { BackOff } from './back-off.js'

export interface Lifetimes {
  /** How long a value is taken without asking again. */
  readonly freshSeconds: number
  /** How much longer it is taken while asking fails. */
  readonly staleSeconds: number
}

export interface RefreshedOptions<T> extends Lifetimes {
  /** Must end. */
  readonly load: () => Promise<T>
  /** An equal value stays the old object, so that whatever was derived from it stays good. */
  readonly equal: (a: T, b: T) => boolean
  /** Is told of each attempt that failed, and for how long the old value is still taken. */
  readonly onFailure?: (fault: ClienteleFault, usableSeconds: number) => void
}

interface Held<T> {
  readonly value: T
  readonly loadedAt: number
  /** From this age on it is fetched again while nobody has to wait for it. */
  readonly prefetchAfterMs: number
}

/** How long a request waits for an issuer that failed the last time, while there is an old value to go on with. */
const staleWaitMs = 1000

/**
 * A value that is fetched when it is first needed and again before it is old: one fetch in flight, after a failure
 * a back-off during which nobody asks, and a bounded time on the old value.
 */
export class Refreshed<T extends object> {
  readonly #options: RefreshedOptions<T>
  readonly #freshMs: number
  readonly #usableMs: number
  readonly #backOff = new BackOff()
  #held: Held<T> | undefined
  #pending: Promise<T> | undefined

  constructor(options: RefreshedOptions<T>) {
    this.#options = options
    this.#freshMs = options.freshSeconds * 1000
    this.#usableMs = this.#freshMs + options.staleSeconds * 1000
  }

  /** The value in force, if it is at hand and need not be asked for again. Sees to it in time that it stays so. */
  fresh(): T | undefined {
    if (this.#held === undefined) return undefined
    const age = monotonicClock() - this.#held.loadedAt
    if (age >= this.#freshMs) return undefined
    if (age >= this.#held.prefetchAfterMs && this.#pending === undefined && this.#backOff.leftMs() <= 0) {
      this.renew().catch(nobodyWaits)
    }
    return this.#held.value
  }

  /** The value in force, fetched if need be; a fault when none can be had. */
  current(): MaybePromise<T> {
    const fresh = this.fresh()
    if (fresh !== undefined) return fresh
    const stale = this.#usable()
    if (stale === undefined) return this.renew().catch((fault: unknown) => this.#oldOr(fault))
    if (this.#backOff.leftMs() > 0) return stale
    const { fault: former } = this.#backOff
    const renewal = former === undefined ? this.renew() : deadline(this.renew(), staleWaitMs, () => former)
    return renewal.catch((fault: unknown) => this.#oldOr(fault))
  }

  /** The fetch under way, if there is one. */
  get pending(): Promise<T> | undefined {
    return this.#pending
  }

  /** Fetches now, or joins the fetch under way. Rejects at once while backing off. */
  renew(): Promise<T> {
    if (this.#pending !== undefined) return this.#pending
    const fault = this.#backOff.faultNow()
    return fault === undefined ? this.#load() : Promise.reject(fault)
  }

  /** For people: a fetch that begins after the call, whatever the back-off says. */
  async refresh(): Promise<T> {
    await this.#pending?.catch(nobodyWaits)
    return this.#pending ?? this.#load()
  }

  #load(): Promise<T> {
    const askedAt = monotonicClock()
    this.#pending = this.#options
      .load()
      .then(
        (value) => this.#keep(value, askedAt),
        (error: unknown) => this.#noteFailure(error),
      )
      .finally(() => (this.#pending = undefined))
    return this.#pending
  }

  #keep(value: T, askedAt: number): T {
    const old = this.#held?.value
    const kept = old !== undefined && this.#options.equal(old, value) ? old : value
    // At random, so that many processes that were started together do not come together.
    const prefetchAfterMs = this.#freshMs * (0.75 + Math.random() * 0.15)
    this.#held = { value: kept, loadedAt: askedAt, prefetchAfterMs }
    this.#backOff.succeeded()
    return kept
  }

  #noteFailure(error: unknown): never {
    const fault = asFault(error)
    this.#backOff.failed(fault)
    const leftMs = this.#held === undefined ? 0 : this.#held.loadedAt + this.#usableMs - monotonicClock()
    this.#options.onFailure?.(fault, Math.max(0, leftMs) / 1000)
    throw fault
  }

  #usable(): T | undefined {
    return this.#held !== undefined && monotonicClock() - this.#held.loadedAt < this.#usableMs
      ? this.#held.value
      : undefined
  }

  #oldOr(fault: unknown): T {
    const old = this.#usable()
    if (old === undefined) throw fault
    return old
  }
}

function nobodyWaits(): void {
  // Whoever needs the value asks for it and is told then.
}

function asFault(error: unknown): ClienteleFault {
  if (error instanceof ClienteleFault) return error
  return new ClienteleFault('ERR_CLIENTELE_ISSUER', 'An issuer cannot be asked.', { cause: error })
}
