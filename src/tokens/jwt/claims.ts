import type { JsonObject } from '../json-object.js'
import { isAudienceOrAbsent, isTimeOrAbsent } from '../registered-claims.js'

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
