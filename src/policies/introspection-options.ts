import { z } from 'zod'
import { fieldName } from '../credentials/field-name.js'
import type { AsymmetricAlgorithm } from '../tokens/jwt/algorithms.js'
import { asymmetricAlgorithms } from '../tokens/jwt/algorithms.js'
import type { KeyvLike } from '../tokens/introspection/shared-answers.js'
import { keyOptionsShape, type KeyOptions } from './key-options.js'
import { issuerOptionsShape, routeOptionsShape, seconds, type TokenPolicyOptions } from './token-options.js'

/** Who this API is to the authorization server, and how it proves it. */
export type IntrospectionAs =
  | {
      readonly clientId: string
      readonly clientSecret: string
      /**
       * `basic` form-encodes ID and secret, as RFC 6749 §2.3.1 has it; where a server does not decode them, and they
       * have other characters than letters, digits and `*-._`, use `post`. `client_secret_jwt` signs with the secret
       * (HS256) instead of sending it. @default 'basic'
       */
      readonly method?: 'basic' | 'post' | 'client_secret_jwt'
    }
  | {
      readonly clientId: string
      readonly method: 'private_key_jwt'
      /** PEM or JWK. */
      readonly privateKey: string | object
      readonly kid?: string
      /** @default RS256, ES256, ES384, ES512 or EdDSA, by the kind of the key */
      readonly algorithm?: AsymmetricAlgorithm
    }
  | {
      readonly clientId: string
      readonly method: 'mutual_tls'
      /** PEM, with the chain. */
      readonly certificate: string
      readonly privateKey: string
      /** Who has signed the server's certificate. @default whom Node knows */
      readonly ca?: string
    }
  /** A fixed field: an API key of the server, or a Bearer token that does not end. */
  | { readonly method: 'header'; readonly name: string; readonly value: string }
  /** Nobody: for a `tokenInfo` endpoint that asks for nothing. */
  | { readonly method: 'none' }

export interface IntrospectTokenOptions extends TokenPolicyOptions {
  /**
   * Where tokens are asked about. @default the one that discovery names, if it is at the issuer's own origin: our
   * secret goes nowhere else unasked
   */
  readonly endpoint?: string
  readonly as: IntrospectionAs
  /** `opaque` leaves JWTs alone, for standing beside `validateJwt()`. @default 'any' */
  readonly tokens?: 'any' | 'opaque'
  /** How long a good answer is taken without asking again, and so how long a revoked token works; 0 to 3600. @default 60 */
  readonly maxAgeSeconds?: number
  /**
   * How long at least. Between the two the answer's `Cache-Control` decides. @default `maxAgeSeconds`: it is not
   * looked at, since nearly all servers forbid to keep anything
   */
  readonly minAgeSeconds?: number
  /** The same for a bad answer; 0 to 300. @default 10 */
  readonly inactiveMaxAgeSeconds?: number
  /** How much longer a good answer is taken while nobody can be asked, never past `exp`; 0 to 86,400. @default 0 */
  readonly staleAnswerSeconds?: number
  /**
   * What a flood of unknown tokens may cost: questions at one time, and tokens a second that turn out to be bad, ten
   * times as many at once. Beyond it unknown tokens get a 503. @default 100 and 50
   */
  readonly budget?: { readonly concurrent?: number; readonly inactivePerSecond?: number }
  /**
   * Asks for signed answers and takes no others (RFC 9701). The keys are those of the issuer, by discovery or as
   * written here; `audience` is who we are in them. @default false
   */
  readonly signedAnswers?: boolean | SignedAnswersOptions
  /**
   * For an endpoint that is not RFC 7662 and answers `{ client_id, scope, expires_in }` without `active`: how it is
   * asked. @default `{ method: 'POST', parameter: 'access_token' }` where it is there
   */
  readonly tokenInfo?: { readonly method?: 'GET' | 'POST'; readonly parameter?: string }
  /** Answers that several processes share, in a Keyv; sealed with the secret, of 32 characters and more. @default none */
  readonly sharedCache?: { readonly store: KeyvLike; readonly secret: string }
}

export interface SignedAnswersOptions extends Pick<KeyOptions, 'jwks' | 'jwksUri' | 'pem'> {
  readonly algorithms?: readonly AsymmetricAlgorithm[]
  /** @default `as.clientId` */
  readonly audience?: string
}

const text = z.string().min(1)
const visible = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'expected visible ASCII')

const asSchema = z.union(
  [
    z.strictObject({
      clientId: text,
      clientSecret: text,
      method: z.enum(['basic', 'post', 'client_secret_jwt']).optional(),
    }),
    z.strictObject({
      clientId: text,
      method: z.literal('private_key_jwt'),
      privateKey: z.union([text, z.custom<object>((key) => typeof key === 'object' && key !== null)]),
      kid: text.optional(),
      algorithm: z.enum(asymmetricAlgorithms).optional(),
    }),
    z.strictObject({
      clientId: text,
      method: z.literal('mutual_tls'),
      certificate: text,
      privateKey: text,
      ca: text.optional(),
    }),
    z.strictObject({ method: z.literal('header'), name: fieldName, value: visible }),
    z.strictObject({ method: z.literal('none') }),
  ],
  { error: 'expected clientId and clientSecret, or a method with what belongs to it' },
)

const { jwks, jwksUri, pem } = keyOptionsShape

export const introspectionSchema = z.strictObject({
  ...issuerOptionsShape,
  ...routeOptionsShape,
  endpoint: z.string().optional(),
  as: asSchema,
  tokens: z.enum(['any', 'opaque']).optional(),
  maxAgeSeconds: seconds(0, 3600).optional(),
  minAgeSeconds: seconds(0, 3600).optional(),
  inactiveMaxAgeSeconds: seconds(0, 300).optional(),
  staleAnswerSeconds: seconds(0, 86_400).optional(),
  budget: z
    .strictObject({ concurrent: z.number().int().min(1).optional(), inactivePerSecond: seconds(0.1, 1e6).optional() })
    .optional(),
  signedAnswers: z
    .union([
      z.boolean(),
      z.strictObject({
        jwks,
        jwksUri,
        pem,
        algorithms: z.array(z.enum(asymmetricAlgorithms)).min(1).readonly().optional(),
        audience: text.optional(),
      }),
    ])
    .optional(),
  tokenInfo: z.strictObject({ method: z.enum(['GET', 'POST']).optional(), parameter: text.optional() }).optional(),
  sharedCache: z
    .strictObject({
      store: z.custom<KeyvLike>(isKeyv, 'expected a Keyv'),
      secret: z.string().min(32),
    })
    .optional(),
})

function isKeyv(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'get') === 'function' &&
    typeof Reflect.get(value, 'set') === 'function'
  )
}
