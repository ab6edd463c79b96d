import { errors, type JWTVerifyOptions } from 'jose'
import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isBearerAccessToken } from '../access-token-only.js'
import { isBadToken, issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { KeySet, KeySource } from '../keys/key-source.js'
import { digestOf, RememberedTokens, type GoodToken, type RememberLimits } from '../remembered.js'
import { scopesOf } from '../scopes.js'
import type { TokenEngine, VerifiedToken } from '../token-engine.js'
import { wellFormedClaims } from './claims.js'
import { compactJwtReader, type CompactJwt } from './compact-jwt.js'
import { signedClaims } from './signature.js'

export interface JwtVerifierConfig {
  readonly issuer: string
  /** `null`: whoever the token is for. */
  readonly audience: readonly string[] | null
  readonly algorithms: readonly string[]
  readonly clockToleranceSeconds: number
  readonly remember: RememberLimits
}

interface RememberedToken extends GoodToken {
  /** Under which it was verified. */
  readonly keys: KeySet
}

/** Verifies JWTs of one issuer, and remembers those that were good for as long as their keys are in force. */
export class JwtVerifier implements TokenEngine {
  readonly #issuer: string
  readonly #keys: KeySource
  readonly #read: (token: string) => CompactJwt | undefined
  readonly #options: JWTVerifyOptions
  readonly #remembered: RememberedTokens<RememberedToken>

  constructor(config: JwtVerifierConfig, keys: KeySource) {
    this.#issuer = config.issuer
    this.#keys = keys
    this.#read = compactJwtReader(config.algorithms)
    this.#options = {
      issuer: config.issuer,
      algorithms: [...config.algorithms],
      clockTolerance: config.clockToleranceSeconds,
      ...(config.audience && { audience: [...config.audience] }),
    }
    this.#remembered = new RememberedTokens(config.remember)
  }

  verify(token: string): MaybePromise<VerifiedToken | undefined> {
    const digest = digestOf(token)
    const known = this.#remembered.get(digest)
    if (known !== undefined && this.#keys.isFresh(known.keys)) return known.verified
    const jwt = this.#read(token)
    // Nobody's keys are fetched for a token that is not theirs.
    if (jwt === undefined || jwt.payload['iss'] !== this.#issuer) return undefined
    return andThen(this.#keys.current(), (keys) => {
      const still = this.#remembered.get(digest)
      return still?.keys === keys ? still.verified : this.#verifyAfresh(token, digest, jwt, keys)
    })
  }

  async #verifyAfresh(token: string, digest: string, jwt: CompactJwt, first: KeySet) {
    let keys = first
    let signed = await this.#verifyWith(keys, token, jwt)
    if (signed === 'unknown key') {
      keys = await this.#keys.after(first)
      if (keys === first) return undefined
      signed = await this.#verifyWith(keys, token, jwt)
    }
    if (typeof signed === 'string') return undefined
    // Under the keys that verified it: if they changed meanwhile, nobody finds it here.
    this.#remembered.set(digest, token.length, { ...signed, keys })
    return signed.verified
  }

  async #verifyWith(keys: KeySet, token: string, jwt: CompactJwt): Promise<GoodToken | 'bad' | 'unknown key'> {
    try {
      const claims = await signedClaims(token, keys.find, this.#options)
      if (!wellFormedClaims(claims) || !isBearerAccessToken(claims, jwt.explicit)) return 'bad'
      const verified = { issuer: this.#issuer, claims: deepFreeze(claims), scopes: scopesOf(claims) }
      return { verified: Object.freeze(verified), expiresAtMs: claims.exp * 1000 }
    } catch (error) {
      if (isUnknownKey(error, jwt)) return 'unknown key'
      if (isBadToken(error)) return 'bad'
      throw issuerFault(hostOf(this.#issuer), 'its keys cannot be used.', error)
    }
  }
}

/** A token that names no key may have been signed with one that is not here yet: only the signature shows it. */
function isUnknownKey(error: unknown, jwt: CompactJwt): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true
  return !jwt.hasKid && error instanceof errors.JWSSignatureVerificationFailed
}
