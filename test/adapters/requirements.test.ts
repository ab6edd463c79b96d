import { memoryReplays } from 'clientele'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { IntrospectTokenOptions, ValidateJwtOptions } from '../../src/clientele.js'
import { bearer, expectRefusal, type Headers } from '../attacks/attacked.js'
import { call, type Answer } from '../support/call.js'
import { dpopProof, proofKeys, withProof } from '../support/dpop-proof.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { json, startKeyServer, type KeyServer } from '../support/key-server.js'
import { ownReader, type OwnReader } from '../support/own-reader.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer, type AttackedIssuer } from '../support/token-attacks.js'

const metadataUrl = 'https://api.example.com/.well-known/oauth-protected-resource/orders'
const resource = {
  identifier: 'https://api.example.com/orders',
  authorizationServers: ['https://issuer.example'],
  scopes: ['orders:read'],
  members: { resource_name: 'Orders' },
}

let issuer: KeyServer
let target: AttackedIssuer
let reader: OwnReader

beforeAll(async () => {
  issuer = await startKeyServer()
  target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
  issuer.on('/introspect', json({ active: true, client_id: target.clientId, aud: 'orders', scope: 'opaque' }))
  reader = ownReader()
  reader.register(target.issuer, target.clientId)
})
afterAll(() => issuer.close())

const common = () => ({ issuer: target.issuer, audience: target.audience, allowInsecureRequests: true })
const jwt = (): ValidateJwtOptions => ({ ...common(), jwks: { keys: [target.key.jwk] } })
const opaque = (): IntrospectTokenOptions => ({
  ...common(),
  endpoint: `${issuer.url}/introspect`,
  as: { clientId: 'orders-api', clientSecret: 'introspection-secret' },
})

