import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { VerifiedToken } from './token-engine.js'

export interface RememberLimits {
  /** 0 remembers nothing. */
  readonly entries: number
  readonly bytes: number
}

/** A token that was good, and until when it can be. */
export interface GoodToken {
  readonly verified: VerifiedToken
  /** Its `exp`; Infinity where it has none. */
  readonly expiresAtMs: number
}

/** A digest, so that no token is kept, and of the whole token, so that no two are taken for one. */
export function digestOf(token: string): string {
  return hash('sha256', token, 'base64')
}

/** What a remembered token takes besides its claims: the digest, the objects and the place in the list. */
const overheadBytes = 512

/** Tokens that were good once, by their digests, so that the next request with one of them costs no work. */
export class RememberedTokens<T extends GoodToken> {
  readonly #cache: LRUCache<string, T> | undefined

  constructor({ entries, bytes }: RememberLimits) {
    this.#cache = entries === 0 ? undefined : new LRUCache<string, T>({ max: entries, maxSize: bytes })
  }

  /** Never past the token's `exp`: what a tolerance lets through besides is looked at each time. */
  get(digest: string): T | undefined {
    const found = this.#cache?.get(digest)
    if (found === undefined || found.expiresAtMs > Date.now()) return found
    this.#cache?.delete(digest)
    return undefined
  }

  /** Claims as objects take about twice the bytes of their text. */
  set(digest: string, textBytes: number, good: T): void {
    this.#cache?.set(digest, good, { size: overheadBytes + 2 * textBytes })
  }

  delete(digest: string): void {
    this.#cache?.delete(digest)
  }
}
