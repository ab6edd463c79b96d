import { z } from 'zod'
import { optionsFault } from '../runtime/check.js'
import type { IssuerSettings } from '../tokens/issuer-settings.js'
import type { RememberLimits } from '../tokens/remembered.js'
import type { Scopes } from '../tokens/scopes.js'
import type { TokenTerms } from './token-terms.js'

/** What `validateJwt()` and `introspectToken()` have in common. */
export interface TokenPolicyOptions {
  /** Who issues the tokens: an https URL, byte for byte as it stands in `iss`. */
  readonly issuer: string
  /**
   * Whom the tokens must be for: this API, by one of these names in `aud`. `null` takes tokens that were issued
   * for any other API of the issuer too, and has to be written.
   */
  readonly audience: string | readonly string[] | null
  /** Scopes that the token must have: all of a list, or one of `any`. @default none */
  readonly scopes?: Scopes
  /**
   * The claim that holds the client ID. Without it the first of `client_id`, `azp`, `cid` and `appid`; a token in
   * which two of them differ is refused.
   */
  readonly clientIdClaim?: string
  /** `skip` asks for no contract: the admission has no client, and a limit after it fails. @default 'required' */
  readonly contract?: 'required' | 'skip'
  /** Has to be written where `contract: 'skip'` and `audience: null` meet: then whatever the issuer signs gets in. */
  readonly acceptAnyTokenOfIssuer?: true
  /** Whether the handler still sees `Authorization`. @default 'secret', which takes it away */
  readonly strip?: 'secret' | 'none'
  /** By how much clocks may differ, for `exp` and `nbf`; 0 to 300. @default 5 */
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

const text = z.string().min(1)
/** RFC 6749 §3.3: what a challenge can carry. */
const scope = z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'expected a scope: visible ASCII without " and \\')
const scopeList = z.array(scope).min(1).readonly()
/** NaN and Infinity are no numbers to zod. */
const seconds = (least: number, most: number) => z.number().min(least).max(most)
const whole = (least: number) => z.number().int().min(least)

export const tokenOptionsShape = {
  issuer: text,
  audience: z.union([text, z.array(text).min(1).readonly(), z.null()], {
    error: 'expected the name of this API in the tokens, a list of names, or null for any',
  }),
  scopes: z.union([scopeList, z.strictObject({ any: scopeList })]).optional(),
  clientIdClaim: text.optional(),
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

/** Checked options with their defaults, as the engines want them. */
export interface TokenSettings {
  readonly settings: IssuerSettings
  readonly terms: TokenTerms
  readonly audience: readonly string[] | null
  readonly clockToleranceSeconds: number
  readonly remember: RememberLimits
  readonly maxTokenBytes: number
}

const kibibyte = 1024

export function tokenSettings(where: string, options: TokenPolicyOptions): TokenSettings {
  const { audience, contract = 'required', allowInsecureRequests = false } = options
  if (audience === null && contract === 'skip' && options.acceptAnyTokenOfIssuer !== true) {
    throw optionsFault(
      where,
      'with audience: null and contract: "skip" every token of the issuer gets in, whoever it was issued to and ' +
        'for; if that is meant, write acceptAnyTokenOfIssuer: true',
    )
  }
  requireAddress(where, 'issuer', options.issuer, allowInsecureRequests)
  return {
    settings: {
      issuer: options.issuer,
      allowInsecureRequests,
      freshSeconds: options.freshSeconds ?? 600,
      staleSeconds: options.staleSeconds ?? 3600,
      timeoutMs: options.timeoutMs ?? 5000,
      maxResponseBytes: options.maxResponseBytes ?? 512 * kibibyte,
    },
    terms: { scopes: options.scopes, clientIdClaim: options.clientIdClaim, contract, strip: options.strip ?? 'secret' },
    audience: typeof audience === 'string' ? [audience] : audience,
    clockToleranceSeconds: options.clockToleranceSeconds ?? 5,
    remember: { entries: options.remember?.entries ?? 10_000, bytes: options.remember?.bytes ?? 32 * kibibyte ** 2 },
    maxTokenBytes: options.maxTokenBytes ?? 16 * kibibyte,
  }
}

/** An address that our secrets or decisions may hang on. */
export function requireAddress(where: string, option: string, address: string, allowInsecure: boolean): void {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) {
    throw optionsFault(where, `${option}: expected an https URL`)
  }
  if (url.username !== '' || url.password !== '') {
    throw optionsFault(where, `${option}: expected a URL without a user name or password`)
  }
  if (url.protocol === 'http:' && !allowInsecure) {
    throw optionsFault(where, `${option}: expected an https URL; http needs allowInsecureRequests: true`)
  }
}
