import { createHmac } from 'node:crypto'
import { deadline } from '../../runtime/deadline.js'
import { isObject, type JsonObject } from '../json-object.js'
import type { Answer } from './read-answer.js'
import { open, seal } from './sealed.js'

/** As much of a Keyv as is needed here; a map with times to live. */
export interface KeyvLike {
  get(key: string): Promise<unknown>
  set(key: string, value: string, ttlMs: number): Promise<unknown>
}

interface SharedAnswer extends Answer {
  readonly ageMs: number
}

/** A cache that takes longer is slower than asking. */
const patienceMs = 250
/** By how much the clocks of our own machines may differ. */
const clockSkewMs = 5000

/**
 * Answers that several processes share. Keys and entries say nothing to whoever can read the store, and whoever can
 * write to it cannot make a token good: entries are sealed for their own key. What fails here costs a question.
 */
export class SharedAnswers {
  readonly #store: KeyvLike
  readonly #secret: string
  readonly #scope: string
  readonly #failed: (reason: string) => void

  /** `scope` says who was asked as whom: answers to others are not ours. */
  constructor(store: KeyvLike, secret: string, scope: string, failed: (reason: string) => void) {
    this.#store = store
    this.#secret = secret
    this.#scope = scope
    this.#failed = failed
  }

  async find(token: string): Promise<SharedAnswer | undefined> {
    const key = this.#keyOf(token)
    try {
      const sealed = await deadline(this.#store.get(key), patienceMs, () => new Error('late'))
      if (sealed === undefined || sealed === null) return undefined
      const text = typeof sealed === 'string' ? open(sealed, key, this.#secret) : undefined
      if (text === undefined) this.#failed('an entry is not ours')
      return text === undefined ? undefined : answerOf(JSON.parse(text))
    } catch {
      this.#failed('it cannot be read')
      return undefined
    }
  }

  /** In the background. `ttlMs`: for how long it is worth keeping. */
  keep(token: string, { members, maxAgeSeconds }: Answer, ttlMs: number): void {
    if (ttlMs <= 0) return
    const key = this.#keyOf(token)
    const entry = JSON.stringify({ members, maxAgeSeconds, askedAt: Date.now() })
    void this.#write(key, seal(entry, key, this.#secret), ttlMs)
  }

  async #write(key: string, sealed: string, ttlMs: number): Promise<void> {
    try {
      await this.#store.set(key, sealed, ttlMs)
    } catch {
      this.#failed('it cannot be written')
    }
  }

  #keyOf(token: string): string {
    const digest = createHmac('sha256', this.#secret)
      .update(JSON.stringify([this.#scope, token]))
      .digest('base64url')
    return `clientele:introspection:${digest}`
  }
}

/** Nothing else is ever sealed; an entry of another version is a miss. */
function answerOf(entry: unknown): SharedAnswer | undefined {
  if (!isObject(entry)) return undefined
  const { members, maxAgeSeconds, askedAt } = entry as {
    members?: JsonObject
    maxAgeSeconds?: number
    askedAt?: number
  }
  if (!isObject(members) || typeof askedAt !== 'number') return undefined
  const ageMs = Date.now() - askedAt
  // From the future: nobody knows how old it is.
  return ageMs < -clockSkewMs ? undefined : { members, maxAgeSeconds, ageMs: Math.max(0, ageMs) }
}
