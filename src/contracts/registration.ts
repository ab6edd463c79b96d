/** What an application wants to be at its issuer: the client metadata of RFC 7591 §2 that is passed on. */
export interface ClientMetadata {
  readonly name: string
  /** `https:`, `http:` to the machine itself, or a scheme of the application's own, which has a dot (RFC 8252 §7). */
  readonly redirectUris?: readonly string[]
  /** @default `['client_credentials']`, or with redirect URIs `['authorization_code', 'refresh_token']` */
  readonly grantTypes?: readonly string[]
  /** @default `['code']` with `authorization_code`, otherwise none */
  readonly responseTypes?: readonly string[]
  readonly scopes?: readonly string[]
  /** How it proves itself at the token endpoint; `none` makes it public. @default what the issuer's profile says */
  readonly authMethod?: ClientAuthMethod
  readonly contacts?: readonly string[]
  /** Its public keys themselves. Addresses (`jwks_uri`, `logo_uri`) are not taken: the issuer would fetch them. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
}

export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'none',
] as const

export type ClientAuthMethod = (typeof clientAuthMethods)[number]

/**
 * `registering`: the issuer was asked and has not answered, or its answer could not be kept. `updating`, `rotating`:
 * the same of a change. `deleting`: refused here already, and perhaps still there.
 */
export const registrationStates = ['registering', 'active', 'updating', 'rotating', 'deleting'] as const

export type RegistrationState = (typeof registrationStates)[number]

/**
 * One client at one issuer, through a client provider. Written before the issuer is asked, so that whatever breaks off
 * leaves this behind. For people alone: no feed and no replica has it.
 */
export interface Registration {
  readonly id: string
  readonly version: number
  /** The provider's name. */
  readonly provider: string
  readonly issuer: string
  readonly state: RegistrationState
  /** The internal ID of the client, which is there from `active` on. */
  readonly client: string
  readonly owner?: string
  /** The registration in whose place this one comes. */
  readonly replaces?: string
  /** What the issuer calls it, once that is known. */
  readonly clientId?: string
  readonly metadata: ClientMetadata
  /** From here on the secret is no longer good at the issuer, which has it; it is not kept here. */
  readonly secretEndsAt?: string
  /** Where it is managed (RFC 7592). */
  readonly managementUri?: string
  /** The registration access token, sealed. */
  readonly sealedToken?: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy: string
}
