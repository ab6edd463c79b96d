import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type * as oidc from 'oidc-provider'
import type { ClientMetadata, Configuration, JWKS, ResourceServer } from 'oidc-provider'
import { issuerStorage } from './issuer-storage.js'

/** An application as the provider knows it. Without a secret it gets no tokens here. */
export interface TokenClient {
  readonly clientId: string
  readonly clientSecret: string | null
}

/** What tokens can be asked for, by resource indicator (RFC 8707). Short audiences keep the examples readable. */
export const resources = {
  orders: 'urn:demo:orders',
  reports: 'urn:demo:reports',
} as const

const resourceServers = new Map<string, ResourceServer>([
  [
    resources.orders,
    {
      audience: 'orders',
      scope: 'orders:read orders:write',
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: 'RS256' } },
    },
  ],
  [resources.reports, { audience: 'reports', scope: 'reports:read', accessTokenFormat: 'opaque' }],
])

const tokenLifetimeSeconds = 600

/** With whose ID and secret the orders API asks about opaque tokens. Both ends live here, so each start has its own. */
export const introspector = {
  clientId: 'orders-api',
  clientSecret: randomBytes(32).toString('base64url'),
}

/** An OpenID provider for machines: JWTs (RFC 9068) and opaque tokens by `client_credentials`, and introspection. */
export async function createIssuer(
  issuer: string,
  keys: JWKS,
  clients: readonly TokenClient[],
): Promise<RequestListener> {
  const { default: Provider, errors } = await loadProvider()
  const configuration: Configuration = {
    adapter: issuerStorage(),
    jwks: keys,
    clients: [introspector, ...clients].flatMap(machine),
    scopes: [...resourceServers.values()].flatMap(({ scope }) => scope.split(' ')),
    ttl: { ClientCredentials: () => tokenLifetimeSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client) => client.clientId === introspector.clientId,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => {
          const server = resourceServers.get(resource)
          if (server === undefined) throw new errors.InvalidTarget()
          return server
        },
      },
    },
  }
  const answer = new Provider(issuer, configuration).callback()
  return (request, response) => void answer(request, response)
}

function machine({ clientId, clientSecret }: TokenClient): ClientMetadata[] {
  if (clientSecret === null) return []
  const credentials = { client_id: clientId, client_secret: clientSecret }
  return [{ ...credentials, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }]
}

/** It warns of Node 20 as soon as it is loaded, and works there: the tests of this demo run on it. */
async function loadProvider(): Promise<typeof oidc> {
  const { warn } = console
  console.warn = () => undefined
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
  }
}
