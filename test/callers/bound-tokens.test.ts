import { Agent, request } from 'node:https'
import { linkIdentity, memoryReplays, memoryStore } from 'clientele'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerOf, type Answer } from '../support/call.js'
import { selfSigned, type Certified } from '../support/certificate.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { jwtResource, opaqueResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { seededStore, type SeededClient } from '../support/seeded-store.js'

/** What callers know; a proxy leads from there to the server. */
const publicUrl = 'https://api.example.com'
const apiClient = { clientId: 'orders-api', clientSecret: 'the-secret-of-the-api-itself' }
const bound = 'bound-client-mtls'
const tlsServer = selfSigned('api')
const ours = selfSigned('client')
const theirs = selfSigned('stranger')

interface Request {
  readonly url: string
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly ca: string
  readonly as?: Certified
  readonly body?: string
}

/** One request with a client certificate, which the `fetch` of Node cannot send. */
function overTls({ url, method = 'GET', fields = {}, ca, as, body }: Request): Promise<Answer> {
  const own = as && { cert: as.certificate, key: as.privateKey }
  const agent = new Agent({ ca, ...own })
  return new Promise((resolve, reject) => {
    request(url, { method, headers: fields, agent }, (response) => {
      answerOf(response).then(resolve, reject)
    })
      .on('error', reject)
      .end(body)
  })
}

