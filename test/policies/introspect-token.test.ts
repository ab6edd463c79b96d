import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { introspectToken } from '../../src/policies/introspect-token.js'
import type { IntrospectTokenOptions } from '../../src/policies/introspection-options.js'
import { bearing, decideOn, wordOf } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { json, outages, startKeyServer, status, type Behaviour, type KeyServer } from '../support/key-server.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { nowSeconds, rsaKey } from '../support/signed-jwt.js'
import { accessToken } from '../support/token-attacks.js'

const path = '/introspect'
const clientSecret = 'canary-s3cret: +%@'
const outage = {
  name: 'ClienteleFault',
  code: 'ERR_CLIENTELE_ISSUER',
  status: 503,
  retryAfterSeconds: expect.any(Number),
}

let server: KeyServer
let reader: OwnReader
let policy: ReturnType<typeof introspectToken>

beforeAll(async () => {
  server = await startKeyServer()
})
afterAll(() => server.close())
beforeEach(() => {
  reader = ownReader()
  reader.register(server.url, 'orders-client')
  policy = policyOf()
  answer({})
})
afterEach(() => {
  vi.useRealTimers()
})

function policyOf(options: Partial<IntrospectTokenOptions> = {}) {
  return introspectToken(contextOf(reader), {
    issuer: server.url,
    endpoint: `${server.url}${path}`,
    audience: 'orders',
    as: { clientId: 'orders-api_1', clientSecret },
    allowInsecureRequests: true,
    timeoutMs: 300,
    ...options,
  })
}

const good = { active: true, client_id: 'orders-client', aud: 'orders', scope: 'orders:read' }

/** What the server says from now on: a good answer, but for what is changed. */
function answer(change: object): void {
  server.on(path, json({ ...good, ...change }))
}

let count = 0
const newToken = (): string => `token-${++count}`

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
}

