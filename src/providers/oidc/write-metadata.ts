import type { ClientMetadata } from '../../contracts/registration.js'
import { isMachine, type IssuerProfile } from './profiles.js'

/** A client as RFC 7591 §2 writes it. `own`: members that the operator adds for all. */
export function writeMetadata(
  metadata: ClientMetadata,
  profile: IssuerProfile,
  own: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { name, redirectUris = [], scopes, contacts, jwks } = metadata
  const { grantTypes = defaultGrants(metadata), authMethod = profile.authMethod } = metadata
  const usesCode = grantTypes.includes('authorization_code')
  const { responseTypes = usesCode ? ['code'] : [] } = metadata
  return {
    ...own,
    client_name: name,
    redirect_uris: redirectUris,
    grant_types: grantTypes,
    response_types: responseTypes,
    token_endpoint_auth_method: authMethod,
    ...(scopes !== undefined && { scope: scopes.join(' ') }),
    ...(contacts !== undefined && { contacts }),
    ...(jwks !== undefined && { jwks }),
    ...profile.members?.(metadata),
  }
}

function defaultGrants(metadata: ClientMetadata): readonly string[] {
  return isMachine(metadata) ? ['client_credentials'] : ['authorization_code', 'refresh_token']
}
