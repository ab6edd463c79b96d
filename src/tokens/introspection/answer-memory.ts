import { LRUCache } from 'lru-cache'
import { monotonicClock } from '../../runtime/clock.js'
import { RememberedTokens, type GoodToken, type RememberLimits } from '../remembered.js'
import type { BadToken, TokenVerdict, VerifiedToken } from '../token-engine.js'

interface Kept {
  /** On the monotonic clock. */
  readonly until: number
}

/** What was answered, for as long as it is taken without asking again. */
export class AnswerMemory {
  readonly #good: RememberedTokens<GoodToken & Kept>
  /** Of its own, so that a flood of bad tokens pushes out no good answer. */
  readonly #bad: LRUCache<string, Kept & { readonly bad: BadToken }> | undefined
  readonly #staleMs: number

  constructor(limits: RememberLimits, staleSeconds: number) {
    this.#good = new RememberedTokens(limits)
    this.#bad = limits.entries === 0 ? undefined : new LRUCache({ max: limits.entries })
    this.#staleMs = staleSeconds * 1000
  }

  find(key: string): TokenVerdict | undefined {
    const now = monotonicClock()
    const good = this.#good.get(key)
    if (good !== undefined && now < good.until) return good.verified
    const bad = this.#bad?.get(key)
    return bad !== undefined && now < bad.until ? bad.bad : undefined
  }

  /** A good answer that is old, for while nobody can be asked; never past `exp`. */
  findStale(key: string): VerifiedToken | undefined {
    if (this.#staleMs === 0) return undefined
    const good = this.#good.get(key)
    return good !== undefined && monotonicClock() < good.until + this.#staleMs ? good.verified : undefined
  }

  /** `until`: on the monotonic clock. */
  keep(key: string, answer: GoodToken | BadToken, until: number): void {
    if ('reason' in answer) {
      this.#good.delete(key)
      this.#bad?.set(key, { until, bad: answer })
      return
    }
    this.#bad?.delete(key)
    this.#good.set(key, JSON.stringify(answer.verified.claims).length, { ...answer, until })
  }
}
