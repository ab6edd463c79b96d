import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { VerifiedToken } from './token-engine.js'
import { yesOrNo } from './yes-or-no.js'

/** A token that was verified, for somebody who keeps a list of those that are not to work any more. */
export interface RevocableToken {
  readonly issuer: string
  readonly claims: Readonly<Record<string, unknown>>
}

export type IsRevoked = (token: RevocableToken) => MaybePromise<boolean>

/** The same, but that it ends, answers with a boolean, and fails with a `ClienteleFault`. */
export type AskRevoked = (token: VerifiedToken) => MaybePromise<boolean>

export function revocationAsker(isRevoked: IsRevoked, timeoutMs: number): AskRevoked {
  return yesOrNo(({ issuer, claims }: VerifiedToken) => isRevoked({ issuer, claims }), timeoutMs, unknown)
}

function unknown(what: string, cause?: unknown): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_REVOCATION', `isRevoked() ${what}.`, { cause })
}
