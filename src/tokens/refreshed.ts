import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { monotonicClock } from '../runtime/clock.js'

export interface Lifetimes {
  /** How long a value is taken without asking again. */
  readonly freshSeconds: number
  /** How much longer it is taken while asking fails. */
  readonly staleSeconds: number
}

/** A value that is fetched when it is first needed and again when it is old. */
export interface Refreshed<T> {
  /** The value in force, fetched if need be; a fault when none can be had. */
  current(): MaybePromise<T>
  /** Whether `value` is the one in force and need not be asked for again yet. */
  isFresh(value: T): boolean
  /** Fetches now, or joins the fetch under way. Rejects at once while backing off. */
  renew(): Promise<T>
}

export interface RefreshedOptions<T> extends Lifetimes {
  /** Must end, and reject with a `ClienteleFault` alone. */
  readonly load: () => Promise<T>
  /** An equal value stays the old object, so that whatever was derived from it stays good. */
  readonly equal: (a: T, b: T) => boolean
}

const firstBackOffMs = 1000
const longestBackOffMs = 60_000

/** One fetch in flight; after a failure a back-off, during which nobody asks; a bounded time on the old value. */
export function refreshed<T extends object>(options: RefreshedOptions<T>): Refreshed<T> {
  const freshMs = options.freshSeconds * 1000
  const usableMs = freshMs + options.staleSeconds * 1000
  let held: { value: T; loadedAt: number } | undefined
  let pending: Promise<T> | undefined
  let failure: { fault: ClienteleFault; count: number; retryAt: number } | undefined

  const keep = (value: T, askedAt: number): T => {
    const same = held !== undefined && options.equal(held.value, value) ? held.value : value
    held = { value: same, loadedAt: askedAt }
    failure = undefined
    return same
  }
  const noteFailure = (fault: ClienteleFault): never => {
    const count = (failure?.count ?? 0) + 1
    failure = { fault, count, retryAt: monotonicClock() + backOffMs(count) }
    throw fault
  }
  const load = (): Promise<T> => {
    const askedAt = monotonicClock()
    pending = options
      .load()
      .then((value) => keep(value, askedAt), noteFailure)
      .finally(() => (pending = undefined))
    return pending
  }
  const renew = (): Promise<T> => {
    if (pending !== undefined) return pending
    const waitMs = failure === undefined ? 0 : failure.retryAt - monotonicClock()
    return failure !== undefined && waitMs > 0 ? Promise.reject(later(failure.fault, waitMs)) : load()
  }
  const heldOr = (fault: unknown): T => {
    if (held !== undefined && monotonicClock() - held.loadedAt < usableMs) return held.value
    throw fault
  }

  return {
    isFresh: (value) => value === held?.value && monotonicClock() - held.loadedAt < freshMs,
    current: () => {
      const now = monotonicClock()
      if (held !== undefined && now - held.loadedAt < freshMs) return held.value
      if (failure !== undefined && pending === undefined && now < failure.retryAt) {
        return heldOr(later(failure.fault, failure.retryAt - now))
      }
      return renew().catch(heldOr)
    },
    renew,
  }
}

/** Doubling, less up to a quarter at random, so that many processes do not come back at once. */
function backOffMs(failures: number): number {
  return Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1)) * (1 - Math.random() / 4)
}

function later(fault: ClienteleFault, waitMs: number): ClienteleFault {
  return new ClienteleFault(fault.code, fault.message, { cause: fault.cause, retryAfterSeconds: waitMs / 1000 })
}
