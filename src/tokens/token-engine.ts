import type { MaybePromise } from '../decisions/maybe-promise.js'

/** What is known of a token that is good. Deeply frozen; the token itself is not in it. */
export interface VerifiedToken {
  /** The issuer whose key or whose answer vouches for it, never merely what it says of itself. */
  readonly issuer: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly scopes: readonly string[]
}

/**
 * Tells whether a token is good. `undefined` means "no", for whatever reason; a rejection or a throw is always
 * a `ClienteleFault` and means "I do not know". One engine serves every policy of the same configuration.
 */
export interface TokenEngine {
  verify(token: string): MaybePromise<VerifiedToken | undefined>
}
