import { z } from 'zod'
import { fieldName } from '../credentials/field-name.js'
import { isClaimCheck, type ClaimCheck } from '../tokens/claim-rules.js'
import type { IsRevoked } from '../tokens/revocation.js'
import type { Scopes } from '../tokens/scopes.js'
import type { TokenPlaceName } from '../tokens/token-places.js'
import { proofOptionsShape, type ProofOptions } from './proof-options.js'

/** What is said of one issuer. */
export interface TokenIssuerOptions {
  /** Who issues the tokens: an https URL, byte for byte as it stands in `iss`. */
  readonly issuer: string
  /**
   * Whom the tokens must be for: this API, by one of these names in `aud`. `null` takes tokens that were issued
   * for any other API of the issuer too, and has to be written.
   */
  readonly audience: string | readonly string[] | null
  /**
   * The claim that holds the client ID. Without it the first of `client_id`, `azp`, `cid` and `appid`; a token in
   * which two of them differ is refused.
   */
  readonly clientIdClaim?: string
}

/** What `validateJwt()` and `introspectToken()` ask of every token, and how they speak to issuers. */
export interface TokenRouteOptions extends ProofOptions {
  /** Scopes that the token must have: all of a list, or one of `any`. @default none */
  readonly scopes?: Scopes
  /** Claims that must be there, whatever they are: `['nbf', 'jti']`. @default none */
  readonly requiredClaims?: readonly string[]
  /**
   * What claims must be, by name: a value, a list of values one of which it is, a function, or a schema of zod or
   * another library that follows Standard Schema. A token that does not meet it is 401. @default none
   */
  readonly claims?: Readonly<Record<string, ClaimCheck>>
  /** How old a token may be, from its `iat`, which then has to be there; 1 to 31,536,000. @default as long as `exp` says */
  readonly maxTokenAgeSeconds?: number
  /**
   * Is asked about each good token at each request, for a list of tokens that are not to work any more. `true` is
   * 401. What throws, rejects, takes longer than `timeoutMs` or answers something else is 503.
   */
  readonly isRevoked?: IsRevoked
  /** `skip` asks for no contract: the admission has no client, and a limit after it fails. @default 'required' */
  readonly contract?: 'required' | 'skip'
  /** Has to be written where `contract: 'skip'` and `audience: null` meet: then whatever the issuer signs gets in. */
  readonly acceptAnyTokenOfIssuer?: true
  /**
   * Where the token may stand: `Authorization: Bearer`, a header field of another name, a query parameter, a field of
   * a form. Two at once are 400. RFC 9700 §4.3.2 forbids the query, since addresses end up in logs, histories and
   * `Referer`. @default ['bearer']
   */
  readonly from?: readonly TokenPlaceName[]
  /** Whether the handler still sees the token. @default 'secret', which takes it away */
  readonly strip?: 'secret' | 'none'
  /** By how much clocks may differ, for `exp`, `nbf` and `iat`; 0 to 300. @default 5 */
  readonly clockToleranceSeconds?: number
  /** Tokens remembered at a time; `entries: 0` for none. @default 10,000 entries, 32 MiB */
  readonly remember?: { readonly entries?: number; readonly bytes?: number }
  /** Longer tokens are refused unread. @default 16 KiB */
  readonly maxTokenBytes?: number
  /** How long metadata and keys are taken without asking again, and so how long a withdrawn key works. @default 600 */
  readonly freshSeconds?: number
  /** How much longer they are taken while the issuer does not answer; then 503. @default 3600 */
  readonly staleSeconds?: number
  /** For one request to the issuer, to the last byte. @default 5000 */
  readonly timeoutMs?: number
  /** Longer answers of the issuer are a fault. @default 512 KiB */
  readonly maxResponseBytes?: number
  /** Allows `http:` for the issuer, which lets anybody on the way choose keys and answers. @default false */
  readonly allowInsecureRequests?: boolean
}

/** What `validateJwt()` and `introspectToken()` have in common. */
export interface TokenPolicyOptions extends TokenIssuerOptions, TokenRouteOptions {}

const text = z.string().min(1)
/** RFC 6749 §3.3: what a challenge can carry. */
const scope = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'expected a scope: visible ASCII without " and \\')
const scopeList = z.array(scope).min(1).readonly()
/** NaN and Infinity are no numbers to zod. */
export const seconds = (least: number, most: number): z.ZodNumber => z.number().min(least).max(most)
const whole = (least: number) => z.number().int().min(least)
const claimCheck = z.custom<ClaimCheck>(isClaimCheck, 'expected a value, a list of values, a function or a schema')

export const issuerOptionsShape = {
  issuer: text,
  audience: z.union([text, z.array(text).min(1).readonly(), z.null()], {
    error: 'expected the name of this API in the tokens, a list of names, or null for any',
  }),
  clientIdClaim: text.optional(),
}

export const scopesSchema = z.union([scopeList, z.strictObject({ any: scopeList })])
export const claimsSchema = z.record(text, claimCheck)

const placeName = z.union(
  [
    z.literal('bearer'),
    z.strictObject({ header: fieldName.refine((name) => name.toLowerCase() !== 'authorization') }),
    z.strictObject({ query: text }),
    z.strictObject({ form: text, maxBytes: whole(1).max(16_777_216).optional() }),
  ],
  { error: "expected 'bearer', { header }, { query } or { form }; Authorization is 'bearer'" },
)

export const routeOptionsShape = {
  ...proofOptionsShape,
  from: z.array(placeName).min(1).readonly().refine(areDistinct, 'expected each place once').optional(),
  scopes: scopesSchema.optional(),
  requiredClaims: z.array(text).readonly().optional(),
  claims: claimsSchema.optional(),
  maxTokenAgeSeconds: seconds(1, 31_536_000).optional(),
  isRevoked: z.custom<IsRevoked>((value) => typeof value === 'function', 'expected a function').optional(),
  contract: z.enum(['required', 'skip']).optional(),
  acceptAnyTokenOfIssuer: z.literal(true).optional(),
  strip: z.enum(['secret', 'none']).optional(),
  clockToleranceSeconds: seconds(0, 300).optional(),
  remember: z.strictObject({ entries: whole(0).optional(), bytes: whole(1024).optional() }).optional(),
  maxTokenBytes: whole(1).optional(),
  freshSeconds: seconds(1, 86_400).optional(),
  staleSeconds: seconds(0, 604_800).optional(),
  timeoutMs: whole(1).max(60_000).optional(),
  maxResponseBytes: whole(1024).optional(),
  allowInsecureRequests: z.boolean().optional(),
}

function areDistinct(places: readonly TokenPlaceName[]): boolean {
  const names = places.map((place) => (typeof place === 'string' ? place : nameOf(place)))
  return new Set(names).size === names.length
}

function nameOf(place: Exclude<TokenPlaceName, string>): string {
  if ('header' in place) return `header ${place.header.toLowerCase()}`
  return 'query' in place ? `query ${place.query}` : `form ${place.form}`
}
