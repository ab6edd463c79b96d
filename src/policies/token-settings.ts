import { requireAddress } from '../runtime/address.js'
import { optionsFault } from '../runtime/check.js'
import { claimRules } from '../tokens/claim-rules.js'
import type { ClaimTerms } from '../tokens/claim-terms.js'
import type { IssuerSettings } from '../tokens/issuer-settings.js'
import type { ProofSettings } from '../tokens/proof/possession.js'
import type { RememberLimits } from '../tokens/remembered.js'
import { revocationAsker } from '../tokens/revocation.js'
import type { TokenPlace } from '../tokens/token-place.js'
import { tokenPlace } from '../tokens/token-places.js'
import type { PolicyContext } from './context.js'
import { proofSettings } from './proof-options.js'
import type { TokenIssuerOptions, TokenRouteOptions } from './token-options.js'
import type { TokenTerms } from './token-terms.js'

const kibibyte = 1024
const defaultTimeoutMs = 5000
const defaultToleranceSeconds = 5

/** Checked options with their defaults, as the engines want them: what is the same for every issuer of a route. */
export interface RouteSettings {
  readonly terms: TokenTerms
  readonly places: readonly TokenPlace[]
  readonly remember: RememberLimits
  readonly maxTokenBytes: number
  readonly proofs: ProofSettings
  readonly boundOnly: boolean
}

export function routeSettings(where: string, context: PolicyContext, options: TokenRouteOptions): RouteSettings {
  if (options.dpop !== undefined && options.from?.includes('bearer') === false) {
    throw optionsFault(where, "dpop: needs 'bearer' in from: such tokens stand in Authorization alone (RFC 9449 §7.1)")
  }
  const { remember, isRevoked, timeoutMs = defaultTimeoutMs, clockToleranceSeconds = defaultToleranceSeconds } = options
  return {
    ...proofSettings(where, context, options, { clockToleranceSeconds, timeoutMs }),
    terms: {
      scopes: options.scopes,
      contract: options.contract ?? 'required',
      strip: options.strip ?? 'secret',
      isRevoked: isRevoked && revocationAsker(isRevoked, timeoutMs),
    },
    places: (options.from ?? ['bearer']).map((name) => tokenPlace(name, options.dpop !== undefined)),
    remember: { entries: remember?.entries ?? 10_000, bytes: remember?.bytes ?? 32 * kibibyte ** 2 },
    maxTokenBytes: options.maxTokenBytes ?? 16 * kibibyte,
  }
}

/** How one issuer is spoken to. */
export function issuerSettings(where: string, issuer: string, options: TokenRouteOptions): IssuerSettings {
  const { allowInsecureRequests = false } = options
  requireAddress(where, 'issuer', issuer, allowInsecureRequests)
  return {
    issuer,
    allowInsecureRequests,
    freshSeconds: options.freshSeconds ?? 600,
    staleSeconds: options.staleSeconds ?? 3600,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    maxResponseBytes: options.maxResponseBytes ?? 512 * kibibyte,
  }
}

/** What the claims of one issuer's tokens are held to. */
export function claimTerms(
  where: string,
  { audience }: Pick<TokenIssuerOptions, 'audience'>,
  options: TokenRouteOptions,
): ClaimTerms {
  if (audience === null && options.contract === 'skip' && options.acceptAnyTokenOfIssuer !== true) {
    throw optionsFault(
      where,
      'with audience: null and contract: "skip" every token of the issuer gets in, whoever it was issued to and ' +
        'for; if that is meant, write acceptAnyTokenOfIssuer: true',
    )
  }
  return {
    audience: typeof audience === 'string' ? [audience] : audience,
    clockToleranceSeconds: options.clockToleranceSeconds ?? defaultToleranceSeconds,
    maxTokenAgeSeconds: options.maxTokenAgeSeconds,
    requiredClaims: options.requiredClaims ?? [],
    rules: claimRules(options.claims ?? {}),
  }
}