describe.each(frameworks)('$name', (framework) => {
  let server: Running
  const events: unknown[] = []
  const keys = proofKeys()

  beforeAll(async () => {
    const dpop = { publicUrl: 'https://api.example.com', replays: memoryReplays() }
    const routes: App['routes'] = {
      'ALL /scopes': (on) => [on.validateJwt({ ...jwt(), dpop }), on.requireScopes(['read', 'write'])],
      'ALL /any': (on) => [on.validateJwt(jwt()), on.requireScopes({ any: ['read', 'write'] })],
      'ALL /claims': (on) => [
        on.validateJwt(jwt()),
        on.requireClaims({ department: ['sales', 'support'], level: (level) => Number(level) > 2 }),
      ],
      'ALL /acr': (on) => [on.validateJwt(jwt()), on.requireAuthentication({ acrValues: ['gold', 'silver'] })],
      'ALL /fresh': (on) => [on.validateJwt(jwt()), on.requireAuthentication({ maxAgeSeconds: 300 })],
      'ALL /either': (on) => [on.anyToken({ jwt: jwt(), opaque: opaque() }), on.requireScopes(['opaque'])],
      'ALL /client': (on) => [on.anyOf(on.validateJwt(jwt()), on.enforceClientId()), on.requireScopes(['read'])],
      'ALL /alone': (on) => [on.requireScopes(['read'])],
      'ALL /alone-claims': (on) => [on.requireClaims({ a: 1 })],
      'ALL /alone-user': (on) => [on.requireAuthentication({ maxAgeSeconds: 1 })],
      'ALL /.well-known/oauth-protected-resource/orders': (on) => [on.resourceMetadata()],
      'ALL /other': (on) => [on.resourceMetadata(), on.validateJwt(jwt())],
    }
    const onDecision = (event: unknown): number => events.push(event)
    server = await framework.start({ api: 'orders', store: reader, resource, onDecision }, { routes })
  })
  afterAll(() => server.close())

  const get = (path: string, fields: Headers = [], method = 'GET'): Promise<Answer> =>
    call(server.url, { path, headers: fields, method })
  const withClaims = (path: string, claims: Record<string, unknown>): Promise<Answer> =>
    get(path, bearer(accessToken(target, claims)))

  it('requireScopes: all of a list, or one of any', async () => {
    expect((await withClaims('/scopes', { scope: 'write read more' })).status).toBe(200)
    expect((await withClaims('/any', { scp: ['write'] })).status).toBe(200)
    const answer = await withClaims('/scopes', { scope: 'read' })
    expectRefusal(answer, 403, 'scope_insufficient')
    expect(answer.fields('www-authenticate')).toEqual([
      `Bearer realm="orders", resource_metadata="${metadataUrl}", error="insufficient_scope", scope="read write"`,
    ])
    expectRefusal(await withClaims('/any', {}), 403, 'scope_insufficient')
  })

  it('requireScopes answers a token of DPoP in its scheme', async () => {
    const token = accessToken(target, { scope: 'read', cnf: { jkt: keys.jkt } })
    const proof = dpopProof(keys, { url: 'https://api.example.com/scopes', token })
    const answer = await get('/scopes', withProof(token, proof))
    expectRefusal(answer, 403, 'scope_insufficient')
    expect(answer.fields('www-authenticate')).toEqual([expect.stringMatching(/^DPoP .*scope="read write"$/)])
  })

  it('requireScopes lets nobody in who has no token', async () => {
    const answer = await get('/client', [
      ['client_id', 'nobody'],
      ['client_secret', 'x'],
    ])
    expect(answer.status).toBe(401)
  })

  it('requireClaims: each as it has to be, and the reason names the claim alone', async () => {
    expect((await withClaims('/claims', { department: 'sales', level: 3 })).status).toBe(200)
    for (const claims of [{}, { department: 'canary', level: 3 }, { department: ['sales'], level: 3 }]) {
      const answer = await withClaims('/claims', claims)
      expectRefusal(answer, 403, 'claims_insufficient')
      expect(answer.text).not.toContain('canary')
      expect(events.at(-1)).toMatchObject({ policy: 'requireClaims', reason: 'claim:department' })
    }
    expectRefusal(await withClaims('/claims', { department: 'sales', level: 2 }), 403, 'claims_insufficient')
  })

  it('requireAuthentication: by acr', async () => {
    for (const acr of ['gold', 'silver']) expect((await withClaims('/acr', { acr })).status).toBe(200)
    for (const acr of [undefined, 'bronze', ['gold'], '']) {
      const answer = await withClaims('/acr', { acr })
      expectRefusal(answer, 401, 'authentication_insufficient')
      expect(answer.fields('www-authenticate')).toEqual([
        expect.stringMatching(/error="insufficient_user_authentication", acr_values="gold silver"$/),
      ])
    }
  })

  it('requireAuthentication: by age', async () => {
    expect((await withClaims('/fresh', { auth_time: nowSeconds() - 200 })).status).toBe(200)
    for (const auth_time of [undefined, nowSeconds() - 400, nowSeconds() + 100, '0', null]) {
      const answer = await withClaims('/fresh', { auth_time })
      expectRefusal(answer, 401, 'authentication_insufficient')
      expect(answer.fields('www-authenticate')).toEqual([expect.stringMatching(/, max_age="300"$/)])
    }
  })

  it.each(['/alone', '/alone-claims', '/alone-user'])('%s, where nobody is identified, is a mistake', async (path) => {
    const answer = await get(path)
    expect([answer.status, answer.json]).toEqual([
      500,
      expect.objectContaining({ handler: 'error', code: 'ERR_CLIENTELE_NOT_PROTECTED' }),
    ])
  })

  it('anyToken: by the shape of the token', async () => {
    expect((await get('/either', bearer('opaque-token'))).status).toBe(200)
    expect((await withClaims('/either', { scope: 'opaque' })).status).toBe(200)
    const asked = issuer.count('/introspect')
    expectRefusal(await withClaims('/either', { exp: 0 }), 401, 'token_invalid')
    expect(issuer.count('/introspect')).toBe(asked)
    expectRefusal(await get('/either'), 401, 'token_missing')
  })

  it('resourceMetadata: answers at its place and nowhere else', async () => {
    const path = new URL(metadataUrl).pathname
    const answer = await get(path)
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        resource: 'https://api.example.com/orders',
        authorization_servers: ['https://issuer.example'],
        scopes_supported: ['orders:read'],
        bearer_methods_supported: ['header'],
        resource_name: 'Orders',
      },
    ])
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect((await get(path, [], 'HEAD')).status).toBe(200)
    expect((await get(path, [], 'POST')).json).not.toHaveProperty('authorization_servers')
    const challenged = await get('/other')
    expectRefusal(challenged, 401, 'token_missing')
    expect(challenged.fields('www-authenticate')).toEqual([`Bearer realm="orders", resource_metadata="${metadataUrl}"`])
  })

  it.each<readonly [name: string, start: () => unknown]>([
    ['no scopes', () => build((on) => on.requireScopes([]))],
    ['a scope with a space', () => build((on) => on.requireScopes(['a b']))],
    ['no claims', () => build((on) => on.requireClaims({}))],
    ['a check that is none', () => build((on) => on.requireClaims({ a: {} as never }))],
    ['nothing asked of a user', () => build((on) => on.requireAuthentication({}))],
    ['an acr with a space', () => build((on) => on.requireAuthentication({ acrValues: ['a b'] }))],
    ['an age that is none', () => build((on) => on.requireAuthentication({ maxAgeSeconds: NaN }))],
    ['no resource', () => build((on) => on.resourceMetadata())],
    ['one kind of token', () => build((on) => on.anyToken({ jwt: jwt() } as never))],
    ['options of no kind', () => build((on) => on.anyToken(undefined as never))],
    [
      'a wrong resource',
      () =>
        framework.start(
          { api: 'a', store: reader, resource: { ...resource, identifier: 'http://x.example' } },
          { routes: {} },
        ),
    ],
  ])('is not built with %s', (_name, start) => {
    expect(start).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
  })

  function build(make: (on: Parameters<App['routes'][string]>[0]) => object): unknown {
    return framework.start({ api: 'orders', store: reader }, { routes: { 'ALL /': (on) => [make(on)] } })
  }
})
