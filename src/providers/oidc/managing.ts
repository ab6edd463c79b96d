import { issuerFault } from '../../tokens/issuer-fault.js'
import { hostOf } from '../../tokens/issuer-settings.js'
import type { ManagedClient } from '../client-provider.js'
import { refusedByProvider } from '../provider-faults.js'
import type { IssuerSite } from './issuer-site.js'
import type { IssuerProfile } from './profiles.js'

/** Where one client is managed, and with what. */
export interface Managing {
  readonly url: string
  readonly authorization: string | undefined
  readonly secrets: readonly string[]
}

const byHand = 'do it there by hand; to remove it here, pass atIssuer: "leave".'

export async function managementOf(
  { management }: Pick<IssuerProfile, 'management'>,
  site: IssuerSite,
  client: ManagedClient,
): Promise<Managing> {
  if (management === 'none')
    throw refusedByProvider(`This issuer lets nobody change or remove clients this way; ${byHand}`)
  const endpoint = await site.registrationEndpoint()
  if (management === 'endpoint')
    return { url: below(endpoint, client.clientId), authorization: await site.authorization(), secrets: [] }
  const { token, uri } = client.management
  if (token === undefined) {
    throw refusedByProvider(`The issuer gave no token to manage this client with, or nobody has passed it; ${byHand}`)
  }
  return {
    url: ownAddress(uri, endpoint) ?? below(endpoint, client.clientId),
    authorization: `Bearer ${token}`,
    secrets: [token],
  }
}

/** A client ID of dots alone is not escaped by anything, and would name what is above. */
function below(endpoint: string, clientId: string): string {
  if (clientId === '.' || clientId === '..') {
    throw refusedByProvider(`The client ID ${clientId} cannot be part of an address; ${byHand}`)
  }
  return `${endpoint.replace(/\/$/, '')}/${encodeURIComponent(clientId)}`
}

/** An answer must not send us, or the token, to somebody else's server (RFC 7592 §5). */
function ownAddress(uri: string | undefined, endpoint: string): string | undefined {
  if (uri === undefined) return undefined
  if (URL.canParse(uri) && new URL(uri).origin === new URL(endpoint).origin) return uri
  throw issuerFault(hostOf(endpoint), 'answer', 'it has a client managed at another origin than it is registered at.')
}
