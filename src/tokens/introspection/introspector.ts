import { LRUCache } from 'lru-cache'
import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { monotonicClock } from '../../runtime/clock.js'
import { fingerprint } from '../../runtime/fingerprint.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import { RememberedTokens, type GoodToken, type RememberLimits } from '../remembered.js'
import type { TokenEngine, VerifiedToken } from '../token-engine.js'
import type { Ask } from './ask.js'
import { checkAnswer, type AnswerTerms } from './check-answer.js'

export interface IntrospectorConfig extends AnswerTerms {
  /** How long a good answer is taken without asking again; never past `exp`. */
  readonly maxAgeSeconds: number
  /** The same for a bad one: short, since a token may be asked about before the server knows it. */
  readonly inactiveMaxAgeSeconds: number
  readonly remember: RememberLimits
}

interface KeptAnswer extends GoodToken {
  readonly until: number
}

/** Questions under way at one time; who comes after them is told to come back. */
const mostAsked = 100

/** Asks the server about each token once in a while, and once for all who come with it meanwhile. */
export class Introspector implements TokenEngine {
  readonly #config: IntrospectorConfig
  readonly #ask: Ask
  readonly #good: RememberedTokens<KeptAnswer>
  /** Of its own, so that a flood of bad tokens pushes out no good answer. */
  readonly #bad: LRUCache<string, { readonly until: number }> | undefined
  readonly #asking = new Map<string, Promise<VerifiedToken | undefined>>()

  constructor(config: IntrospectorConfig, ask: Ask) {
    this.#config = config
    this.#ask = ask
    const { entries } = config.remember
    this.#good = new RememberedTokens(config.remember)
    this.#bad = entries === 0 ? undefined : new LRUCache({ max: entries })
  }

  verify(token: string): MaybePromise<VerifiedToken | undefined> {
    // Keyed: an opaque token may be short enough to be guessed from its digest.
    const key = fingerprint(token)
    const now = monotonicClock()
    const good = this.#good.get(key)
    if (good !== undefined && now < good.until) return good.verified
    const bad = this.#bad?.get(key)
    if (bad !== undefined && now < bad.until) return undefined
    return this.#asking.get(key) ?? this.#askUnlessBusy(key, token, now)
  }

  /** A flood of tokens that nobody knows must neither drown the server nor use up our sockets. */
  #askUnlessBusy(key: string, token: string, now: number): Promise<VerifiedToken | undefined> {
    if (this.#asking.size < mostAsked) return this.#askOnce(key, token, now)
    throw issuerFault(hostOf(this.#config.issuer), `it is being asked about ${mostAsked} tokens already.`)
  }

  /** Belongs to no request: whoever goes away leaves the answer to the others. */
  #askOnce(key: string, token: string, askedAt: number): Promise<VerifiedToken | undefined> {
    const asking = this.#ask(token)
      .then((answer) => this.#keep(key, askedAt, answer && checkAnswer(answer, this.#config)))
      .catch((error: unknown) => {
        throw issuerFault(hostOf(this.#config.issuer), 'its answer to a token introspection is none.', error)
      })
      .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  /** From the moment of asking on, which is as old as the answer can be. A fault comes by here never. */
  #keep(key: string, askedAt: number, good: GoodToken | undefined): VerifiedToken | undefined {
    if (good === undefined) {
      this.#good.delete(key)
      this.#bad?.set(key, { until: askedAt + this.#config.inactiveMaxAgeSeconds * 1000 })
      return undefined
    }
    const until = askedAt + this.#config.maxAgeSeconds * 1000
    this.#good.set(key, JSON.stringify(good.verified.claims).length, { ...good, until })
    return good.verified
  }
}
