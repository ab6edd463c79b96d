import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { monotonicClock } from '../runtime/clock.js'

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
}

const firstBackOffMs = 1000
const longestBackOffMs = 60_000

/**
 * A value that is fetched when it is first needed and again when it is old: one fetch in flight, after a failure
 * a back-off during which nobody asks, and a bounded time on the old value.
 */
export class Refreshed<T extends object> {
  readonly #options: RefreshedOptions<T>
  readonly #freshMs: number
  readonly #usableMs: number
  #held: { readonly value: T; readonly loadedAt: number } | undefined
  #pending: Promise<T> | undefined
  #failure: { readonly fault: ClienteleFault; readonly count: number; readonly retryAt: number } | undefined

  constructor(options: RefreshedOptions<T>) {
    this.#options = options
    this.#freshMs = options.freshSeconds * 1000
    this.#usableMs = this.#freshMs + options.staleSeconds * 1000
  }

  /** Whether `value` is the one in force and need not be asked for again yet. */
  isFresh(value: T): boolean {
    return value === this.#heldWithin(this.#freshMs)
  }

  /** The value in force, fetched if need be; a fault when none can be had. */
  current(): MaybePromise<T> {
    const atHand = this.#heldWithin(this.#backOffLeftMs() > 0 ? this.#usableMs : this.#freshMs)
    if (atHand !== undefined) return atHand
    return this.renew().catch((fault: unknown) => {
      const old = this.#heldWithin(this.#usableMs)
      if (old === undefined) throw fault
      return old
    })
  }

  /** Fetches now, or joins the fetch under way. Rejects at once while backing off. */
  renew(): Promise<T> {
    if (this.#pending !== undefined) return this.#pending
    const waitMs = this.#backOffLeftMs()
    if (this.#failure !== undefined && waitMs > 0) return Promise.reject(later(this.#failure.fault, waitMs))
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
    this.#held = { value: kept, loadedAt: askedAt }
    this.#failure = undefined
    return kept
  }

  #noteFailure(error: unknown): never {
    const fault = asFault(error)
    const count = (this.#failure?.count ?? 0) + 1
    this.#failure = { fault, count, retryAt: monotonicClock() + backOffMs(count) }
    throw fault
  }

  #heldWithin(ms: number): T | undefined {
    return this.#held !== undefined && monotonicClock() - this.#held.loadedAt < ms ? this.#held.value : undefined
  }

  #backOffLeftMs(): number {
    return this.#failure === undefined ? 0 : this.#failure.retryAt - monotonicClock()
  }
}

/** Doubling, less up to a quarter at random, so that many processes do not come back at once. */
function backOffMs(failures: number): number {
  return Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1)) * (1 - Math.random() / 4)
}

function asFault(error: unknown): ClienteleFault {
  if (error instanceof ClienteleFault) return error
  return new ClienteleFault('ERR_CLIENTELE_ISSUER', 'An issuer cannot be asked.', { cause: error })
}

function later(fault: ClienteleFault, waitMs: number): ClienteleFault {
  return new ClienteleFault(fault.code, fault.message, { cause: fault.cause, retryAfterSeconds: waitMs / 1000 })
}
