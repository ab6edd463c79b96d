import { z } from 'zod'
import type { IdentifyingPolicy } from '../decisions/policy.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import type { KeyOrigin } from '../tokens/engines.js'
import {
  asymmetricAlgorithms,
  secretBytesOf,
  type AsymmetricAlgorithm,
  type SecretAlgorithm,
} from '../tokens/jwt/algorithms.js'
import { unverifiedIssuer } from '../tokens/jwt/compact-jwt.js'
import { vetKeys } from '../tokens/keys/vet-keys.js'
import { bearerPolicy } from './bearer-policy.js'
import type { PolicyContext } from './context.js'
import { requireAddress, tokenOptionsShape, tokenSettings, type TokenPolicyOptions } from './token-options.js'

export interface ValidateJwtOptions extends TokenPolicyOptions {
  /** The issuer's public keys themselves. At most one of `jwks`, `jwksUri` and `secret`; with none, discovery. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** Where the issuer publishes its keys, when it has no discovery. */
  readonly jwksUri?: string
  /**
   * The secret that the issuer signs with, text standing for its UTF-8 bytes: at least as many as the hash has.
   * Everybody who can verify with it can issue tokens too.
   */
  readonly secret?: string | Uint8Array
  /**
   * What a signature may be made with. @default RS, PS and ES with 256, 384 and 512, EdDSA and Ed25519; with
   * `secret` instead, those of HS256, HS384 and HS512 that it is long enough for
   */
  readonly algorithms?: readonly (AsymmetricAlgorithm | SecretAlgorithm)[]
}

const secretAlgorithms = Object.keys(secretBytesOf) as SecretAlgorithm[]
const where = 'validateJwt()'

const schema = z.strictObject({
  ...tokenOptionsShape,
  jwks: z.object({ keys: z.array(z.custom<object>((key) => typeof key === 'object' && key !== null)) }).optional(),
  jwksUri: z.string().optional(),
  secret: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  algorithms: z
    .array(z.enum([...asymmetricAlgorithms, ...secretAlgorithms]))
    .min(1)
    .readonly()
    .optional(),
})

/** Lets in who bears a JWT access token of the issuer, of a registered client with an approved contract for this API. */
export function validateJwt(context: PolicyContext, options: ValidateJwtOptions): IdentifyingPolicy {
  const checked: ValidateJwtOptions = checkOptions(where, schema, options)
  const { terms, maxTokenBytes, ...verification } = tokenSettings(where, checked)
  const { issuer } = verification.settings
  const origin = keyOrigin(checked)
  const algorithms = origin.kind === 'secret' ? hashesFor(origin.secret, checked) : signaturesOf(checked)
  return bearerPolicy(context, {
    name: 'validateJwt',
    shapes: [`jwt:${issuer}`],
    isOwn: (token) => unverifiedIssuer(token) === issuer,
    engine: context.tokens.jwtVerifier({ ...verification, origin, algorithms }),
    terms,
    maxTokenBytes,
  })
}

function keyOrigin({ jwks, jwksUri, secret, allowInsecureRequests = false }: ValidateJwtOptions): KeyOrigin {
  if ([jwks, jwksUri, secret].filter((each) => each !== undefined).length > 1) {
    throw optionsFault(where, 'expected at most one of jwks, jwksUri and secret')
  }
  if (secret !== undefined) return { kind: 'secret', secret: Buffer.from(secret) }
  if (jwks !== undefined) return localOrigin(jwks)
  if (jwksUri === undefined) return { kind: 'discovery' }
  requireAddress(where, 'jwksUri', jwksUri, allowInsecureRequests)
  return { kind: 'uri', uri: jwksUri }
}

/** Keys that somebody wrote down are all meant: one that cannot be used is a mistake, not to be passed over. */
function localOrigin(jwks: { readonly keys: readonly object[] }): KeyOrigin {
  const keys = vetKeys(jwks)
  const [ignored] = keys?.ignored ?? []
  if (ignored !== undefined) throw optionsFault(where, `jwks: a key cannot be used, because ${ignored.reason}`)
  if (keys === undefined || keys.size === 0) throw optionsFault(where, 'jwks: expected a key set with at least one key')
  return { kind: 'local', keys }
}

function signaturesOf({ algorithms = asymmetricAlgorithms }: ValidateJwtOptions): readonly string[] {
  if (algorithms.some((algorithm) => algorithm in secretBytesOf)) {
    throw optionsFault(where, 'algorithms: HS256, HS384 and HS512 need the option secret, and go with nothing else')
  }
  return algorithms
}

function hashesFor(secret: Uint8Array, { algorithms }: ValidateJwtOptions): readonly string[] {
  const long = secretAlgorithms.filter((algorithm) => secret.length >= secretBytesOf[algorithm])
  if (long.length === 0) throw optionsFault(where, `secret: expected at least ${secretBytesOf.HS256} bytes`)
  const wanted: readonly string[] = algorithms ?? long
  if (wanted.every((algorithm) => (long as readonly string[]).includes(algorithm))) return wanted
  throw optionsFault(where, 'algorithms: with secret only HS256, HS384 and HS512, and a secret as long as the hash')
}
