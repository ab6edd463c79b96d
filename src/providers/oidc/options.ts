import { z } from 'zod'
import { requireAddress } from '../../runtime/address.js'
import { checkOptions, optionsFault } from '../../runtime/check.js'
import { id } from '../../contracts/schema-words.js'
import { asymmetricAlgorithms } from '../../tokens/jwt/algorithms.js'
import { readPrivateKey } from '../../tokens/introspection/client-authentication.js'
import { issuerProfiles, type IssuerProfile, type IssuerProfileName } from './profiles.js'

/** What allows us to register clients. */
export type RegistrationAuthorization =
  /** An initial access token, or an API token of the issuer. @default scheme: as the profile has it */
  | { readonly token: string; readonly scheme?: 'Bearer' | 'SSWS' }
  /** A token that we ask for by client_credentials, with a secret or by `private_key_jwt` (RFC 7523). */
  | {
      readonly clientId: string
      readonly clientSecret: string
      readonly method?: 'basic' | 'post' | 'client_secret_jwt'
      readonly scopes?: readonly string[]
      readonly audience?: string
      /** @default the one that discovery names, at the issuer's own origin */
      readonly tokenEndpoint?: string
    }
  | {
      readonly clientId: string
      readonly method: 'private_key_jwt'
      /** PEM or JWK. */
      readonly privateKey: string | object
      readonly kid?: string
      /** @default RS256, ES256, ES384, ES512 or EdDSA, by the kind of the key */
      readonly algorithm?: (typeof asymmetricAlgorithms)[number]
      readonly scopes?: readonly string[]
      readonly audience?: string
      readonly tokenEndpoint?: string
    }

export interface OidcProviderOptions {
  /** In records and on the command line. */
  readonly name: string
  /** As its tokens have it in `iss`, byte for byte. */
  readonly issuer: string
  /** `null`: anybody may register there, and so may everybody else. */
  readonly authorization: RegistrationAuthorization | null
  /** How it departs from the standards. @default 'rfc' */
  readonly profile?: IssuerProfileName
  /** @default the one that discovery names, if it is at the issuer's own origin: our token goes nowhere else unasked */
  readonly registrationEndpoint?: string
  /** Another way than the profile's to change and remove clients. */
  readonly management?: IssuerProfile['management']
  /** Members of the issuer's own that every client gets. */
  readonly members?: Readonly<Record<string, unknown>>
  /** For each request; 100 to 30,000. @default 10000 */
  readonly timeoutMs?: number
  /** Allows `http:`, which shows tokens and secrets to whoever is on the way. @default false */
  readonly allowInsecureRequests?: boolean
}

export const where = 'oidcProvider()'
const text = z.string().min(1)
const credential = z.string().regex(/^[\x21-\x7e]+$/, 'expected visible ASCII without spaces')
const asked = {
  scopes: z.array(credential).readonly().optional(),
  audience: text.optional(),
  tokenEndpoint: text.optional(),
}

const authorization = z.union(
  [
    z.strictObject({ token: credential, scheme: z.enum(['Bearer', 'SSWS']).optional() }),
    z.strictObject({
      clientId: text,
      clientSecret: text,
      method: z.enum(['basic', 'post', 'client_secret_jwt']).optional(),
      ...asked,
    }),
    z.strictObject({
      clientId: text,
      method: z.literal('private_key_jwt'),
      privateKey: z.union([text, z.custom<object>((key) => typeof key === 'object' && key !== null)]),
      kid: text.optional(),
      algorithm: z.enum(asymmetricAlgorithms).optional(),
      ...asked,
    }),
  ],
  { error: 'expected token, clientId and clientSecret, private_key_jwt with its key, or null' },
)

const schema = z.strictObject({
  name: id,
  issuer: z.string(),
  authorization: authorization.nullable(),
  profile: z.enum(Object.keys(issuerProfiles) as IssuerProfileName[]).optional(),
  registrationEndpoint: z.string().optional(),
  management: z.enum(['registration token', 'endpoint', 'none']).optional(),
  members: z.record(z.string(), z.unknown()).optional(),
  timeoutMs: z.number().min(100).max(30_000).optional(),
  allowInsecureRequests: z.boolean().optional(),
})

/** Nothing of a client's identity is for the operator to set for all. */
const reserved = ['client_id', 'client_secret', 'registration_access_token', 'registration_client_uri']

export function checkedOptions(given: OidcProviderOptions): OidcProviderOptions {
  const options = checkOptions(where, schema, given) as OidcProviderOptions
  const { issuer, registrationEndpoint, authorization: as, allowInsecureRequests = false, members = {} } = options
  requireAddress(where, 'issuer', issuer, allowInsecureRequests)
  if (registrationEndpoint !== undefined)
    requireAddress(where, 'registrationEndpoint', registrationEndpoint, allowInsecureRequests)
  if (as !== null && 'tokenEndpoint' in as && as.tokenEndpoint !== undefined) {
    requireAddress(where, 'authorization.tokenEndpoint', as.tokenEndpoint, allowInsecureRequests)
  }
  if (as !== null && 'privateKey' in as) requireKey(as.privateKey)
  const taken = reserved.find((name) => Object.hasOwn(members, name))
  if (taken !== undefined) throw optionsFault(where, `members: ${taken} is the issuer's to give`)
  return options
}

function requireKey(key: string | object): void {
  try {
    readPrivateKey(key)
  } catch {
    throw optionsFault(where, 'authorization.privateKey: expected a private key as PEM or JWK')
  }
}
