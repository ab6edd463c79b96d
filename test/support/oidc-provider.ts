import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration, type JWK } from 'oidc-provider'

export interface OidcClient {
  readonly clientId: string
  readonly clientSecret: string
}

/** A resource of the provider: how its access tokens look is a matter of its name alone. */
export const jwtResource = 'https://api.example.com/orders'
export const opaqueResource = 'https://api.example.com/reports'

export interface OidcServer {
  readonly issuer: string
  readonly tokenUrl: string
  /** Requests that the provider answered, by path. */
  readonly requests: ReadonlyMap<string, number>
  /** A token by client_credentials. */
  accessToken(client: OidcClient, resource: string, scope?: string): Promise<string>
  revoke(client: OidcClient, token: string): Promise<void>
  /** Signs with a new key from now on. `keepOld` still publishes the former ones, for the tokens that are out. */
  rotateKeys(options: { readonly keepOld: boolean }): void
  close(): Promise<void>
}

/** A real authorization server on a free port of 127.0.0.1: client_credentials, opaque and JWT access tokens. */
export async function startOidcProvider(clients: readonly OidcClient[], algorithm = 'RS256'): Promise<OidcServer> {
  const requests = new Map<string, number>()
  let answer: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://provider')
    requests.set(pathname, (requests.get(pathname) ?? 0) + 1)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  let keys = [signingKey(algorithm)]
  const start = (): void => {
    // Tokens live in a store that all providers of the process share, so a new one knows those of the old one.
    const handle = new Provider(issuer, configuration(clients, keys, algorithm)).callback()
    answer = (request, response) => void handle(request, response)
  }
  start()

  return {
    issuer,
    tokenUrl: `${issuer}/token`,
    requests,
    accessToken: async (client, resource, scope = '') => {
      const form = { grant_type: 'client_credentials', resource, ...(scope !== '' && { scope }) }
      const answered = await post(`${issuer}/token`, client, form)
      const { access_token: token } = (await answered.json()) as { access_token?: string }
      if (token === undefined) throw new Error(`The provider gave no token: ${answered.status}`)
      return token
    },
    revoke: async (client, token) => {
      const { status } = await post(`${issuer}/token/revocation`, client, { token })
      if (status !== 200) throw new Error(`The provider did not revoke: ${status}`)
    },
    rotateKeys: ({ keepOld }) => {
      keys = [signingKey(algorithm), ...(keepOld ? keys : [])]
      start()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function configuration(clients: readonly OidcClient[], keys: JWK[], algorithm: string): Configuration {
  return {
    clients: clients.map(({ clientId, clientSecret }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: algorithm as 'RS256',
    })),
    jwks: { keys },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'orders:read orders:write',
          audience: resource,
          accessTokenFormat: resource === opaqueResource ? 'opaque' : 'jwt',
          ...(resource !== opaqueResource && { jwt: { sign: { alg: algorithm as 'RS256' } } }),
        }),
      },
    },
  }
}

function signingKey(algorithm: string): JWK {
  const { privateKey } = algorithm.startsWith('ES')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: algorithm }
}

function post(url: string, { clientId, clientSecret }: OidcClient, form: Record<string, string>): Promise<Response> {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  return fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams(form),
  })
}