describe.each(frameworks.filter(({ name }) => name === 'Express 5' || name === 'Koa 3'))('$name', (framework) => {
  let provider: OidcServer
  let server: Running
  let secured: Running
  let client: SeededClient

  beforeAll(async () => {
    const { store, clients } = await seededStore(memoryStore())
    client = clients.approved
    provider = await startOidcProvider([
      apiClient,
      client,
      { clientId: bound, clientSecret: 'the-secret-of-the-bound' },
    ])
    const { issuer } = provider
    for (const clientId of [client.clientId, bound]) {
      await linkIdentity(store, { client: client.id, issuer, clientId, actor: 'test' })
    }
    const common = { issuer, allowInsecureRequests: true } as const
    const dpop = { publicUrl, replays: memoryReplays() }
    const nonces = { ...dpop, nonces: { secret: 'a secret of the nonces, which is long enough' } }
    const app: App = {
      routes: {
        'ALL /jwt': (on) => [on.validateJwt({ ...common, audience: jwtResource, dpop })],
        'ALL /jwt-nonces': (on) => [on.validateJwt({ ...common, audience: jwtResource, dpop: nonces })],
        'ALL /opaque': (on) => [on.introspectToken({ ...common, as: apiClient, audience: opaqueResource, dpop })],
        'ALL /opaque-nonces': (on) => [
          on.introspectToken({ ...common, as: apiClient, audience: opaqueResource, dpop: nonces, signedAnswers: true }),
        ],
        'ALL /write': (on) => [on.validateJwt({ ...common, audience: jwtResource, dpop, scopes: ['orders:write'] })],
        'ALL /.well-known/oauth-protected-resource/orders': (on) => [on.resourceMetadata()],
        'ALL /fresh': (on) => [
          on.validateJwt({ ...common, audience: jwtResource, dpop }),
          on.requireAuthentication({ acrValues: ['gold'], maxAgeSeconds: 60 }),
        ],
      },
    }
    const resource = { identifier: `${publicUrl}/orders`, authorizationServers: [issuer] }
    server = await framework.start({ api: 'orders', store, resource }, app)
    const tls = { key: tlsServer.privateKey, cert: tlsServer.certificate, requestCert: true, rejectUnauthorized: false }
    const certified: App['routes'] = {
      'ALL /jwt': (on) => [on.validateJwt({ ...common, audience: jwtResource, clientCertificate: 'tls' })],
      'ALL /opaque': (on) => [
        on.introspectToken({ ...common, as: apiClient, audience: opaqueResource, clientCertificate: 'tls' }),
      ],
    }
    secured = await framework.start({ api: 'orders', store }, { routes: certified }, tls)
  })
  afterAll(async () => {
    await server.close()
    await secured.close()
    await provider.close()
  })

  /** The way from the public address to the server. */
  const proxied = (url: string | URL, init?: RequestInit): Promise<Response> =>
    fetch(String(url).replace(publicUrl, server.url), init)
  const at = (path: string): URL => new URL(path, publicUrl)

  describe('oauth4webapi', () => {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the provider of the tests speaks http
    const insecure = { [oauth.allowInsecureRequests]: true } as const

    async function tokenFor(resource: string, DPoP: oauth.DPoPHandle): Promise<oauth.TokenEndpointResponse> {
      const issuer = new URL(provider.issuer)
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
      const own = { client_id: client.clientId }
      const authentication = oauth.ClientSecretBasic(client.clientSecret)
      const options = { ...insecure, DPoP }
      const response = await oauth.clientCredentialsGrantRequest(as, own, authentication, { resource }, options)
      return oauth.processClientCredentialsResponse(as, own, response)
    }

    const send = (token: string, path: string, DPoP: oauth.DPoPHandle): Promise<Response> =>
      oauth.protectedResourceRequest(token, 'GET', at(path), undefined, undefined, {
        DPoP,
        [oauth.customFetch]: proxied,
      })

    it.each([
      ['ES256', '/jwt', jwtResource],
      ['RS256', '/jwt', jwtResource],
      ['PS256', '/jwt', jwtResource],
      ['Ed25519', '/jwt', jwtResource],
      ['ES256', '/opaque', opaqueResource],
    ])('proves with %s at %s that it holds the key', async (algorithm, path, resource) => {
      const handle = oauth.DPoP({}, await oauth.generateKeyPair(algorithm))
      const { access_token: token, token_type: type } = await tokenFor(resource, handle)
      expect(type).toBe('dpop')
      for (let round = 0; round < 2; round += 1) expect((await send(token, path, handle)).status).toBe(200)
      const stranger = oauth.DPoP({}, await oauth.generateKeyPair(algorithm))
      await expect(send(token, path, stranger)).rejects.toMatchObject({
        status: 401,
        cause: [{ scheme: 'dpop', parameters: { error: 'invalid_token' } }],
      })
      const bearing = oauth.protectedResourceRequest(token, 'GET', at(path), undefined, undefined, {
        [oauth.customFetch]: proxied,
      })
      await expect(bearing).rejects.toMatchObject({
        status: 401,
        cause: [
          { scheme: 'bearer', parameters: { error: 'invalid_token' } },
          { scheme: 'dpop', parameters: { algs: expect.stringContaining('ES256') as string } },
        ],
      })
    })

    it.each([
      ['/jwt-nonces', jwtResource],
      ['/opaque-nonces', opaqueResource],
    ])('is asked for a nonce at %s, understands, and comes back with it', async (path, resource) => {
      const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
      const { access_token: token } = await tokenFor(resource, handle)
      const refused: unknown = await send(token, path, handle).catch((error: unknown) => error)
      expect(oauth.isDPoPNonceError(refused)).toBe(true)
      // From here on it knows the nonce, by itself.
      expect((await send(token, path, handle)).status).toBe(200)
      expect((await send(token, path, handle)).status).toBe(200)
    })

    it('is told in a challenge that it parses what else is wanted', async () => {
      const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
      const { access_token: token } = await tokenFor(jwtResource, handle)
      const metadata = `${publicUrl}/.well-known/oauth-protected-resource/orders`
      await expect(send(token, '/write', handle)).rejects.toMatchObject({
        status: 403,
        cause: [
          {
            scheme: 'dpop',
            parameters: { error: 'insufficient_scope', scope: 'orders:write', resource_metadata: metadata },
          },
        ],
      })
      await expect(send(token, '/fresh', handle)).rejects.toMatchObject({
        status: 401,
        cause: [
          {
            scheme: 'dpop',
            parameters: { error: 'insufficient_user_authentication', acr_values: 'gold', max_age: '60' },
          },
        ],
      })
    })
  })

  describe('openid-client', () => {
    it.each([
      ['/jwt', jwtResource],
      ['/jwt-nonces', jwtResource],
      ['/opaque-nonces', opaqueResource],
    ])('calls %s with proofs', async (path, resource) => {
      const configuration = await openid.discovery(
        new URL(provider.issuer),
        client.clientId,
        client.clientSecret,
        undefined,
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the provider of the tests speaks http
        { execute: [openid.allowInsecureRequests] },
      )
      const DPoP = openid.getDPoPHandle(configuration, await openid.randomDPoPKeyPair('ES256'))
      const { access_token: token } = await openid.clientCredentialsGrant(configuration, { resource }, { DPoP })
      configuration[openid.customFetch] = proxied
      for (let round = 0; round < 2; round += 1) {
        const options = { DPoP }
        const response = await openid.fetchProtectedResource(
          configuration,
          token,
          at(path),
          'GET',
          undefined,
          undefined,
          options,
        )
        expect(response.status).toBe(200)
      }
    })
  })

  it('oauth4webapi finds the metadata that the challenge names, and the issuer in them', async () => {
    const challenged = await proxied(at('/jwt'))
    const named = /resource_metadata="([^"]+)"/.exec(challenged.headers.get('www-authenticate') ?? '')?.[1]
    const resource = at('/orders')
    const response = await oauth.resourceDiscoveryRequest(resource, { [oauth.customFetch]: proxied })
    expect(named).toBe(`${publicUrl}/.well-known/oauth-protected-resource/orders`)
    expect(response.url).toBe(String(named).replace(publicUrl, server.url))
    const metadata = await oauth.processResourceDiscoveryResponse(resource, response)
    expect(metadata.authorization_servers).toEqual([provider.issuer])
  })

  describe('a certificate-bound token over mutual TLS', () => {
    async function boundToken(resource: string, as: Certified): Promise<string> {
      const { tokenUrl, ca } = provider.mutualTls
      const pair = Buffer.from(`${bound}:the-secret-of-the-bound`).toString('base64')
      const answer = await overTls({
        url: tokenUrl,
        ca,
        as,
        method: 'POST',
        fields: { authorization: `Basic ${pair}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }).toString(),
      })
      return String((answer.json as { access_token?: string }).access_token)
    }

    it.each([
      ['/jwt', jwtResource],
      ['/opaque', opaqueResource],
    ])('works at %s with its certificate alone', async (path, resource) => {
      const token = await boundToken(resource, ours)
      const send = (as?: Certified): Promise<Answer> =>
        overTls({
          url: `${secured.url}${path}`,
          ca: tlsServer.certificate,
          fields: { authorization: `Bearer ${token}` },
          ...(as && { as }),
        })
      expect((await send(ours)).status).toBe(200)
      expect((await send(theirs)).status).toBe(401)
      expect((await send()).status).toBe(401)
      expect((await send(ours)).status).toBe(200)
      const bearing = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
      expect(bearing.status).toBe(401)
    })
  })
})
