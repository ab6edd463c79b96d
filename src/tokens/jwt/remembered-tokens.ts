import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { KeySet } from '../keys/key-source.js'
import type { VerifiedToken } from '../token-engine.js'

export interface RememberLimits {
  /** 0 remembers nothing. */
  readonly entries: number
  readonly bytes: number
}

/** A verified token and the keys under which it was. */
export interface RememberedToken {
  readonly verified: VerifiedToken
  readonly keys: KeySet
  readonly expiresAtMs: number
}

/** What a remembered token takes besides its claims: the digest, the objects and the place in the list. */
const overheadBytes = 512

/** Tokens that were good once, so that the next request with one of them costs no signature. */
export class RememberedTokens {
  readonly #cache: LRUCache<string, RememberedToken> | undefined

  constructor({ entries, bytes }: RememberLimits) {
    this.#cache = entries === 0 ? undefined : new LRUCache({ max: entries, maxSize: bytes })
  }

  /** A digest, so that no token is kept, and of the whole token, so that no two are taken for one. */
  digestOf(token: string): string {
    return hash('sha256', token, 'base64')
  }

  /** Never past the token's `exp`: what a tolerance lets through besides is verified each time. */
  get(digest: string): RememberedToken | undefined {
    const found = this.#cache?.get(digest)
    if (found === undefined || found.expiresAtMs > Date.now()) return found
    this.#cache?.delete(digest)
    return undefined
  }

  /** Claims as objects take about twice the bytes of their text. */
  set(digest: string, tokenBytes: number, remembered: RememberedToken): void {
    this.#cache?.set(digest, remembered, { size: overheadBytes + 2 * tokenBytes })
  }
}
