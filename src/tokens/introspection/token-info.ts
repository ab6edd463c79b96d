import { issuerFault } from '../issuer-fault.js'
import type { JsonObject } from '../json-object.js'

/** How an endpoint is asked that is older than RFC 7662, or does not care for it. */
export interface TokenInfo {
  readonly method: 'GET' | 'POST'
  /** The parameter that takes the token. */
  readonly parameter: string
}

/**
 * An answer such as `{ client_id, scope, expires_in }` in the words of RFC 7662. That it came is the "yes"; when it
 * ends has to stand in it, or a token would work for ever.
 */
export function readTokenInfo(answer: JsonObject, where: string): JsonObject {
  if (Object.hasOwn(answer, 'active')) return answer
  const seconds = numberOf(answer['expires_in'])
  if (seconds === undefined && !Number.isFinite(answer['exp'])) {
    throw issuerFault(where, 'answer', 'its answer says neither active nor expires_in nor exp.')
  }
  if (seconds === undefined) return { ...answer, active: true }
  // Zero is over, not for ever.
  if (seconds <= 0) return { active: false }
  return { ...answer, active: true, exp: Math.floor(Date.now() / 1000) + Math.floor(seconds) }
}

/** Some write the number as text. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return typeof value === 'string' && /^-?\d{1,12}$/.test(value) ? Number(value) : undefined
}
