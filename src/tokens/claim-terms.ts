import { unmetRule, type ClaimRule } from './claim-rules.js'
import type { JsonObject } from './json-object.js'
import type { TokenReason } from './token-engine.js'

/** What a route holds the claims of a token to, each time anew. */
export interface ClaimTerms {
  /** `null`: whoever the token is for. */
  readonly audience: readonly string[] | null
  readonly clockToleranceSeconds: number
  /** Counted from `iat`, which then has to be there. */
  readonly maxTokenAgeSeconds: number | undefined
  readonly requiredClaims: readonly string[]
  readonly rules: readonly ClaimRule[]
}

/** The registered claims with the types of RFC 7519 §4.1. */
export interface RegisteredClaims extends JsonObject {
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly aud?: string | readonly string[]
}

/** The first registered claim that is of a wrong type. */
export function mistypedClaim(claims: JsonObject): 'exp' | 'nbf' | 'iat' | 'aud' | undefined {
  if (!isTimeOrAbsent(claims['exp'])) return 'exp'
  if (!isTimeOrAbsent(claims['nbf'])) return 'nbf'
  if (!isTimeOrAbsent(claims['iat'])) return 'iat'
  return isAudienceOrAbsent(claims['aud']) ? undefined : 'aud'
}

/** Why claims do not meet the terms now (RFC 7519 §4.1.3 to §4.1.6). Their types have been looked at. */
export function unmetTerm(claims: RegisteredClaims, terms: ClaimTerms): TokenReason | undefined {
  const { exp, nbf, aud } = claims
  const nowSeconds = Math.floor(Date.now() / 1000)
  const tolerance = terms.clockToleranceSeconds
  if (exp !== undefined && exp <= nowSeconds - tolerance) return 'expired'
  if (nbf !== undefined && nbf > nowSeconds + tolerance) return 'not_yet'
  if (!isFor(aud, terms.audience)) return 'audience'
  const { maxTokenAgeSeconds, requiredClaims, rules } = terms
  if (maxTokenAgeSeconds !== undefined) {
    const reason = unmetAge(claims.iat, nowSeconds, maxTokenAgeSeconds, tolerance)
    if (reason !== undefined) return reason
  }
  for (const name of requiredClaims) if (!Object.hasOwn(claims, name)) return `claim:${name}`
  if (rules.length === 0) return undefined
  const unmet = unmetRule(rules, claims)
  return unmet === undefined ? undefined : `claim:${unmet}`
}

function unmetAge(iat: number | undefined, now: number, most: number, tolerance: number): TokenReason | undefined {
  if (iat === undefined) return 'claim:iat'
  if (iat > now + tolerance) return 'not_yet'
  return now - iat > most + tolerance ? 'age' : undefined
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
