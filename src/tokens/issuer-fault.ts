import { errors } from 'jose'
import { ClienteleFault } from '../decisions/faults.js'

/**
 * The issuer does not answer, or answers nonsense. `where` is its host, as the options have it: enough to know
 * which one, and never a URL, which may hold what must not be logged. A cause that is a fault stays what it is.
 */
export function issuerFault(where: string, what: string, cause?: unknown): ClienteleFault {
  const chain = causesOf(cause)
  const fault = chain.find((each) => each instanceof ClienteleFault)
  if (fault !== undefined) return fault
  // `fetch failed` says nothing; what is at the bottom of it has a code.
  const root = chain.findLast((each) => 'code' in each && typeof each.code === 'string') ?? cause
  return new ClienteleFault('ERR_CLIENTELE_ISSUER', `The issuer at ${where}: ${what}`, { cause: root })
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
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
])

/**
 * The one place that tells a bad token from our own trouble. Everything unknown is trouble: `JOSEError` is the
 * base of both, and taking an outage for a bad token would turn away good callers with a 401.
 */
export function isBadToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && badTokenCodes.has(error.code)
}
