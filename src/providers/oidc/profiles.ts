import type { ClientAuthMethod, ClientMetadata } from '../../contracts/registration.js'

/** How an authorization server departs from RFC 7591 and RFC 7592. */
export interface IssuerProfile {
  /** Before the token that allows to register. */
  readonly scheme: 'Bearer' | 'SSWS'
  /**
   * How a client is changed and removed: `registration token` by the address and the token that it was given (RFC
   * 7592), `endpoint` below the registration endpoint with what allows to register, or not at all.
   */
  readonly management: 'registration token' | 'endpoint' | 'none'
  /** What is added to a client's address to give it a new secret; otherwise a new client comes in its place. */
  readonly newSecretPath?: string
  /** How clients prove themselves where nobody says it. */
  readonly authMethod: ClientAuthMethod
  /** Members of its own, by what is asked for. */
  readonly members?: (metadata: ClientMetadata) => Readonly<Record<string, unknown>>
  /** It answers a page of HTML with a status of success where it refuses. */
  readonly refusesByPage?: boolean
  readonly needsRedirectUris?: boolean
}

const plain = { scheme: 'Bearer', management: 'registration token', authMethod: 'client_secret_basic' } as const

/**
 * One row per issuer. What is lenient with everybody stands in read-registration.ts: 200 for 201, texts for numbers,
 * other names for the same.
 */
export const issuerProfiles = {
  /** RFC 7591 and RFC 7592 as they are written. */
  rfc: plain,
  /**
   * developer.okta.com, Dynamic Client Registration: `SSWS` and a token of an administrator, or an access token with
   * the scope okta.clients.manage; managed at /oauth2/v1/clients/{id}; a machine is an application of type `service`.
   */
  okta: {
    scheme: 'SSWS',
    management: 'endpoint',
    newSecretPath: '/lifecycle/newSecret',
    authMethod: 'client_secret_basic',
    members: (metadata) =>
      isMachine(metadata)
        ? { application_type: 'service', response_types: ['token'] }
        : { application_type: metadata.authMethod === 'none' ? 'native' : 'web' },
  },
  /** auth0.com, Dynamic Client Registration: open or with a token; no management; only client_secret_post or none. */
  auth0: { ...plain, management: 'none', authMethod: 'client_secret_post', needsRedirectUris: true },
  /** keycloak.org, Client registration: the registration token is another after each use. */
  keycloak: plain,
  /** backstage.forgerock.com, /oauth2/register: GET, PUT and DELETE at the address that it gives, which has a query. */
  forgerock: plain,
  /** help.salesforce.com, Dynamic Client Registration: an initial access token; no management. */
  salesforce: { ...plain, management: 'none', needsRedirectUris: true },
  /** docs.pingidentity.com, /as/clients.oauth2: managed at the `registration_client_uri` that it gives. */
  pingfederate: plain,
  /** Glewlwyd 2.7, as measured: 200 to a registration and to a DELETE; redirect URIs for machines, too. */
  glewlwyd: { ...plain, needsRedirectUris: true },
  /** LemonLDAP::NG 2.16, as measured: no registration token; refuses a redirect URI with 201 and a page. */
  lemonldap: { ...plain, management: 'none', refusesByPage: true },
} as const satisfies Readonly<Record<string, IssuerProfile>>

export type IssuerProfileName = keyof typeof issuerProfiles

export function isMachine({ grantTypes, redirectUris }: ClientMetadata): boolean {
  if (grantTypes !== undefined) return grantTypes.every((type) => type === 'client_credentials')
  return redirectUris === undefined || redirectUris.length === 0
}
