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
  const ownUrl = `${endpoint.replace(/\/$/, '')}/${encodeURIComponent(client.clientId)}`
  if (management === 'endpoint') return { url: ownUrl, authorization: await site.authorization(), secrets: [] }
  const { token, uri } = client.management
  if (token === undefined) {
    throw refusedByProvider(`The issuer gave no token to manage this client with, or nobody has passed it; ${byHand}`)
  }
  return { url: ownAddress(uri, endpoint) ?? ownUrl, authorization: `Bearer ${token}`, secrets: [token] }
}

/** An answer must not send us, or the token, to somebody else's server (RFC 7592 §5). */
function ownAddress(uri: string | undefined, endpoint: string): string | undefined {
  if (uri === undefined) return undefined
  if (URL.canParse(uri) && new URL(uri).origin === new URL(endpoint).origin) return uri
  throw issuerFault(hostOf(endpoint), 'answer', 'it has a client managed at another origin than it is registered at.')
}
