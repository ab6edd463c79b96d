import { LRUCache } from 'lru-cache'
import { monotonicClock } from '../../runtime/clock.js'
import { TokenBucket } from '../../runtime/token-bucket.js'
import { issuerFault } from '../issuer-fault.js'
import type { Refreshed } from '../refreshed.js'
import type { KeySet } from './key-source.js'

/** A few at once, since a key may turn right after somebody sent a name that never was. */
const burst = 10
/** And for as long nobody asks again for a name that was just asked for in vain. */
const intervalMs = 5000
const mostWaiting = 1000
const mostMissing = 1000

/**
 * Fetches keys again for tokens whose key is not among them. Whoever sends names that never were must neither
 * flood the issuer nor lock out tokens of a key that has just turned: those wait for the next fetch that may be.
 */
export class UnknownKeys<T extends KeySet> {
  readonly #keys: Refreshed<T>
  readonly #where: string
  readonly #budget = new TokenBucket(burst, intervalMs)
  /** Names that a fetch did not bring, and until when that is believed. */
  readonly #missing = new LRUCache<string, number>({ max: mostMissing })
  #next: Promise<T> | undefined
  #waiting = 0

  constructor(keys: Refreshed<T>, where: string) {
    this.#keys = keys
    this.#where = where
  }

  /** `former`, when there is no other set. */
  async after(former: KeySet, kid: string | undefined): Promise<KeySet> {
    const now = await this.#keys.current()
    if (now !== former) return now
    if (kid !== undefined && monotonicClock() < (this.#missing.get(kid) ?? -Infinity)) return now
    // What is under way began before this token came, so it says "yes" for certain and "no" not yet.
    const underWay = await this.#keys.pending
    if (underWay !== undefined && underWay !== former) return underWay
    const renewed = await this.#join()
    if (renewed === former && kid !== undefined) this.#missing.set(kid, monotonicClock() + intervalMs)
    return renewed
  }

  async #join(): Promise<T> {
    if (this.#waiting >= mostWaiting) {
      const retryAfterSeconds = Math.max(1, this.#budget.waitMs() / 1000)
      throw issuerFault(this.#where, 'busy', 'too many tokens wait for keys that it has not published yet.', {
        retryAfterSeconds,
      })
    }
    this.#waiting++
    try {
      return await (this.#next ??= this.#fetchWhenAllowed())
    } finally {
      this.#waiting--
    }
  }

  /** Nobody joins once it has begun. */
  async #fetchWhenAllowed(): Promise<T> {
    do await pause(this.#budget.waitMs())
    while (!this.#budget.take())
    this.#next = undefined
    return this.#keys.renew()
  }
}

/** A turn at least, in which others may join. */
function pause(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined
}
