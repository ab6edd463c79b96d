import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DecisionEvent } from '../../src/clientele.js'
import { bearer } from '../attacks/attacked.js'
import { call } from '../support/call.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { json, status } from '../support/key-server.js'
import { ownReader } from '../support/own-reader.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { rsaKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js'

const key = rsaKey('key')
let issuer: TokenIssuer

beforeAll(async () => {
  issuer = await startTokenIssuer()
  issuer.published = [key.jwk]
  issuer.server.on('/introspect', (request, response) => {
    const token = new URLSearchParams(request.body).get('token') ?? ''
    const answer = { active: token !== 'inactive', client_id: 'orders-client', aud: 'orders', tenant: 'other' }
    json(answer)(request, response)
  })
  issuer.server.on('/turned-away', status(401))
})
afterAll(() => issuer.close())

describe.each(frameworks)('$name: why a token was refused', (framework) => {
  const events: DecisionEvent[] = []
  let server: Running
  beforeAll(async () => {
    const reader = ownReader()
    reader.register(issuer.url, 'orders-client')
    const from = { issuer: issuer.url, audience: 'orders', allowInsecureRequests: true }
    const keys = { jwksUri: `${issuer.url}/jwks`, algorithms: ['RS256' as const] }
    const as = { clientId: 'api', clientSecret: 'secret' }
    const claims = { tenant: 'acme' }
    const isRevoked = (token: { claims: object }) => 'revoked' in token.claims
    const routes: App['routes'] = {
      'GET /jwt': (on) => [on.validateJwt({ ...from, ...keys, claims, isRevoked })],
      'GET /opaque': (on) => [
        on.introspectToken({ ...from, claims, as, endpoint: `${issuer.url}/introspect`, tokens: 'opaque' }),
      ],
      'GET /misled': (on) => [on.introspectToken({ ...from, as, endpoint: `${issuer.url}/turned-away` })],
    }
    const onDecision = (event: DecisionEvent): void => void events.push(event)
    server = await framework.start({ api: 'orders', store: reader, onDecision }, { routes })
  })
  afterAll(() => server.close())

  const jwt = (change: object = {}, header: object = {}, signer = key): string =>
    issuer.token(signer, { tenant: 'acme', ...change }, header)
  const reasons: readonly (readonly [reason: string, path: string, token: () => string])[] = [
    ['malformed', '/jwt', () => 'opaque'],
    ['malformed', '/jwt', () => jwt({}, { crit: ['x'] })],
    ['algorithm', '/jwt', () => jwt({}, { alg: 'RS512' })],
    ['type', '/jwt', () => jwt({}, { typ: 'logout+jwt' })],
    ['type', '/jwt', () => jwt({ nonce: 'n' }, { typ: 'JWT' })],
    ['issuer', '/jwt', () => jwt({ iss: 'https://other.example' })],
    ['key', '/jwt', () => jwt({}, { kid: 'never-was' })],
    ['signature', '/jwt', () => jwt({}, {}, rsaKey('key'))],
    ['expired', '/jwt', () => jwt({ exp: nowSeconds() - 60 })],
    ['not_yet', '/jwt', () => jwt({ nbf: nowSeconds() + 3600 })],
    ['audience', '/jwt', () => jwt({ aud: 'reports' })],
    ['bound', '/jwt', () => jwt({ cnf: { jkt: 'x' } })],
    ['revoked', '/jwt', () => jwt({ revoked: true })],
    ['client', '/jwt', () => jwt({ client_id: 7 })],
    ['claim:exp', '/jwt', () => jwt({ exp: 'soon' })],
    ['claim:tenant', '/jwt', () => jwt({ tenant: 'canary' })],
    ['claim:tenant', '/opaque', () => randomBytes(9).toString('base64url')],
    ['inactive', '/opaque', () => 'inactive'],
    ['format', '/opaque', () => jwt()],
  ]

  it.each(reasons)('%s at %s: in the event, and the same answer to the caller', async (reason, path, token) => {
    const [usual, answer] = [
      await call(server.url, { path, headers: bearer('a.b') }),
      await call(server.url, { path, headers: bearer(token()) }),
    ]
    expect(events.at(-1)).toMatchObject({ verdict: 'refused', code: 'token_invalid', reason })
    expect(answer.status).toBe(401)
    expect(answer.text).not.toMatch(/reason|canary/)
    if (path === '/jwt')
      expect([answer.text, answer.fields('www-authenticate')]).toEqual([usual.text, usual.fields('www-authenticate')])
    expect(JSON.stringify(events)).not.toContain('canary')
  })

  it('an admission and another refusal have none', async () => {
    expect((await call(server.url, { path: '/jwt', headers: bearer(jwt()) })).status).toBe(200)
    expect(events.at(-1)).toMatchObject({ verdict: 'admitted' })
    expect(events.at(-1)?.reason).toBeUndefined()
    await call(server.url, { path: '/jwt' })
    expect(events.at(-1)).toMatchObject({ code: 'token_missing' })
    expect(events.at(-1)?.reason).toBeUndefined()
  })

  it('an outage has the reason of its fault: it is we who are turned away', async () => {
    const answer = await call(server.url, { path: '/misled', headers: bearer('opaque') })
    expect(answer.status).toBe(503)
    expect(events.at(-1)).toMatchObject({ verdict: 'fault', code: 'ERR_CLIENTELE_ISSUER', reason: 'credentials' })
  })
})
