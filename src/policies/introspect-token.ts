import { z } from 'zod'
import type { IdentifyingPolicy } from '../decisions/policy.js'
import { checkOptions } from '../runtime/check.js'
import { looksLikeJwt } from '../tokens/jwt/compact-jwt.js'
import type { TokenEngine } from '../tokens/token-engine.js'
import { bearerPolicy } from './bearer-policy.js'
import type { PolicyContext } from './context.js'
import { requireAddress, tokenOptionsShape, tokenSettings, type TokenPolicyOptions } from './token-options.js'

export interface IntrospectTokenOptions extends TokenPolicyOptions {
  /**
   * Where tokens are asked about. @default the one that discovery names, if it is at the issuer's own origin: our
   * secret goes nowhere else unasked
   */
  readonly endpoint?: string
  /**
   * Who this API is to the authorization server. `basic` form-encodes ID and secret, as RFC 6749 §2.3.1 has it;
   * where a server does not decode them, and they have other characters than letters, digits and `*-._`, use `post`.
   */
  readonly as: { readonly clientId: string; readonly clientSecret: string; readonly method?: 'basic' | 'post' }
  /** `opaque` leaves JWTs alone, for standing beside `validateJwt()`. @default 'any' */
  readonly tokens?: 'any' | 'opaque'
  /** How long a good answer is taken without asking again, and so how long a revoked token works; 0 to 3600. @default 60 */
  readonly maxAgeSeconds?: number
  /** The same for a bad answer; 0 to 300. @default 10 */
  readonly inactiveMaxAgeSeconds?: number
}

const where = 'introspectToken()'

const schema = z.strictObject({
  ...tokenOptionsShape,
  endpoint: z.string().optional(),
  as: z.strictObject({
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    method: z.enum(['basic', 'post']).optional(),
  }),
  tokens: z.enum(['any', 'opaque']).optional(),
  maxAgeSeconds: z.number().min(0).max(3600).optional(),
  inactiveMaxAgeSeconds: z.number().min(0).max(300).optional(),
})

/**
 * Lets in who bears a token that the issuer vouches for when asked (RFC 7662), of a registered client with an
 * approved contract for this API.
 */
export function introspectToken(context: PolicyContext, options: IntrospectTokenOptions): IdentifyingPolicy {
  const checked: IntrospectTokenOptions = checkOptions(where, schema, options)
  const { terms, maxTokenBytes, ...asking } = tokenSettings(where, checked)
  const { endpoint, as, tokens = 'any' } = checked
  if (endpoint !== undefined) requireAddress(where, 'endpoint', endpoint, asking.settings.allowInsecureRequests)
  const engine = context.tokens.introspector({
    ...asking,
    endpoint,
    as: { clientId: as.clientId, clientSecret: as.clientSecret, method: as.method ?? 'basic' },
    maxAgeSeconds: checked.maxAgeSeconds ?? 60,
    inactiveMaxAgeSeconds: checked.inactiveMaxAgeSeconds ?? 10,
  })
  return bearerPolicy(context, {
    name: 'introspectToken',
    shapes: tokens === 'any' ? ['jwt', 'opaque'] : ['opaque'],
    isOwn: tokens === 'any' ? () => true : isOpaque,
    engine: tokens === 'any' ? engine : onlyOpaque(engine),
    terms,
    maxTokenBytes,
  })
}

function isOpaque(token: string): boolean {
  return !looksLikeJwt(token)
}

function onlyOpaque(engine: TokenEngine): TokenEngine {
  return { verify: (token) => (isOpaque(token) ? engine.verify(token) : undefined) }
}
