import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import Provider, { type Configuration, type JWK } from 'oidc-provider'
import { selfSigned } from './certificate.js'

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
  /** The same over TLS, where it asks for a client certificate, and binds tokens to it. */
  readonly mutualTls: { readonly tokenUrl: string; readonly ca: string }
  /** Requests that the provider answered, by path. */
  readonly requests: ReadonlyMap<string, number>
  /** A token by client_credentials. */
  accessToken(client: OidcClient, resource: string, scope?: string): Promise<string>
  revoke(client: OidcClient, token: string): Promise<void>
  /** Signs with a new key from now on. `keepOld` still publishes the former ones, for the tokens that are out. */
  rotateKeys(options: { readonly keepOld: boolean }): void
  close(): Promise<void>
}

/** What lets anybody register clients at it. */
export const initialAccessToken = 'initial-access-token-of-the-provider'

/** A real authorization server on a free port of 127.0.0.1: client_credentials, opaque and JWT access tokens. */
export async function startOidcProvider(clients: readonly OidcClient[], algorithm = 'RS256'): Promise<OidcServer> {
  const requests = new Map<string, number>()
  let answer: RequestListener = (_request, response) => response.writeHead(503).end()
  const listener: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://provider')
    requests.set(pathname, (requests.get(pathname) ?? 0) + 1)
    answer(request, response)
  }
  const { certificate: cert, privateKey: key } = selfSigned('provider')
  const server = createServer(listener)
  const tlsServer = createTlsServer({ key, cert, requestCert: true, rejectUnauthorized: false }, listener)
  const servers = [server, tlsServer]
  const [port, tlsPort] = await Promise.all(servers.map(listening))
  const issuer = `http://127.0.0.1:${port}`

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
    mutualTls: { tokenUrl: `https://127.0.0.1:${tlsPort}/token`, ca: cert },
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
    close: async () => {
      await Promise.all(servers.map(closed))
    },
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
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
      introspection_signed_response_alg: algorithm as 'RS256',
      // Wherever it has a certificate to bind them to.
      tls_client_certificate_bound_access_tokens: clientId.endsWith('-mtls'),
    })),
    jwks: { keys },
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      jwtIntrospection: { enabled: true },
      dPoP: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        getCertificate: ({ socket }) =>
          'getPeerX509Certificate' in socket ? certificateOf(socket as TLSSocket) : undefined,
      },
      revocation: { enabled: true, allowedPolicy: () => true },
      registration: { enabled: true, initialAccessToken },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: true },
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
  const { privateKey } =
    algorithm === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : algorithm.startsWith('ES')
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: algorithm }
}

function certificateOf(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate()?.toString()
}

function post(url: string, { clientId, clientSecret }: OidcClient, form: Record<string, string>): Promise<Response> {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  return fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams(form),
  })
}
