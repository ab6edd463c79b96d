import { errors } from 'jose'
import { ClienteleFault } from '../decisions/faults.js'
import { FetchTrouble } from '../runtime/bounded-fetch.js'

/** What can be wrong with an issuer, in one word. */
export type IssuerTrouble =
  | 'unreachable'
  | 'timeout'
  | 'redirected'
  | 'too_large'
  /** It answers with a status that is no answer. */
  | 'status'
  /** It asks us to come back later. */
  | 'throttled'
  /** It answers what cannot be read, or cannot be meant. */
  | 'answer'
  /** It does not know us, or does not let us ask. */
  | 'credentials'
  | 'metadata'
  /** It publishes no key that could be used. */
  | 'keys'
  /** We ask it so much that this has to wait. */
  | 'busy'

/**
 * The issuer does not answer, or answers nonsense. `where` is its host, as the options have it: enough to know
 * which one, and never a URL, which may hold what must not be logged. A cause that is a fault stays what it is.
 */
export function issuerFault(
  where: string,
  reason: IssuerTrouble,
  what: string,
  details: { readonly cause?: unknown; readonly retryAfterSeconds?: number | undefined } = {},
): ClienteleFault {
  const { cause, retryAfterSeconds } = details
  const chain = causesOf(cause)
  const fault = chain.find((each) => each instanceof ClienteleFault)
  if (fault !== undefined) return fault
  const trouble = chain.find((each) => each instanceof FetchTrouble)
  // `fetch failed` says nothing; what is at the bottom of it has a code.
  const root = chain.findLast((each) => 'code' in each && typeof each.code === 'string') ?? cause
  return new ClienteleFault('ERR_CLIENTELE_ISSUER', `The issuer at ${where}: ${what}`, {
    cause: root,
    reason: trouble?.reason ?? reason,
    retryAfterSeconds,
  })
}

const longestChain = 8

function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let each = error; each instanceof Error && chain.length < longestChain; each = each.cause) chain.push(each)
  return chain
}

const badTokenCodes: ReadonlySet<string> = new Set([
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
])

/**
 * The one place that tells a bad token from our own trouble. Everything unknown is trouble: `JOSEError` is the
 * base of both, and taking an outage for a bad token would turn away good callers with a 401.
 */
export function isBadToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && badTokenCodes.has(error.code)
}
