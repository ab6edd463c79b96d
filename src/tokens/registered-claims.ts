import type { JsonObject } from './json-object.js'

/** What the registered claims of a token are held to. */
export interface ClaimTerms {
  /** `null`: whoever the token is for. */
  readonly audience: readonly string[] | null
  readonly clockToleranceSeconds: number
}

/** The registered claims with the types of RFC 7519 §4.1. */
export interface RegisteredClaims extends JsonObject {
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly aud?: string | readonly string[]
}

export function hasRegisteredTypes(claims: JsonObject): claims is RegisteredClaims {
  return (
    isTimeOrAbsent(claims['exp']) &&
    isTimeOrAbsent(claims['nbf']) &&
    isTimeOrAbsent(claims['iat']) &&
    isAudienceOrAbsent(claims['aud'])
  )
}

/** Whether a token is in force now and for us (RFC 7519 §4.1.3 to §4.1.5). */
export function isInForce({ exp, nbf, aud }: RegisteredClaims, terms: ClaimTerms): boolean {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const tolerance = terms.clockToleranceSeconds
  if (exp !== undefined && exp <= nowSeconds - tolerance) return false
  if (nbf !== undefined && nbf > nowSeconds + tolerance) return false
  return isFor(aud, terms.audience)
}

/** A NumericDate (RFC 7519 §2). `1e400` in JSON is infinite, and an end that never comes. */
function isTimeOrAbsent(value: unknown): boolean {
  return value === undefined || Number.isFinite(value)
}

function isAudienceOrAbsent(value: unknown): boolean {
  if (value === undefined || typeof value === 'string') return true
  return Array.isArray(value) && value.every((audience) => typeof audience === 'string')
}

function isFor(aud: RegisteredClaims['aud'], audience: readonly string[] | null): boolean {
  if (audience === null) return true
  return typeof aud === 'string' ? audience.includes(aud) : audience.some((each) => aud?.includes(each))
}
