import { andThen, isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isAccessToken } from '../access-token-only.js'
import { mistypedClaim, unmetTerm, type ClaimTerms } from '../claim-terms.js'
import { namedClient } from '../client-claim.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { KeySet } from '../keys/key-source.js'
import type { TrustedKeys } from '../keys/trusted-keys.js'
import { bindingOf } from '../proof/binding.js'
import { RememberedTokens, type GoodToken, type RememberLimits } from '../remembered.js'
import { scopesOf } from '../scopes.js'
import { badToken, type TokenReason, type TokenVerdict, type VerifiedToken } from '../token-engine.js'
import type { CompactJwt } from './compact-jwt.js'
import { profiles, type JwtProfile } from './profiles.js'
import { checkSignature, type SignatureVerdict } from './signature.js'

export interface JwtVerifierConfig {
  readonly issuer: string
  readonly algorithms: readonly string[]
  readonly profile: JwtProfile
  /** `undefined`: the usual ones. */
  readonly clientIdClaim: string | undefined
  readonly remember: RememberLimits
}

interface RememberedToken extends GoodToken {
  /** Under which it was verified. */
  readonly keys: KeySet
}

/** Verifies JWTs of one issuer, and remembers those that were good for as long as their keys are in force. */
export class JwtVerifier {
  readonly #config: JwtVerifierConfig
  readonly #algorithms: ReadonlySet<string>
  readonly #keys: TrustedKeys
  readonly #remembered: RememberedTokens<RememberedToken>

  constructor(config: JwtVerifierConfig, keys: TrustedKeys) {
    this.#config = config
    this.#algorithms = new Set(config.algorithms)
    this.#keys = keys
    this.#remembered = new RememberedTokens(config.remember)
  }

  /** A token that was good and whose keys are in force. What a route asks of its claims is the route's affair. */
  recall(digest: string): VerifiedToken | undefined {
    const known = this.#remembered.get(digest)
    return known !== undefined && this.#keys.fresh() === known.keys ? known.verified : undefined
  }

  /** A token whose `iss` is our issuer. */
  verify(jwt: CompactJwt, digest: string, terms: ClaimTerms): MaybePromise<TokenVerdict> {
    // Before any key is fetched or used: what a token says against itself needs no signature.
    const reason = this.#reasonAgainst(jwt, terms)
    if (reason !== undefined) return badToken(reason)
    return andThen(this.#keys.current(), (keys) => {
      const known = this.#remembered.get(digest)
      return known?.keys === keys ? known.verified : this.#verifyUnder(keys, jwt, digest)
    })
  }

  #reasonAgainst({ algorithm, type, payload }: CompactJwt, terms: ClaimTerms): TokenReason | undefined {
    if (!this.#algorithms.has(algorithm)) return 'algorithm'
    const { types, requiredClaims } = profiles[this.#config.profile]
    if (!types.has(type)) return 'type'
    const mistyped = mistypedClaim(payload)
    if (mistyped !== undefined) return `claim:${mistyped}`
    for (const name of requiredClaims) if (!Object.hasOwn(payload, name)) return `claim:${name}`
    return unmetTerm(payload, terms) ?? (isAccessToken(payload, type === 'application/at+jwt') ? undefined : 'type')
  }

  #verifyUnder(keys: KeySet, jwt: CompactJwt, digest: string): MaybePromise<TokenVerdict> {
    return andThen(this.#check(jwt, keys), (signature) => {
      if (signature === 'unknown key') return this.#verifyWithNewKeys(jwt, digest, keys)
      return this.#verdictOf(signature, jwt, digest, keys)
    })
  }

  async #verifyWithNewKeys(jwt: CompactJwt, digest: string, former: KeySet): Promise<TokenVerdict> {
    const keys = await this.#keys.after(former, jwt.kid)
    if (keys === former) return badToken('key')
    return this.#verdictOf(await this.#check(jwt, keys), jwt, digest, keys)
  }

  #check(jwt: CompactJwt, keys: KeySet): MaybePromise<SignatureVerdict> {
    const signature = checkSignature(jwt, keys)
    if (!isPromise(signature)) return signature
    return signature.catch((cause: unknown) => {
      throw issuerFault(hostOf(this.#config.issuer), 'keys', 'its keys cannot be used.', { cause })
    })
  }

  #verdictOf(signature: SignatureVerdict, jwt: CompactJwt, digest: string, keys: KeySet): TokenVerdict {
    if (signature === 'bad') return badToken('signature')
    // Looked at after the check, during which the key may have been called out.
    if (signature === 'unknown key' || !this.#keys.trusts(signature.kid)) return badToken('key')
    return this.#remember(jwt, digest, keys)
  }

  /** Under the keys that verified it: if they changed meanwhile, nobody finds it here. */
  #remember({ token, payload }: CompactJwt, digest: string, keys: KeySet): VerifiedToken {
    const { issuer, clientIdClaim } = this.#config
    const verified = Object.freeze({
      issuer,
      claims: deepFreeze(payload),
      scopes: scopesOf(payload),
      client: namedClient(issuer, payload, clientIdClaim),
      binding: bindingOf(payload),
    })
    this.#remembered.set(digest, token.length, { verified, expiresAtMs: Number(payload['exp']) * 1000, keys })
    return verified
  }
}
