import { basicAuth, headers, linkIdentity, memoryStore, query } from 'clientele'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { parseList } from 'structured-headers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { curl } from '../support/curl.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { describeWithProgram } from '../support/needs.js'
import { jwtResource, opaqueResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { seededStore, type SeededClient } from '../support/seeded-store.js'

/** Clients that other people wrote, against a real provider and the middleware on a real socket. */
const apiClient = { clientId: 'the-api', clientSecret: 'the-secret-of-the-api-itself' }

describe.each(frameworks.filter(({ name }) => name === 'Express 5' || name === 'Koa 3'))('$name', (framework) => {
  let provider: OidcServer
  let server: Running
  let client: SeededClient
  let other: SeededClient

  beforeAll(async () => {
    const { store, clients } = await seededStore(memoryStore(), 5)
    client = clients.approved
    other = clients.none
    provider = await startOidcProvider([apiClient, client, other])
    await linkIdentity(store, { client: client.id, issuer: provider.issuer, clientId: client.clientId, actor: 'test' })
    await linkIdentity(store, { client: other.id, issuer: provider.issuer, clientId: other.clientId, actor: 'test' })
    const { issuer } = provider
    const common = { issuer, allowInsecureRequests: true } as const
    const app: App = {
      routes: {
        'ALL /id': (on) => [on.enforceClientId({ from: [headers(), query(), basicAuth()] })],
        'ALL /jwt': (on) => [on.validateJwt({ ...common, audience: jwtResource })],
        'ALL /write': (on) => [on.validateJwt({ ...common, audience: jwtResource, scopes: ['orders:write'] })],
        'ALL /opaque': (on) => [on.introspectToken({ ...common, as: apiClient, audience: opaqueResource })],
        'ALL /limited': (on) => [on.enforceClientId({ from: [basicAuth()] }), on.limitBySla()],
      },
    }
    server = await framework.start({ api: 'orders', store }, app)
  })

  afterAll(async () => {
    await server.close()
    await provider.close()
  })

  describeWithProgram('curl', '--version')('curl', () => {
    it.each(['header', 'query', '-u'])('by %s', async (way) => {
      const { clientId, clientSecret } = client
      const url = `${server.url}/id`
      const parameters =
        way === 'header'
          ? [url, '-H', `client_id: ${clientId}`, '-H', `client_secret: ${clientSecret}`]
          : way === 'query'
            ? ['-G', url, '-d', `client_id=${clientId}`, '--data-urlencode', `client_secret=${clientSecret}`]
            : [url, '-u', `${clientId}:${clientSecret}`]
      expect((await curl(...parameters)).status).toBe(200)
    })

    it('reads a problem document', async () => {
      const { status, head, body } = await curl(`${server.url}/id`, '-u', 'nobody:nothing')
      expect(status).toBe(401)
      expect(head).toMatch(/content-type: application\/problem\+json/i)
      expect(JSON.parse(body)).toMatchObject({ code: 'client_invalid', status: 401 })
    })
  })

  describe('openid-client', () => {
    const discover = async (): Promise<openid.Configuration> =>
      openid.discovery(new URL(provider.issuer), client.clientId, client.clientSecret, undefined, {
        // The provider of the tests speaks http.
        // eslint-disable-next-line @typescript-eslint/no-deprecated
        execute: [openid.allowInsecureRequests],
      })

    it.each([
      ['/jwt', jwtResource],
      ['/opaque', opaqueResource],
    ])('gets a token and calls %s with it', async (path, resource) => {
      const configuration = await discover()
      const { access_token: token } = await openid.clientCredentialsGrant(configuration, { resource })
      const response = await openid.fetchProtectedResource(configuration, token, new URL(`${server.url}${path}`), 'GET')
      expect(response.status).toBe(200)
    })

    it('understands what a bad token is told', async () => {
      const call = openid.fetchProtectedResource(await discover(), 'nonsense', new URL(`${server.url}/jwt`), 'GET')
      await expect(call).rejects.toMatchObject({
        cause: [{ scheme: 'bearer', parameters: { realm: 'orders', error: 'invalid_token' } }],
      })
    })
  })

  describe('oauth4webapi', () => {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the provider of the tests speaks http
    const insecure = { [oauth.allowInsecureRequests]: true } as const

    async function tokenFor({ clientId, clientSecret }: SeededClient, resource: string): Promise<string> {
      const issuer = new URL(provider.issuer)
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
      const response = await oauth.clientCredentialsGrantRequest(
        as,
        { client_id: clientId },
        oauth.ClientSecretBasic(clientSecret),
        { resource },
        insecure,
      )
      return (await oauth.processClientCredentialsResponse(as, { client_id: clientId }, response)).access_token
    }

    it('is told which scope is lacking, in a challenge that it parses', async () => {
      const token = await tokenFor(client, jwtResource)
      const call = oauth.protectedResourceRequest(
        token,
        'GET',
        new URL(`${server.url}/write`),
        undefined,
        undefined,
        insecure,
      )
      await expect(call).rejects.toMatchObject({
        cause: [{ scheme: 'bearer', parameters: { error: 'insufficient_scope', scope: 'orders:write' } }],
      })
    })

    it('is turned away without a contract, by status and code', async () => {
      const token = await tokenFor(other, jwtResource)
      const response = await oauth.protectedResourceRequest(
        token,
        'GET',
        new URL(`${server.url}/jwt`),
        undefined,
        undefined,
        insecure,
      )
      expect([response.status, await response.json()]).toEqual([
        403,
        expect.objectContaining({ code: 'contract_missing' }),
      ])
    })
  })

  describe('structured-headers', () => {
    it('reads where the client stands, up to the 429', async () => {
      const authorization = `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`
      const seen: [number, unknown][] = []
      for (let index = 0; index < 6; index += 1) {
        const response = await fetch(`${server.url}/limited`, { headers: { authorization } })
        const [limit] = parseList(response.headers.get('ratelimit') ?? '')
        const [policy] = parseList(response.headers.get('ratelimit-policy') ?? '')
        expect(limit?.[0]).toBe(policy?.[0])
        expect([policy?.[1].get('q'), policy?.[1].get('w')]).toEqual([5, 60])
        seen.push([response.status, limit?.[1].get('r')])
        if (response.status === 429) {
          expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(Number(limit?.[1].get('t')))
        }
      }
      expect(seen).toEqual([
        [200, 4],
        [200, 3],
        [200, 2],
        [200, 1],
        [200, 0],
        [429, 0],
      ])
    })
  })
})
