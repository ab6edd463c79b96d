import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linkIdentity, memoryReplays, memoryStore } from 'clientele'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selfSigned } from '../support/certificate.js'
import { curl, type CurlAnswer } from '../support/curl.js'
import { dpopProof, proofKeys, type ProofKeys } from '../support/dpop-proof.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { describeWithProgram } from '../support/needs.js'
import { jwtResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { seededStore, type SeededClient } from '../support/seeded-store.js'

/** What callers know; a proxy leads from there to the server. */
const publicUrl = 'https://api.example.com'
const metadataPath = '/.well-known/oauth-protected-resource/orders'
const bound = { clientId: 'bound-client-mtls', clientSecret: 'the-secret-of-the-bound' }

const challengesOf = ({ head }: CurlAnswer): string[] =>
  [...head.matchAll(/^www-authenticate: (.*)$/gim)].map(([, value = '']) => value.trim())
const fieldOf = ({ head }: CurlAnswer, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? ''
const tokenIn = ({ body }: CurlAnswer): string => String((JSON.parse(body) as { access_token?: unknown }).access_token)

describeWithProgram('curl', '--version')('curl', () => {
  describe.each(frameworks)('calls $name', (framework) => {
    let provider: OidcServer
    let server: Running
    let secured: Running
    let client: SeededClient
    const folder = mkdtempSync(join(tmpdir(), 'clientele-curl-'))
    const fileOf = (name: string): string => join(folder, name)

    beforeAll(async () => {
      const { store, clients } = await seededStore(memoryStore())
      client = clients.approved
      provider = await startOidcProvider([client, bound])
      const { issuer } = provider
      for (const { clientId } of [client, bound]) {
        await linkIdentity(store, { client: client.id, issuer, clientId, actor: 'test' })
      }
      const tls = selfSigned('api')
      for (const [name, { certificate, privateKey }] of Object.entries({
        ours: selfSigned('client'),
        theirs: selfSigned('stranger'),
      })) {
        writeFileSync(fileOf(`${name}.pem`), certificate + privateKey, { mode: 0o600 })
      }
      writeFileSync(fileOf('provider-ca.pem'), provider.mutualTls.ca)
      writeFileSync(fileOf('api-ca.pem'), tls.certificate)
      const usual = { issuer, audience: jwtResource, allowInsecureRequests: true } as const
      const resource = { identifier: `${publicUrl}/orders`, authorizationServers: [issuer] }
      server = await framework.start({ api: 'orders', store, resource }, { routes: routes(usual) })
      const secure = { key: tls.privateKey, cert: tls.certificate, requestCert: true, rejectUnauthorized: false }
      const certified: App['routes'] = { 'ALL /jwt': (on) => [on.validateJwt({ ...usual, clientCertificate: 'tls' })] }
      secured = await framework.start({ api: 'orders', store }, { routes: certified }, secure)
    })
    afterAll(async () => {
      rmSync(folder, { recursive: true })
      await server.close()
      await secured.close()
      await provider.close()
    })

    function routes(usual: { issuer: string; audience: string; allowInsecureRequests: boolean }): App['routes'] {
      const dpop = { publicUrl, replays: memoryReplays() }
      const nonces = { ...dpop, nonces: { secret: 'a secret of the nonces, which is long enough' } }
      return {
        'ALL /jwt': (on) => [on.validateJwt(usual)],
        'ALL /dpop': (on) => [on.validateJwt({ ...usual, dpop })],
        'ALL /nonces': (on) => [on.validateJwt({ ...usual, dpop: nonces })],
        'ALL /places': (on) => [
          on.validateJwt({ ...usual, from: [{ form: 'access_token' }, { query: 'access_token' }] }),
        ],
        'ALL /fresh': (on) => [
          on.validateJwt(usual),
          on.requireAuthentication({ acrValues: ['gold', 'silver'], maxAgeSeconds: 60 }),
        ],
        [`ALL ${metadataPath}`]: (on) => [on.resourceMetadata()],
      }
    }

    function tokenRequest({ clientId, clientSecret }: { clientId: string; clientSecret: string }): string[] {
      const form = ['-d', 'grant_type=client_credentials', '--data-urlencode', `resource=${jwtResource}`]
      return ['-u', `${clientId}:${clientSecret}`, ...form]
    }
    const plainToken = async (): Promise<string> => tokenIn(await curl(provider.tokenUrl, ...tokenRequest(client)))
    const asBearer = (token: string): string[] => ['-H', `Authorization: Bearer ${token}`]

    async function tokenBoundTo(keys: ProofKeys): Promise<string> {
      const claims = { ath: undefined }
      const proof = dpopProof(keys, { url: provider.tokenUrl, method: 'POST', token: '', claims })
      return tokenIn(await curl(provider.tokenUrl, ...tokenRequest(client), '-H', `DPoP: ${proof}`))
    }
    const proven = (token: string, proof: string): string[] => [
      ...['-H', `Authorization: DPoP ${token}`],
      ...['-H', `DPoP: ${proof}`],
    ]

    it('with a token that is bound to a key, and a proof for each request', async () => {
      const keys = proofKeys()
      const token = await tokenBoundTo(keys)
      const proof = (): string => dpopProof(keys, { url: `${publicUrl}/dpop`, token })
      const used = proof()
      const url = `${server.url}/dpop`
      expect((await curl(url, ...proven(token, used))).status).toBe(200)
      expect((await curl(url, ...proven(token, proof()))).status).toBe(200)
      const replayed = await curl(url, ...proven(token, used))
      expect([replayed.status, challengesOf(replayed)[0]]).toEqual([
        401,
        expect.stringMatching(/^DPoP .*error="invalid_/),
      ])
      const stolen = await curl(url, ...proven(token, dpopProof(proofKeys(), { url: `${publicUrl}/dpop`, token })))
      expect(stolen.status).toBe(401)
      const bare = await curl(url, ...asBearer(token))
      expect([bare.status, JSON.parse(bare.body)]).toEqual([401, expect.objectContaining({ code: 'token_invalid' })])
    })

    it('with the nonce that it is told', async () => {
      const keys = proofKeys()
      const token = await tokenBoundTo(keys)
      const url = `${server.url}/nonces`
      const proof = (claims: object = {}): string =>
        dpopProof(keys, { url: `${publicUrl}/nonces`, token, claims: { ...claims } })
      const asked = await curl(url, ...proven(token, proof()))
      expect(asked.status).toBe(401)
      expect(challengesOf(asked)[0]).toContain('error="use_dpop_nonce"')
      const answered = await curl(url, ...proven(token, proof({ nonce: fieldOf(asked, 'dpop-nonce') })))
      expect(answered.status).toBe(200)
    })

    it('over mutual TLS, with a token that is bound to its certificate', async () => {
      const certificate = (name: string): string[] => ['--cert', fileOf(`${name}.pem`)]
      const issued = await curl(
        provider.mutualTls.tokenUrl,
        ...['--cacert', fileOf('provider-ca.pem')],
        ...certificate('ours'),
        ...tokenRequest(bound),
      )
      const token = tokenIn(issued)
      const url = `${secured.url}/jwt`
      const call = (...as: string[]) => curl(url, '--cacert', fileOf('api-ca.pem'), ...asBearer(token), ...as)
      expect((await call(...certificate('ours'))).status).toBe(200)
      expect((await call(...certificate('theirs'))).status).toBe(401)
      expect((await call()).status).toBe(401)
    })

    it('with its token in a form or in the query, and not in both', async () => {
      const token = await plainToken()
      const url = `${server.url}/places`
      expect((await curl(url, '-d', 'a=1', '--data-urlencode', `access_token=${token}`)).status).toBe(200)
      const inQuery = await curl('-G', url, '-d', `access_token=${token}`, '-d', 'a=1')
      expect(inQuery.status).toBe(200)
      expect(inQuery.body).not.toContain(token)
      // RFC 6750 §2.3
      expect(fieldOf(inQuery, 'cache-control')).toContain('private')
      const twice = await curl(`${url}?access_token=${token}`, '-d', `access_token=${token}`)
      expect([twice.status, challengesOf(twice)[0]]).toEqual([400, expect.stringContaining('error="invalid_request"')])
      expect((await curl(url, ...asBearer(token))).status).toBe(401)
    })

    it('is told to let its user log in anew', async () => {
      const refused = await curl(`${server.url}/fresh`, ...asBearer(await plainToken()))
      expect(refused.status).toBe(401)
      const [challenge] = challengesOf(refused)
      // RFC 9470 §3
      for (const part of ['error="insufficient_user_authentication"', 'acr_values="gold silver"', 'max_age="60"']) {
        expect(challenge).toContain(part)
      }
    })

    it('finds by the challenge whom to ask for a token, and comes back with one', async () => {
      const [challenge = ''] = challengesOf(await curl(`${server.url}/jwt`))
      const named = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? ''
      expect(named).toBe(`${publicUrl}${metadataPath}`)
      const found = await curl(named.replace(publicUrl, server.url))
      expect(fieldOf(found, 'content-type')).toMatch(/^application\/json/)
      const metadata = JSON.parse(found.body) as { resource: string; authorization_servers: string[] }
      expect(metadata).toMatchObject({ resource: `${publicUrl}/orders`, authorization_servers: [provider.issuer] })
      const discovered = await curl(`${String(metadata.authorization_servers[0])}/.well-known/openid-configuration`)
      const { token_endpoint: endpoint } = JSON.parse(discovered.body) as { token_endpoint: string }
      const token = tokenIn(await curl(endpoint, ...tokenRequest(client)))
      expect((await curl(`${server.url}/jwt`, ...asBearer(token))).status).toBe(200)
    })
  })
})
