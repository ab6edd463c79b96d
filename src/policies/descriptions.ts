import type { CredentialsSource } from '../credentials/source.js'
import type { FaultCode } from '../decisions/faults.js'
import type { Choice, IdentifyingPolicy } from '../decisions/policy.js'
import type {
  CredentialsPart,
  CredentialsWay,
  DescribedIssuer,
  PolicyDescription,
} from '../decisions/policy-description.js'
import type { RefusalCode } from '../decisions/refusals.js'
import { rateLimitFieldNames, type RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { WhenCounterFails } from '../limits/when-counter-fails.js'
import type { ProofSettings } from '../tokens/proof/possession.js'
import type { Scopes } from '../tokens/scopes.js'
import type { TokenPlace } from '../tokens/token-place.js'
import type { PolicyContext } from './context.js'
import type { TokenTerms } from './token-terms.js'

const nothing: PolicyDescription = { ways: [], scopes: [[]], refusals: [], faults: [], fields: [] }
const contractCodes: readonly RefusalCode[] = [
  'contract_missing',
  'contract_pending',
  'contract_rejected',
  'contract_revoked',
]
const storeFaults: readonly FaultCode[] = [
  'ERR_CLIENTELE_STORE',
  'ERR_CLIENTELE_NOT_READY',
  'ERR_CLIENTELE_STALE',
  'ERR_CLIENTELE_BUSY',
]

export function describeClientId(
  from: readonly CredentialsSource[],
  secret: 'required' | 'optional',
): PolicyDescription {
  const whole = from.map(({ parts }): CredentialsWay => ({ parts }))
  const ways = secret === 'required' ? whole : [...whole, ...idAlone(whole)]
  const inBody = ways.some(({ parts }) => parts.some(isInBody))
  return {
    ...nothing,
    ways,
    refusals: [
      'credentials_missing',
      'credentials_malformed',
      'credentials_ambiguous',
      'client_invalid',
      ...contractCodes,
      ...(inBody ? (['body_too_large'] as const) : []),
    ],
    faults: storeFaults,
  }
}

function idAlone(ways: readonly CredentialsWay[]): readonly CredentialsWay[] {
  return ways
    .map(({ parts }) => ({ parts: parts.filter((part) => 'holds' in part && part.holds === 'client ID') }))
    .filter(({ parts }) => parts.length > 0)
}

function isInBody({ kind }: CredentialsPart): boolean {
  return kind === 'body'
}

/** What of the parts of a token policy clients have to know. */
export interface DescribedTokens {
  readonly issuers: readonly DescribedIssuer[]
  readonly places: readonly TokenPlace[]
  readonly terms: TokenTerms
  readonly proofs: ProofSettings
  /** Tokens that are bound to nothing are not taken. */
  readonly boundOnly: boolean
}

export function describeTokens(context: PolicyContext, tokens: DescribedTokens): PolicyDescription {
  const parts = partsOf(tokens)
  const ways = tokens.issuers.flatMap((issuer) => parts.map((each): CredentialsWay => ({ parts: each, issuer })))
  const refusals = tokenRefusals(tokens)
  const { terms, proofs } = tokens
  const asksRevoked = context.revocations !== undefined || terms.isRevoked !== undefined
  return {
    ...nothing,
    ways,
    scopes: scopeLists(terms.scopes),
    refusals: ways.some((way) => way.parts.some(isInBody)) ? [...refusals, 'body_too_large'] : refusals,
    faults: [
      'ERR_CLIENTELE_ISSUER',
      ...(terms.contract === 'required' ? storeFaults : []),
      ...(asksRevoked ? (['ERR_CLIENTELE_REVOCATION'] as const) : []),
      ...(proofs.dpop === undefined ? [] : (['ERR_CLIENTELE_REPLAY'] as const)),
    ],
    fields: proofs.dpop?.nonces === undefined ? [] : ['DPoP-Nonce'],
  }
}

function tokenRefusals({ terms, proofs: { dpop } }: DescribedTokens): readonly RefusalCode[] {
  return [
    'token_missing',
    'credentials_malformed',
    'credentials_ambiguous',
    'token_invalid',
    ...(dpop === undefined ? [] : (['proof_invalid'] as const)),
    ...(dpop?.nonces === undefined ? [] : (['nonce_required'] as const)),
    ...(terms.contract === 'required' ? (['client_unnamed', 'client_disabled', ...contractCodes] as const) : []),
    ...(terms.scopes === undefined ? [] : (['scope_insufficient'] as const)),
  ]
}

/** Each list is one way to send a token. */
function partsOf({ places, proofs, boundOnly }: DescribedTokens): readonly (readonly CredentialsPart[])[] {
  const certificate: readonly CredentialsPart[] = boundOnly ? [{ kind: 'certificate' }] : []
  const borne = !boundOnly || proofs.certificateOf !== undefined
  return places.flatMap(({ part }): readonly (readonly CredentialsPart[])[] => [
    ...(borne ? [[part, ...certificate]] : []),
    ...(part.kind === 'bearer' && proofs.dpop !== undefined ? [[{ kind: 'dpop' } as const]] : []),
  ])
}

export function scopeLists(scopes: Scopes | undefined): readonly (readonly string[])[] {
  if (scopes === undefined) return [[]]
  return 'any' in scopes ? scopes.any.map((scope) => [scope]) : [scopes]
}

export function describeChoice(branches: readonly IdentifyingPolicy[], missing: RefusalCode): Choice['description'] {
  const described = branches.map(({ description = nothing }) => description)
  const refusals = described.flatMap((each) => each.refusals.filter((code) => !missingCodes.includes(code)))
  return {
    ...nothing,
    ways: described.flatMap(({ ways, scopes }) => ways.map((way) => ({ ...way, scopes: way.scopes ?? scopes }))),
    refusals: [...new Set<RefusalCode>([missing, 'credentials_ambiguous', ...refusals])],
    faults: [...new Set(described.flatMap(({ faults }) => faults))],
    fields: [...new Set(described.flatMap(({ fields }) => fields))],
  }
}

const missingCodes: readonly RefusalCode[] = ['credentials_missing', 'token_missing']

/** A policy that asks more of who was let in before. */
export function describeRequirement(code: RefusalCode, scopes?: Scopes): PolicyDescription {
  return { ...nothing, scopes: scopeLists(scopes), refusals: [code] }
}

export interface DescribedLimits {
  readonly fields: readonly RateLimitFieldSet[]
  readonly enforce: boolean | number
  readonly whenCounterFails: WhenCounterFails
  readonly queues: boolean
  readonly countsAlone: boolean
}

export function describeLimits(limits: DescribedLimits): PolicyDescription {
  const { fields, enforce, whenCounterFails, queues, countsAlone } = limits
  const enforced = enforce !== false && enforce !== 0
  if (!enforced) return { ...nothing, countsAlone }
  return {
    ...nothing,
    refusals: ['limit_exceeded', ...(queues ? (['queue_full'] as const) : [])],
    faults: whenCounterFails === 'refuse' ? ['ERR_CLIENTELE_COUNTER'] : [],
    fields: rateLimitFieldNames(fields),
    countsAlone,
  }
}
