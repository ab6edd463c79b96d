import { andThenWith, isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import { monotonicClock } from '../../runtime/clock.js'
import { fingerprint } from '../../runtime/fingerprint.js'
import { TokenBucket } from '../../runtime/token-bucket.js'
import { unmetTerm, type ClaimTerms } from '../claim-terms.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { RememberLimits } from '../remembered.js'
import { badToken, isBadToken, type TokenVerdict } from '../token-engine.js'
import { AnswerMemory } from './answer-memory.js'
import type { Ask } from './ask.js'
import type { Answer } from './read-answer.js'
import { checkAnswer, type AnswerTerms } from './check-answer.js'
import type { SharedAnswers } from './shared-answers.js'

export interface IntrospectorConfig extends AnswerTerms {
  /** How long a good answer is taken without asking again; never past `exp`. */
  readonly maxAgeSeconds: number
  /** How long at least, where the answer itself wants less. */
  readonly minAgeSeconds: number
  /** The same for a bad one: short, since a token may be asked about before the server knows it. */
  readonly inactiveMaxAgeSeconds: number
  /** How much longer a good answer is taken while nobody can be asked. */
  readonly staleAnswerSeconds: number
  readonly remember: RememberLimits
  /** Questions under way at one time; who comes after them is told to come back. */
  readonly concurrent: number
  /** Tokens that turn out to be nobody's, a second; ten times as many at once. */
  readonly inactivePerSecond: number
}

/** Asks the server about each token once in a while, and once for all who come with it meanwhile. */
export class Introspector {
  readonly #config: IntrospectorConfig
  readonly #ask: Ask
  readonly #shared: SharedAnswers | undefined
  readonly #memory: AnswerMemory
  readonly #inactive: TokenBucket
  readonly #asking = new Map<string, Promise<TokenVerdict>>()

  constructor(config: IntrospectorConfig, ask: Ask, shared?: SharedAnswers) {
    this.#config = config
    this.#ask = ask
    this.#shared = shared
    this.#memory = new AnswerMemory(config.remember, config.staleAnswerSeconds)
    this.#inactive = new TokenBucket(10 * config.inactivePerSecond, 1000 / config.inactivePerSecond)
  }

  verify(token: string, terms: ClaimTerms): MaybePromise<TokenVerdict> {
    // Keyed: an opaque token may be short enough to be guessed from its digest.
    const key = fingerprint(token)
    const verdict = this.#memory.find(key) ?? this.#asking.get(key) ?? this.#askUnlessBusy(key, token)
    return isPromise(verdict) ? andThenWith(verdict, meetTerms, terms) : meetTerms(verdict, terms)
  }

  /** A flood of tokens that nobody knows must neither drown the server nor use up our sockets. */
  #askUnlessBusy(key: string, token: string): MaybePromise<TokenVerdict> {
    const { issuer, concurrent, inactivePerSecond } = this.#config
    if (this.#asking.size >= concurrent) {
      throw issuerFault(hostOf(issuer), 'busy', `it is being asked about ${concurrent} tokens already.`)
    }
    const waitMs = this.#inactive.waitMs()
    if (waitMs > 0) {
      throw issuerFault(hostOf(issuer), 'busy', `it knows none of more than ${inactivePerSecond} tokens a second.`, {
        retryAfterSeconds: Math.max(1, waitMs / 1000),
      })
    }
    return this.#askOnce(key, token)
  }

  /** Belongs to no request: whoever goes away leaves the answer to the others. */
  #askOnce(key: string, token: string): Promise<TokenVerdict> {
    const asking = this.#answer(key, token)
      .catch((cause: unknown) => {
        const stale = this.#memory.findStale(key)
        if (stale !== undefined) return stale
        const { issuer } = this.#config
        throw issuerFault(hostOf(issuer), 'answer', 'its answer to a token introspection is none.', { cause })
      })
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  async #answer(key: string, token: string): Promise<TokenVerdict> {
    const shared = await this.#shared?.find(token)
    if (shared !== undefined && shared.ageMs < this.#lifetimeMsOf(shared)) {
      return this.#keep(key, shared, monotonicClock() - shared.ageMs)
    }
    const askedAt = monotonicClock()
    const answer = await this.#ask(token)
    const verdict = this.#keep(key, answer, askedAt)
    if (isBadToken(verdict)) this.#inactive.take()
    this.#shared?.keep(token, answer, this.#lifetimeMsOf(answer))
    return verdict
  }

  /** From the moment of asking on, which is as old as the answer can be. A fault comes by here never. */
  #keep(key: string, answer: Answer, askedAt: number): TokenVerdict {
    const checked = checkAnswer(answer.members, this.#config)
    this.#memory.keep(key, checked, askedAt + this.#lifetimeMsOf(answer))
    return 'reason' in checked ? checked : checked.verified
  }

  #lifetimeMsOf({ members, maxAgeSeconds }: Answer): number {
    const { maxAgeSeconds: most, minAgeSeconds: least, inactiveMaxAgeSeconds } = this.#config
    const seconds = members['active'] === true ? Math.min(most, Math.max(least, maxAgeSeconds ?? most)) : undefined
    return (seconds ?? inactiveMaxAgeSeconds) * 1000
  }
}

function meetTerms(verdict: TokenVerdict, terms: ClaimTerms): TokenVerdict {
  if (isBadToken(verdict)) return verdict
  const reason = unmetTerm(verdict.claims, terms)
  return reason === undefined ? verdict : badToken(reason)
}
