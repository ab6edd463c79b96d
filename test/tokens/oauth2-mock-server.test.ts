import { randomUUID } from 'node:crypto'
import { OAuth2Server, type MutableResponse } from 'oauth2-mock-server'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IntrospectTokenOptions } from '../../src/policies/introspection-options.js'
import { introspectToken } from '../../src/policies/introspect-token.js'
import { validateJwt } from '../../src/policies/validate-jwt.js'
import { tokenEngines } from '../../src/tokens/engines.js'
import type { IssuerEvent } from '../../src/tokens/issuer-event.js'
import { decideOn } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'

const clientId = 'orders-client'
const as = { clientId: 'orders-api', clientSecret: 'api-secret' }
const usual = { audience: 'orders', allowInsecureRequests: true }

describe.each([
  ['', false],
  [' and whose name ends in a slash', true],
])('oauth2-mock-server, which says yes to everything%s', (_name, shouldIssuerUrlBeSuffixedWithATralingSlash) => {
  const server = new OAuth2Server(undefined, undefined, { shouldIssuerUrlBeSuffixedWithATralingSlash })
  let issuer: string
  let reader: OwnReader
  let events: IssuerEvent[]
  let asked: number
  let answer: (response: MutableResponse) => void

  beforeAll(async () => {
    await server.issuer.keys.generate('RS256', { kid: 'first' })
    await server.start(0, '127.0.0.1')
    issuer = server.issuer.url ?? ''
    server.service.on('beforeIntrospect', (response: MutableResponse) => {
      asked += 1
      answer(response)
    })
  })
  afterAll(() => server.stop())
  beforeEach(() => {
    events = []
    asked = 0
    answer = () => undefined
    reader = ownReader()
    reader.register(issuer, clientId)
  })

  const context = () => ({ ...contextOf(reader), tokens: tokenEngines((event) => events.push(event)) })
  const introspecting = (options: Partial<IntrospectTokenOptions> = {}) =>
    introspectToken(context(), { ...usual, issuer, as, ...options })

  it('ends in a slash where it should', () => {
    expect(issuer.endsWith('/')).toBe(shouldIssuerUrlBeSuffixedWithATralingSlash)
  })

  it('calls garbage active, and nobody is let in for that', async () => {
    expect(await decideOn(introspecting(), 'garbage')).toBe('token_invalid')
    expect(await decideOn(introspecting({ audience: null }), 'garbage')).toBe('client_unnamed')
    expect([asked, events]).toEqual([2, []])
  })

  const good = { active: true, client_id: clientId, aud: 'orders' }
  const fault = (reason: string) => ({ code: 'ERR_CLIENTELE_ISSUER', status: 503, reason })

  it.each([
    ['an empty text', 200, '', 'answer'],
    ['an active that is text', 200, { ...good, active: 'true' }, 'answer'],
    ['an exp that is text', 200, { ...good, exp: '1' }, 'answer'],
    ['500 with a good answer', 500, good, 'status'],
    ['201 with a good answer', 201, good, 'status'],
    ['401', 401, { error: 'invalid_client' }, 'credentials'],
    ['403 with a good answer', 403, good, 'credentials'],
    ['400 about us', 400, { error: 'unauthorized_client' }, 'credentials'],
    ['400 about the question', 400, { error: 'invalid_request' }, 'status'],
    ['429', 429, {}, 'throttled'],
  ] as const)('its %s is its fault, with an event that says which', async (_name, statusCode, body, reason) => {
    answer = (response) => Object.assign(response, { statusCode, body })
    const policy = introspecting()
    expect(await faultOf(() => decideOn(policy, randomUUID()))).toMatchObject(fault(reason))
    expect(events).toMatchObject([{ kind: 'introspection_failed', issuer, reason }])
  })

  it.each([
    ['401', 401, 'credentials', 1],
    ['429', 429, 'throttled', 1],
    ['500', 500, 'status', 5],
  ] as const)('after its %s there is no storm of questions', async (_name, statusCode, reason, most) => {
    answer = (response) => Object.assign(response, { statusCode, body: {} })
    const policy = introspecting()
    for (let count = 0; count < 30; count += 1) {
      expect(await faultOf(() => decideOn(policy, randomUUID()))).toMatchObject(fault(reason))
    }
    expect([asked, events.length]).toEqual([most, most])
  })

  it('goes on with the tokens that are remembered meanwhile', async () => {
    const policy = introspecting()
    answer = (response) => Object.assign(response, { body: good })
    expect(await decideOn(policy, 'known')).toBe('admitted')
    answer = (response) => Object.assign(response, { statusCode: 401, body: {} })
    expect(await faultOf(() => decideOn(policy, 'unknown'))).toMatchObject(fault('credentials'))
    expect(await decideOn(policy, 'known')).toBe('admitted')
  })

  type Change = (header: Record<string, unknown>, payload: Record<string, unknown>) => void
  function token(change: Change = () => undefined, options: { kid?: string; expiresIn?: number } = {}) {
    const claims = { client_id: clientId, aud: 'orders' }
    const scopesOrTransform: Change = (header, payload) => {
      change(header, Object.assign(payload, claims))
    }
    return server.issuer.buildToken({ ...options, scopesOrTransform })
  }
  const validating = () => validateJwt(context(), { ...usual, issuer })

  it('signs a JWT of type "JWT", which is taken', async () => {
    expect(await decideOn(validating(), await token())).toBe('admitted')
    expect(await decideOn(validating(), await token((header) => (header['typ'] = 'at+jwt')))).toBe('admitted')
  })

  it.each<[string, Change]>([
    ['no end', (_header, payload) => delete payload['exp']],
    ['an end that is text', (_header, payload) => (payload['exp'] = '4102444800')],
    ['an issuer that differs in a slash', (_header, payload) => (payload['iss'] = otherSlash(issuer))],
    ['no audience', (_header, payload) => delete payload['aud']],
    ['a nonce, as an ID token has', (_header, payload) => (payload['nonce'] = 'x')],
    ['another type', (header) => (header['typ'] = 'logout+jwt')],
    ['a member that must be understood', (header) => Object.assign(header, { crit: ['b64'], b64: true })],
    ['a key that it does not publish', (header) => (header['kid'] = 'never-published')],
    ['a client that is a list', (_header, payload) => (payload['client_id'] = [clientId])],
  ])('signs a JWT with %s, which is refused', async (_name, change) => {
    expect(await decideOn(validating(), await token(change))).toBe('token_invalid')
  })

  it('signs one that is over', async () => {
    expect(await decideOn(validating(), await token(undefined, { expiresIn: -100 }))).toBe('token_invalid')
  })

  it('signs with a key that it has added meanwhile', async () => {
    const policy = validating()
    expect(await decideOn(policy, await token())).toBe('admitted')
    await server.issuer.keys.generate('ES256', { kid: 'second' })
    expect(await decideOn(policy, await token(undefined, { kid: 'second' }))).toBe('admitted')
  })
})

function otherSlash(issuer: string): string {
  return issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`
}