describe('introspectToken', () => {
  it('admits the client that the answer names, asking as RFC 7662 has it', async () => {
    const token = newToken()
    const verdict = await policy.decide(bearing(token), undefined)
    expect(verdict).toMatchObject({
      kind: 'admitted',
      strip: { headers: ['authorization'], query: [] },
      admission: {
        authenticated: true,
        client: { identity: { issuer: server.url, clientId: 'orders-client' } },
        contract: { tier: 'gold' },
        claims: good,
        scopes: ['orders:read'],
      },
    })
    const asked = server.received.at(-1)
    expect(asked).toMatchObject({ method: 'POST', path, headers: { accept: 'application/json' } })
    expect(new URLSearchParams(asked?.body).get('token')).toBe(token)
    const [id, secret] = Buffer.from(String(asked?.headers.authorization).slice('Basic '.length), 'base64')
      .toString()
      .split(':')
    expect(id).toBe('orders-api_1')
    expect(decodeURIComponent(String(secret).replaceAll('+', ' '))).toBe(clientSecret)
  })

  it('sends ID and secret in the body where that is asked for', async () => {
    await decideOn(policyOf({ as: { clientId: 'api', clientSecret, method: 'post' } }), newToken())
    const asked = server.received.at(-1)
    const form = new URLSearchParams(asked?.body)
    expect([form.get('client_id'), form.get('client_secret')]).toEqual(['api', clientSecret])
    expect(asked?.headers.authorization).toBeUndefined()
  })

  it.each([
    ['scopes it lacks', { scopes: ['orders:write'] }, {}, 'scope_insufficient'],
    ['any scope', { scopes: { any: ['orders:write', 'orders:read'] } }, {}, 'admitted'],
    ['a list of audiences', {}, { aud: ['x', 'orders'] }, 'admitted'],
    ['a wrong audience', {}, { aud: 'reports' }, 'token_invalid'],
    ['no audience', {}, { aud: undefined }, 'token_invalid'],
    ['no audience, where none is asked for', { audience: null }, { aud: undefined }, 'admitted'],
    ['the issuer', {}, { iss: 'SELF' }, 'admitted'],
    ['another issuer', {}, { iss: 'https://other.example' }, 'token_invalid'],
    ['an issuer that is a list', {}, { iss: ['SELF'] }, 'token_invalid'],
    ['an exp in the past', {}, { exp: nowSeconds() - 60 }, 'token_invalid'],
    ['an nbf in the future', {}, { nbf: nowSeconds() + 3600 }, 'token_invalid'],
    ['active false', {}, { active: false }, 'token_invalid'],
    ['no client', {}, { client_id: undefined }, 'client_unnamed'],
    ['no client, no contract asked for', { contract: 'skip' }, { client_id: undefined }, 'admitted'],
    ['a client nobody knows', {}, { client_id: 'nobody' }, 'client_unnamed'],
    ['40: a client ID that is a list', {}, { client_id: ['orders-client'] }, 'token_invalid'],
    ['40: two clients', {}, { azp: 'other' }, 'token_invalid'],
    ['36: a bound token', {}, { cnf: { jkt: 'x' } }, 'token_invalid'],
    ['36: a bound token by its type', {}, { token_type: 'DPoP' }, 'token_invalid'],
    ['a refresh token', {}, { token_type: 'refresh_token' }, 'token_invalid'],
  ] as const)('answers %s', async (_name, options, change, word) => {
    answer(JSON.parse(JSON.stringify({ ...change }).replaceAll('SELF', server.url)) as object)
    if ('aud' in change && change.aud === undefined) server.on(path, json({ ...good, aud: undefined }))
    if ('client_id' in change && change.client_id === undefined)
      server.on(path, json({ ...good, client_id: undefined }))
    expect(await decideOn(policyOf(options as Partial<IntrospectTokenOptions>), newToken())).toBe(word)
  })

  it('leaves JWTs alone, unasked, where it is for opaque tokens', async () => {
    const opaque = policyOf({ tokens: 'opaque' })
    expect([policy.shapes, opaque.shapes]).toEqual([['jwt', 'opaque'], ['opaque']])
    expect(opaque.recognise(bearing('a.b.c'))).toMatchObject({ recognition: 'place' })
    expect(opaque.recognise(bearing('abc'))).toMatchObject({ recognition: 'own' })
    expect(policy.recognise(bearing('a.b.c'))).toMatchObject({ recognition: 'own' })
    expect(policy.recognise(bearing('abc'))).toMatchObject({ recognition: 'own' })
    const before = server.received.length
    expect(await decideOn(opaque, 'a.b.c')).toBe('token_invalid')
    expect(server.received.length).toBe(before)
  })
})

describe('18: answers that are none', () => {
  const html: Behaviour = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('{"active":true}')
  }
  it.each<[string, Behaviour]>([
    ['active "true"', json({ ...good, active: 'true' })],
    ['active 1', json({ ...good, active: 1 })],
    ['no active', json({ ...good, active: undefined })],
    ['an exp that is text', json({ ...good, exp: '1' })],
    ['an aud that is an object', json({ ...good, aud: {} })],
    ['a list', json([good])],
    ['a text/html', html],
    ['a 400', json({ error: 'invalid_request' }, 400)],
    ['429', json({}, 429)],
    ['204', status(204)],
    [
      'a nest of 100,000',
      (_request, response) => {
        const nest = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(`{"active":true,"aud":"orders","x":${nest}}`)
      },
    ],
    ...Object.entries(outages),
  ])('%s is a fault, and not remembered', async (_name, behaviour) => {
    fakeTime()
    const token = newToken()
    server.on(path, behaviour)
    const fault = await faultOf(() => policy.decide(bearing(token), undefined))
    expect(fault).toMatchObject(outage)
    expect(inspect(fault, { depth: 10 })).not.toMatch(new RegExp(`${token}|canary`))
    answer({ aud: 'orders' })
    // As long as it asks to be left alone, and shorter than a bad answer is remembered.
    vi.advanceTimersByTime(8000)
    expect(await decideOn(policy, token)).toBe('admitted')
  })

  it.each([401, 403])('%i means that we are turned away, and says what to check', async (code) => {
    server.on(path, status(code, code === 401 ? { 'www-authenticate': 'Basic realm="as"' } : {}))
    const fault = await faultOf(() => policy.decide(bearing(newToken()), undefined))
    expect(fault).toMatchObject({ ...outage, message: expect.stringMatching(/clientId, clientSecret and method/) })
    expect(inspect(fault, { depth: 10 })).not.toContain('canary')
  })

  it('16: a redirect gets neither our secret nor the token', async () => {
    server.on(path, status(307, { location: `${server.url}/elsewhere` }))
    expect(await faultOf(() => policy.decide(bearing(newToken()), undefined))).toMatchObject(outage)
    expect(server.count('/elsewhere')).toBe(0)
  })

  it('takes a kind of token that the server does not introspect for a bad one', async () => {
    server.on(path, json({ error: 'unsupported_token_type' }, 400))
    expect(await decideOn(policy, 'a.b.c')).toBe('token_invalid')
  })
})

