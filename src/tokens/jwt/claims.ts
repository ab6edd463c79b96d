import type { JsonObject } from '../json-object.js'

/**
 * The registered claims have the types of RFC 7519 §4.1, and there is an end: jose takes a token without `exp`,
 * and `1e400`, which is infinite.
 */
export function wellFormedClaims(claims: JsonObject): claims is JsonObject & { readonly exp: number } {
  return (
    Number.isFinite(claims['exp']) &&
    isTimeOrAbsent(claims['nbf']) &&
    isTimeOrAbsent(claims['iat']) &&
    isAudienceOrAbsent(claims['aud'])
  )
}

export function isTimeOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || Number.isFinite(value)
}

export function isAudienceOrAbsent(value: unknown): value is string | readonly string[] | undefined {
  if (value === undefined || typeof value === 'string') return true
  return Array.isArray(value) && value.every((audience) => typeof audience === 'string')
}
