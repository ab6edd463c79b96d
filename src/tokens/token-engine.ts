import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { NamedClient } from './client-claim.js'
import type { Binding } from './proof/binding.js'

/** What is known of a token that is good. Deeply frozen; the token itself is not in it. */
export interface VerifiedToken {
  /** The issuer whose key or whose answer vouches for it, never merely what it says of itself. */
  readonly issuer: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly scopes: readonly string[]
  /** Whom it was issued to, by the claim that this issuer names. */
  readonly client: NamedClient
  /** What it is bound to. Such a token is worth nothing to a mere bearer: a proof has to come with it. */
  readonly binding: Binding | undefined
}

/**
 * Why a token is not good, in one word: for events and logs, never for the caller. `claim:` is followed by the name
 * of the claim that is missing or not as it has to be, and never by its value.
 */
export type TokenReason =
  /** Not three parts in base64url, not JSON, a member twice, a header that asks for what is not understood. */
  | 'malformed'
  /** Not of the shape that this policy takes. */
  | 'format'
  | 'algorithm'
  /** Another kind of token: an ID token, a refresh token, a logout token … */
  | 'type'
  | 'issuer'
  /** Signed with a key that the issuer does not publish, or that is not believed any more. */
  | 'key'
  | 'signature'
  | 'expired'
  | 'not_yet'
  | 'age'
  | 'audience'
  /** Bound to a key or a certificate, and sent without what shows that the sender holds it. */
  | 'bound'
  /** Bound to nothing, where only a bound one is taken. */
  | 'unbound'
  /** Bound to another certificate than the caller has, or the one that he has cannot be read. */
  | 'certificate'
  /** The issuer says so. */
  | 'inactive'
  | 'revoked'
  /** Claims that disagree about the client, or one that is no client ID. */
  | 'client'
  | `claim:${string}`
  | `proof:${ProofFlaw}`

/** What is wrong with a DPoP proof (RFC 9449 §4.3). */
export type ProofFlaw =
  | 'missing'
  | 'several'
  | 'malformed'
  | 'type'
  | 'algorithm'
  /** Private, symmetric, weak, or none. */
  | 'key'
  /** Another one than the token is bound to. */
  | 'binding'
  | 'method'
  | 'address'
  | 'age'
  /** Made for another token: `ath`. */
  | 'token'
  | 'signature'
  | 'nonce'
  | 'replayed'

export interface BadToken {
  readonly reason: TokenReason
}

export type TokenVerdict = VerifiedToken | BadToken

/** Tells whether a token is good. A rejection or a throw is a `ClienteleFault`, and means "I do not know". */
export interface TokenEngine {
  verify(token: string): MaybePromise<TokenVerdict>
}

const badTokens = new Map<TokenReason, BadToken>()

/** Reasons are few: words of ours, and names of claims from options. */
export function badToken(reason: TokenReason): BadToken {
  let bad = badTokens.get(reason)
  if (bad === undefined) {
    bad = Object.freeze({ reason })
    badTokens.set(reason, bad)
  }
  return bad
}

export function isBadToken(verdict: TokenVerdict): verdict is BadToken {
  return 'reason' in verdict
}
