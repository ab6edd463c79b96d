import { errors, type VerifyOptions } from 'jose'
import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isBearerAccessToken } from '../access-token-only.js'
import { isBadToken, issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { KeySet, KeySource } from '../keys/key-source.js'
import { hasRegisteredTypes, isInForce, type ClaimTerms } from '../registered-claims.js'
import { digestOf, RememberedTokens, type GoodToken, type RememberLimits } from '../remembered.js'
import { scopesOf } from '../scopes.js'
import type { TokenEngine, VerifiedToken } from '../token-engine.js'
import { compactJwtReader, type CompactJwt } from './compact-jwt.js'
import { verifySignature } from './signature.js'

export interface JwtVerifierConfig extends ClaimTerms {
  readonly issuer: string
  readonly algorithms: readonly string[]
  readonly remember: RememberLimits
}

interface RememberedToken extends GoodToken {
  /** Under which it was verified. */
  readonly keys: KeySet
}

/** Verifies JWTs of one issuer, and remembers those that were good for as long as their keys are in force. */
export class JwtVerifier implements TokenEngine {
  readonly #issuer: string
  readonly #terms: ClaimTerms
  readonly #keys: KeySource
  readonly #read: (token: string) => CompactJwt | undefined
  readonly #options: VerifyOptions
  readonly #remembered: RememberedTokens<RememberedToken>

  constructor(config: JwtVerifierConfig, keys: KeySource) {
    this.#issuer = config.issuer
    this.#terms = config
    this.#keys = keys
    this.#read = compactJwtReader(config.algorithms)
    this.#options = { algorithms: [...config.algorithms] }
    this.#remembered = new RememberedTokens(config.remember)
  }

  verify(token: string): MaybePromise<VerifiedToken | undefined> {
    const digest = digestOf(token)
    const known = this.#remembered.get(digest)
    if (known !== undefined && this.#keys.isFresh(known.keys)) return known.verified
    const jwt = this.#read(token)
    // Before any key is fetched or used: what a token says against itself needs no signature.
    if (jwt === undefined || !this.#isOurs(jwt)) return undefined
    return andThen(this.#keys.current(), (keys) => {
      const still = this.#remembered.get(digest)
      return still?.keys === keys ? still.verified : this.#verifyAfresh(token, digest, jwt, keys)
    })
  }

  /** There has to be an end (RFC 9068 §2.2), which a JWT may do without. */
  #isOurs({ payload, explicit }: CompactJwt): boolean {
    return (
      payload['iss'] === this.#issuer &&
      payload['exp'] !== undefined &&
      hasRegisteredTypes(payload) &&
      isInForce(payload, this.#terms) &&
      isBearerAccessToken(payload, explicit)
    )
  }

  /** The road of a good token is one await long. */
  async #verifyAfresh(
    token: string,
    digest: string,
    jwt: CompactJwt,
    keys: KeySet,
  ): Promise<VerifiedToken | undefined> {
    try {
      await verifySignature(token, keys.find, this.#options)
    } catch (error) {
      if (isUnknownKey(error, jwt)) return this.#verifyWithNewKeys(token, digest, jwt, keys)
      return this.#refuse(error)
    }
    return this.#remember(token, digest, jwt, keys)
  }

  async #verifyWithNewKeys(token: string, digest: string, jwt: CompactJwt, former: KeySet) {
    const keys = await this.#keys.after(former)
    if (keys === former) return undefined
    try {
      await verifySignature(token, keys.find, this.#options)
    } catch (error) {
      return isUnknownKey(error, jwt) ? undefined : this.#refuse(error)
    }
    return this.#remember(token, digest, jwt, keys)
  }

  #refuse(error: unknown): VerifiedToken | undefined {
    if (isBadToken(error)) return undefined
    throw issuerFault(hostOf(this.#issuer), 'its keys cannot be used.', error)
  }

  /** Under the keys that verified it: if they changed meanwhile, nobody finds it here. */
  #remember(token: string, digest: string, { payload }: CompactJwt, keys: KeySet): VerifiedToken {
    const claims = deepFreeze(payload)
    const verified = Object.freeze({ issuer: this.#issuer, claims, scopes: scopesOf(payload) })
    this.#remembered.set(digest, token.length, { verified, expiresAtMs: Number(payload['exp']) * 1000, keys })
    return verified
  }
}

/** A token that names no key may have been signed with one that is not here yet: only the signature shows it. */
function isUnknownKey(error: unknown, jwt: CompactJwt): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true
  return !jwt.hasKid && error instanceof errors.JWSSignatureVerificationFailed
}