describe('19: what is remembered', () => {
  it('a good answer for a minute, and no longer, at once', async () => {
    fakeTime()
    const token = newToken()
    expect(await decideOn(policy, token)).toBe('admitted')
    answer({ active: false })
    vi.advanceTimersByTime(59_000)
    expect(policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('never past exp, even within the tolerance', async () => {
    fakeTime()
    const token = newToken()
    answer({ exp: nowSeconds() + 10 })
    expect(await decideOn(policy, token)).toBe('admitted')
    const before = server.count(path)
    vi.advanceTimersByTime(11_000)
    expect(await decideOn(policy, token)).toBe('admitted')
    expect(server.count(path) - before).toBe(1)
    vi.advanceTimersByTime(5000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('a bad answer for ten seconds', async () => {
    fakeTime()
    const token = newToken()
    answer({ active: false })
    expect(await decideOn(policy, token)).toBe('token_invalid')
    answer({})
    vi.advanceTimersByTime(9000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, token)).toBe('admitted')
  })

  it('nothing, where nothing is to be', async () => {
    const forgetful = policyOf({ maxAgeSeconds: 0, inactiveMaxAgeSeconds: 0 })
    const token = newToken()
    const before = server.count(path)
    await decideOn(forgetful, token)
    await decideOn(forgetful, token)
    expect(server.count(path) - before).toBe(2)
  })

  it('bad tokens push out no good answer', async () => {
    const small = policyOf({ remember: { entries: 2 } })
    const token = newToken()
    expect(await decideOn(small, token)).toBe('admitted')
    answer({ active: false })
    for (let round = 0; round < 10; round++) expect(await decideOn(small, newToken())).toBe('token_invalid')
    expect(await decideOn(small, token)).toBe('admitted')
  })

  it('a contract and scopes are looked at again', async () => {
    const token = newToken()
    expect(await decideOn(policy, token)).toBe('admitted')
    reader.register(server.url, 'orders-client', 'revoked')
    expect(await decideOn(policy, token)).toBe('contract_revoked')
  })

  it('one answer for all policies that ask the same server as the same client, whatever they want of it', async () => {
    const context = contextOf(reader)
    const options = { issuer: server.url, endpoint: `${server.url}${path}`, allowInsecureRequests: true }
    const as = { clientId: 'api', clientSecret }
    const first = introspectToken(context, { ...options, as, audience: 'orders' })
    const scoped = introspectToken(context, { ...options, as, audience: 'orders', scopes: ['x'] })
    const other = introspectToken(context, { ...options, as, audience: 'reports' })
    const token = newToken()
    const before = server.count(path)
    const words = [await decideOn(first, token), await decideOn(scoped, token), await decideOn(other, token)]
    expect(words).toEqual(['admitted', 'scope_insufficient', 'token_invalid'])
    expect(server.count(path) - before).toBe(1)
    await decideOn(
      introspectToken(context, { ...options, as: { ...as, clientId: 'other' }, audience: 'orders' }),
      token,
    )
    expect(server.count(path) - before).toBe(2)
  })
})

describe('one question per token', () => {
  it('a thousand requests at once cost one', async () => {
    const before = server.count(path)
    const token = newToken()
    const words = await Promise.all(Array.from({ length: 1000 }, () => decideOn(policy, token)))
    expect(new Set(words)).toEqual(new Set(['admitted']))
    expect(server.count(path) - before).toBe(1)
  })

  it('does not end for the others when the first caller goes away', async () => {
    let release: (() => void) | undefined
    server.on(path, (request, response) => {
      release = () => {
        json(good)(request, response)
      }
    })
    const token = newToken()
    const first = bearing(token)
    const raw = first.raw as { destroy(): void }
    const deciding = [policy.decide(first, undefined), policy.decide(bearing(token), undefined)] as const
    await vi.waitUntil(() => release !== undefined)
    raw.destroy()
    release?.()
    expect([wordOf(await deciding[0]), wordOf(await deciding[1])]).toEqual(['admitted', 'admitted'])
  })
})

describe('47: where our secret is sent', () => {
  const discovered = () => policyOf({ endpoint: undefined })
  const openid = '/.well-known/openid-configuration'

  it('to the endpoint that discovery names, at the issuer itself', async () => {
    server.on(openid, json({ issuer: server.url, introspection_endpoint: `${server.url}${path}` }))
    expect(await decideOn(discovered(), newToken())).toBe('admitted')
  })

  it('to no other origin, unless somebody has written it down', async () => {
    const other = await startKeyServer()
    other.on(path, json(good))
    server.on(openid, json({ issuer: server.url, introspection_endpoint: `${other.url}${path}` }))
    const fault = await faultOf(() => decideOn(discovered(), newToken()))
    expect(fault).toMatchObject({
      ...outage,
      message: expect.stringMatching(/write the address as the option "endpoint"/),
    })
    expect(other.received).toEqual([])
    expect(await decideOn(policyOf({ endpoint: `${other.url}${path}` }), newToken())).toBe('admitted')
    await other.close()
  })

  it('nowhere, when discovery names no endpoint', async () => {
    server.on(openid, json({ issuer: server.url }))
    expect(await faultOf(() => decideOn(discovered(), newToken()))).toMatchObject(outage)
  })
})

describe('the options of introspectToken', () => {
  const base = { issuer: 'https://issuer.example', audience: 'orders', as: { clientId: 'a', clientSecret: 'b' } }
  const build = (change: object) => () => introspectToken(contextOf(reader), { ...base, ...change })

  it.each([
    ['no client', { as: undefined }, /as/],
    ['an empty secret', { as: { clientId: 'a', clientSecret: '' } }, /as.clientSecret/],
    ['an endpoint by http', { endpoint: 'http://issuer.example/i' }, /endpoint: expected an https URL/],
    ['no audience', { audience: undefined }, /audience/],
    ['an unknown way', { as: { ...base.as, method: 'jwt' } }, /as: expected clientId and clientSecret/],
    ['a spelling mistake', { maxAgeSecond: 1 }, /did you mean "maxAgeSeconds"/],
    ...['maxAgeSeconds', 'inactiveMaxAgeSeconds', 'clockToleranceSeconds'].flatMap((name) =>
      [NaN, Infinity, -1].map((value) => [`8: ${name} of ${value}`, { [name]: value }, new RegExp(name)] as const),
    ),
  ] as const)('refuse %s', (_name, change, message) => {
    expect(build(change)).toThrow(message)
    expect(build({})).not.toThrow()
  })
})

it('39: an answer about a token of another issuer names no client of ours', async () => {
  const other = policyOf({ issuer: 'https://other.example' })
  expect(await decideOn(other, newToken())).toBe('client_unnamed')
})

it('a signed introspection answer is no access token', async () => {
  server.on(path, json({ active: false }))
  const key = rsaKey('as')
  const target = { issuer: server.url, audience: 'orders', clientId: 'orders-client', key, trap: '' }
  expect(await decideOn(policy, accessToken(target, {}, { typ: 'token-introspection+jwt' }))).toBe('token_invalid')
})
