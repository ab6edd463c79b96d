import { ClienteleFault } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import { deadline } from '../runtime/deadline.js'
import type { VerifiedToken } from './token-engine.js'

/** A token that was verified, for somebody who keeps a list of those that are not to work any more. */
export interface RevocableToken {
  readonly issuer: string
  readonly claims: Readonly<Record<string, unknown>>
}

export type IsRevoked = (token: RevocableToken) => MaybePromise<boolean>

/** The same, but that it ends, answers with a boolean, and fails with a `ClienteleFault`. */
export type AskRevoked = (token: VerifiedToken) => MaybePromise<boolean>

/** Whoever cannot tell has not said "no": anything but true and false is an outage, and the token waits. */
export function revocationAsker(isRevoked: IsRevoked, timeoutMs: number): AskRevoked {
  return ({ issuer, claims }) => {
    try {
      const answer = isRevoked({ issuer, claims })
      if (!isPromise(answer)) return checked(answer)
      return deadline(Promise.resolve(answer), timeoutMs, () => unknown('took too long')).then(checked, failed)
    } catch (error) {
      return failed(error)
    }
  }
}

function checked(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw unknown('answered neither true nor false')
}

function failed(error: unknown): never {
  throw error instanceof ClienteleFault ? error : unknown('failed', error)
}

function unknown(what: string, cause?: unknown): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_REVOCATION', `isRevoked() ${what}.`, { cause })
}
