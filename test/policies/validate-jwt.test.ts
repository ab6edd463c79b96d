import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../src/decisions/policy.js'
import { replyToRefusal } from '../../src/http/reply.js'
import { validateJwt, type ValidateJwtOptions } from '../../src/policies/validate-jwt.js'
import { bearing, decideOn, withAuthorization, wordOf } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { json, outages, startKeyServer, type KeyServer } from '../support/key-server.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { rsaKey, signWithSecret } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer, tokenAttacks, type AttackedIssuer } from '../support/token-attacks.js'

let server: KeyServer
let target: AttackedIssuer
let reader: OwnReader
let published: Record<string, unknown>[]

beforeAll(async () => {
  server = await startKeyServer()
  target = attackedIssuer(server.url, `${server.url}/trap`)
})
afterAll(() => server.close())

beforeEach(() => {
  published = [target.key.jwk]
  server.on('/jwks', (request, response) => json({ keys: published })(request, response))
  reader = ownReader()
  reader.register(target.issuer, target.clientId)
})
afterEach(() => {
  vi.useRealTimers()
})

function policyOf(options: Partial<ValidateJwtOptions> = {}) {
  return validateJwt(contextOf(reader), {
    issuer: target.issuer,
    audience: target.audience,
    jwksUri: `${server.url}/jwks`,
    allowInsecureRequests: true,
    timeoutMs: 300,
    ...options,
  })
}

function refusalOf(verdict: Verdict) {
  return verdict.kind === 'refused' ? verdict.refusal : undefined
}

const outage = {
  name: 'ClienteleFault',
  code: 'ERR_CLIENTELE_ISSUER',
  status: 503,
  retryAfterSeconds: expect.any(Number),
}

describe('validateJwt', () => {
  it('admits the client that the token names, under its contract, and remembers the token', async () => {
    const policy = policyOf({ scopes: ['orders:read'] })
    const token = accessToken(target, { scope: 'orders:read orders:write' })
    const first = await policy.decide(bearing(token), undefined)
    expect(first).toMatchObject({
      kind: 'admitted',
      strip: { headers: ['authorization'], query: [] },
      admission: {
        api: 'orders',
        authenticated: true,
        client: { name: 'Client orders-client', identity: { issuer: target.issuer, clientId: 'orders-client' } },
        contract: { api: 'orders', tier: 'gold' },
        tier: { name: 'gold' },
        claims: { sub: 'orders-client' },
        scopes: ['orders:read', 'orders:write'],
      },
    })
    const again = policy.decide(bearing(token), undefined)
    expect(again).toEqual(first)
    expect(inspect(again, { depth: 10 })).not.toContain(token)
  })

  it('gives an admission that nobody can change', async () => {
    const verdict = await policyOf().decide(bearing(accessToken(target, { nested: { list: [1] } })), undefined)
    if (verdict.kind !== 'admitted') throw new Error(wordOf(verdict))
    const { admission } = verdict
    const nested = admission.claims?.['nested'] as { list: number[] }
    expect(() => nested.list.push(2)).toThrow(TypeError)
    expect([admission, admission.claims, admission.scopes].every((each) => Object.isFrozen(each))).toBe(true)
  })

  it('is absent without a Bearer credential, and its challenge is bare', () => {
    const policy = policyOf()
    for (const values of [[], ['Basic eDp5'], ['BearerX y'], ['DPoP abc']]) {
      expect(policy.decide(withAuthorization(...values), undefined)).toBe(policy.absent)
    }
    expect(policy.absent.challenges).toEqual([{ scheme: 'Bearer', parameters: { realm: 'orders' } }])
  })

  it('tells its own tokens by their shape and issuer, valid or not', () => {
    const policy = policyOf()
    expect(policy.shapes).toEqual([`jwt:${target.issuer}`])
    expect(policy.recognise(bearing(accessToken(target, { exp: 0 }, {}, rsaKey('other'))))).toMatchObject({
      recognition: 'own',
    })
    expect(policy.recognise(bearing(accessToken(target, { iss: 'https://other.example' })))).toMatchObject({
      recognition: 'place',
    })
    expect(policy.recognise(bearing('opaque'))).toMatchObject({ recognition: 'place' })
    expect(policy.recognise(withAuthorization('Bearer a b'))).toMatchObject({ recognition: 'place' })
    expect(policy.recognise(withAuthorization('Basic eDp5'))).toMatchObject({ recognition: 'absent' })
  })

  it.each([
    ['pending', 'contract_pending'],
    ['rejected', 'contract_rejected'],
    ['revoked', 'contract_revoked'],
    ['none', 'contract_missing'],
    ['disabled', 'client_disabled'],
  ] as const)('asks for the contract before the scopes: %s', async (state, code) => {
    reader.register(target.issuer, 'other', state)
    expect(await decideOn(policyOf({ scopes: ['x'] }), accessToken(target, { client_id: 'other' }))).toBe(code)
  })

  it('looks at the contract again for a token that is remembered', async () => {
    const policy = policyOf()
    const token = accessToken(target)
    expect(await decideOn(policy, token)).toBe('admitted')
    reader.register(target.issuer, target.clientId, 'revoked')
    expect(await decideOn(policy, token)).toBe('contract_revoked')
  })

  it.each([
    [['a', 'b'], { scope: 'b a c' }, 'admitted'],
    [['a', 'b'], { scope: 'a' }, 'scope_insufficient'],
    [['a'], { scope: 'ab' }, 'scope_insufficient'],
    [['a'], {}, 'scope_insufficient'],
    [['a'], { scope: {} }, 'scope_insufficient'],
    [['a', 'b'], { scp: ['a', 'b'] }, 'admitted'],
    [['a', 'b'], { scp: 'a b' }, 'admitted'],
    [{ any: ['a', 'b'] }, { scope: ['b'] }, 'admitted'],
    [{ any: ['a', 'b'] }, { scope: 'c' }, 'scope_insufficient'],
  ])('wants the scopes %j of %j: %s', async (scopes, claims, word) => {
    const verdict = await policyOf({ scopes }).decide(bearing(accessToken(target, claims)), undefined)
    expect(wordOf(verdict)).toBe(word)
    if (word === 'admitted') return
    const scope = ('any' in scopes ? scopes.any : scopes).join(' ')
    expect(refusalOf(verdict)?.challenges).toEqual([
      { scheme: 'Bearer', parameters: { realm: 'orders', error: 'insufficient_scope', scope } },
    ])
  })

  it('takes the client ID from the claim that is named, and from no other', async () => {
    reader.register(target.issuer, 'by-app')
    const policy = policyOf({ clientIdClaim: 'app' })
    expect(await decideOn(policy, accessToken(target, { app: 'by-app' }))).toBe('admitted')
    expect(await decideOn(policy, accessToken(target))).toBe('client_unnamed')
    expect(await decideOn(policy, accessToken(target, { app: [] }))).toBe('token_invalid')
    expect(await decideOn(policyOf(), accessToken(target, { client_id: undefined, cid: 'by-app' }))).toBe('admitted')
  })

  it('admits without client or contract where that is asked for', async () => {
    const policy = policyOf({ contract: 'skip', strip: 'none' })
    const verdict = await policy.decide(bearing(accessToken(target, { client_id: 'nobody' })), undefined)
    expect(verdict).toMatchObject({
      kind: 'admitted',
      strip: undefined,
      admission: { claims: { client_id: 'nobody' } },
    })
    expect(verdict).not.toHaveProperty('admission.client')
  })

  it('takes a token without kid, and one without typ, when there are several keys', async () => {
    published = [rsaKey('one').jwk, { ...target.key.jwk, kid: undefined }, { ...rsaKey('x').jwk, alg: undefined }]
    const token = accessToken(target, {}, { kid: undefined, typ: undefined })
    expect(await decideOn(policyOf(), token)).toBe('admitted')
  })
})

describe('attacks on tokens', () => {
  it.each(tokenAttacks.map((attack) => ({ ...attack, code: attack.code ?? ('admitted' as const) })))(
    '$line: $name is $code',
    async ({ authorization, code }) => {
      const policy = policyOf()
      const before = Object.keys(Object.prototype)
      const decide = async () => wordOf(await policy.decide(withAuthorization(...authorization(target)), undefined))
      expect([await decide(), await decide()]).toEqual([code, code])
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
      expect(Object.keys(Object.prototype)).toEqual(before)
      expect(server.count('/trap')).toBe(0)
      expect(await decideOn(policy, accessToken(target))).toBe('admitted')
    },
  )

  it('says the same of every bad token', async () => {
    const policy = policyOf()
    const challenge = { scheme: 'Bearer', parameters: { realm: 'orders', error: 'invalid_token' } }
    const replies: unknown[] = []
    for (const token of ['opaque', accessToken(target, { exp: 0 }), accessToken(target, {}, {}, rsaKey('x'))]) {
      const verdict = await policy.decide(bearing(token), undefined)
      expect(refusalOf(verdict)).toMatchObject({ code: 'token_invalid', challenges: [challenge] })
      replies.push(verdict.kind === 'refused' && replyToRefusal(verdict.refusal))
    }
    expect(replies).toEqual(replies.map(() => replies[0]))
  })

  it('6: gives the same verdict a thousand times', async () => {
    const policy = policyOf()
    const [good, bad] = [accessToken(target), accessToken(target, {}, { typ: 'logout+jwt' })]
    for (let round = 0; round < 1000; round++) {
      expect(wordOf(await policy.decide(bearing(good), undefined))).toBe('admitted')
      expect(wordOf(await policy.decide(bearing(bad), undefined))).toBe('token_invalid')
    }
  })

  it.each([0, 5])('7: a remembered token ends when a new one would, with a tolerance of %i s', async (tolerance) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const seen = policyOf({ clockToleranceSeconds: tolerance })
    const exp = Math.floor(Date.now() / 1000) + 60
    const token = accessToken(target, { exp })
    expect(await decideOn(seen, token)).toBe('admitted')
    for (const second of [-1, 0, 1, tolerance - 1, tolerance, tolerance + 1]) {
      vi.setSystemTime((exp + second) * 1000)
      const word = second < tolerance ? 'admitted' : 'token_invalid'
      expect([
        await decideOn(seen, token),
        await decideOn(policyOf({ clockToleranceSeconds: tolerance }), token),
      ]).toEqual([word, word])
    }
  })

  it('7: tokens that differ in their last character are two', async () => {
    const policy = policyOf()
    const token = accessToken(target)
    expect(await decideOn(policy, token)).toBe('admitted')
    const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`
    expect(await decideOn(policy, changed)).toBe('token_invalid')
  })

  it('39: two issuers with the same client ID and kid never cross', async () => {
    const context = contextOf(reader)
    const other = { ...attackedIssuer('https://other.example', ''), key: rsaKey('signing-key') }
    const options = { audience: 'orders', allowInsecureRequests: true }
    const ours = validateJwt(context, { ...options, issuer: target.issuer, jwks: { keys: [target.key.jwk] } })
    const theirs = validateJwt(context, { ...options, issuer: other.issuer, jwks: { keys: [other.key.jwk] } })
    expect(await decideOn(ours, accessToken(target))).toBe('admitted')
    expect(await decideOn(theirs, accessToken(other))).toBe('client_unnamed')
    expect(await decideOn(theirs, accessToken(target))).toBe('token_invalid')
    expect(await decideOn(ours, accessToken({ ...other, issuer: target.issuer }))).toBe('token_invalid')
  })
})

describe('the keys of an issuer', () => {
  it.each(Object.entries(outages))('%s is a fault, never a bad token', async (_name, behaviour) => {
    const token = accessToken(target)
    server.on('/jwks', behaviour)
    const policy = policyOf()
    const fault = await faultOf(() => policy.decide(bearing(token), undefined))
    expect(fault).toMatchObject(outage)
    expect(inspect(fault, { depth: 10 })).not.toContain(token)
  })

  it('15: does not ask again while backing off, and comes back by itself', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    server.on('/jwks', json({}, 500))
    const policy = policyOf()
    const before = server.count('/jwks')
    for (let round = 0; round < 20; round++) {
      expect(await faultOf(() => policy.decide(bearing(accessToken(target)), undefined))).toMatchObject(outage)
    }
    expect(server.count('/jwks') - before).toBe(1)
    server.on('/jwks', json({ keys: published }))
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
  })

  it('14: a hundred at once cost one fetch, for all policies of one API', async () => {
    const context = contextOf(reader)
    const options = { issuer: target.issuer, jwksUri: `${server.url}/jwks`, allowInsecureRequests: true }
    const policies = [
      validateJwt(context, { ...options, audience: 'orders' }),
      validateJwt(context, { ...options, audience: null, scopes: ['a'] }),
    ]
    const before = server.count('/jwks')
    const tokens = Array.from({ length: 50 }, (_, jti) => accessToken(target, { jti, scope: 'a' }))
    const words = await Promise.all(policies.flatMap((policy) => tokens.map((token) => decideOn(policy, token))))
    expect(new Set(words)).toEqual(new Set(['admitted']))
    expect(server.count('/jwks') - before).toBe(1)
  })

  it('takes a key that turned right after the keys were fetched', async () => {
    const policy = policyOf()
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
    const turned = { ...target, key: rsaKey('turned') }
    published = [turned.key.jwk, target.key.jwk]
    expect(await decideOn(policy, accessToken(turned))).toBe('admitted')
  })

  it('does not call a token bad whose key could not be asked for', async () => {
    const policy = policyOf()
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
    server.on('/jwks', json({}, 503))
    const turned = accessToken({ ...target, key: rsaKey('turned') })
    for (let round = 0; round < 3; round++) {
      expect(await faultOf(() => policy.decide(bearing(turned), undefined))).toMatchObject(outage)
    }
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
  })

  it('7: a withdrawn key stops working when the keys are no longer fresh, remembered token or not', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const policy = policyOf({ freshSeconds: 100 })
    const token = accessToken(target)
    expect(await decideOn(policy, token)).toBe('admitted')
    published = [rsaKey('next').jwk]
    vi.advanceTimersByTime(99_000)
    expect(await decideOn(policy, token)).toBe('admitted')
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('keeps a token remembered when the same keys are fetched again', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const policy = policyOf({ freshSeconds: 100 })
    const token = accessToken(target)
    const claims = async () => {
      const verdict = await policy.decide(bearing(token), undefined)
      return verdict.kind === 'admitted' ? verdict.admission.claims : undefined
    }
    const before = await claims()
    const fetched = server.count('/jwks')
    vi.advanceTimersByTime(100_000)
    expect(await claims()).toBe(before)
    expect(before).toBeDefined()
    expect(server.count('/jwks')).toBe(fetched + 1)
  })

  it('15: lives on old keys while the issuer is down, for a bounded time, and then says 503', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const policy = policyOf({ freshSeconds: 10, staleSeconds: 100 })
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
    server.on('/jwks', json({}, 503))
    vi.advanceTimersByTime(109_000)
    const token = accessToken(target, { jti: 'new' })
    expect(await decideOn(policy, token)).toBe('admitted')
    expect(policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    vi.advanceTimersByTime(1000)
    expect(await faultOf(() => policy.decide(bearing(accessToken(target)), undefined))).toMatchObject(outage)
  })

  it('remembers nothing whose key went while its signature was checked', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const policy = policyOf({ freshSeconds: 10 })
    await decideOn(policy, accessToken(target, { jti: 'first' }))
    const token = accessToken(target)
    const deciding = policy.decide(bearing(token), undefined)
    vi.advanceTimersByTime(10_000)
    published = [rsaKey('next').jwk]
    expect(wordOf(await deciding)).toBe('admitted')
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('asks nobody about a bad signature under a key that is known', async () => {
    const policy = policyOf()
    expect(await decideOn(policy, accessToken(target))).toBe('admitted')
    const before = server.count('/jwks')
    expect(await decideOn(policy, accessToken(target, {}, {}, rsaKey('other')))).toBe('token_invalid')
    expect(server.count('/jwks')).toBe(before)
  })

  it('finds the key of a token that names none, when it turned', async () => {
    const policy = policyOf()
    const unnamed = { kid: undefined }
    expect(await decideOn(policy, accessToken(target, {}, unnamed))).toBe('admitted')
    const turned = { ...target, key: rsaKey('turned') }
    published = [turned.key.jwk]
    expect(await decideOn(policy, accessToken(turned, {}, unnamed))).toBe('admitted')
  })

  it('15: a key set past the bytes is a fault, and good where more are allowed', async () => {
    server.on('/jwks', json({ keys: published, padding: 'x'.repeat(600_000) }))
    expect(await faultOf(() => decideOn(policyOf(), accessToken(target)))).toMatchObject(outage)
    expect(await decideOn(policyOf({ maxResponseBytes: 700_000 }), accessToken(target))).toBe('admitted')
  })

  it('15: bytes are counted after decompression', async () => {
    const bomb = gzipSync(JSON.stringify({ keys: published, padding: ' '.repeat(5_000_000) }))
    server.on('/jwks', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb)
    })
    expect(await faultOf(() => decideOn(policyOf(), accessToken(target)))).toMatchObject(outage)
    expect(await decideOn(policyOf({ maxResponseBytes: 10_000_000 }), accessToken(target))).toBe('admitted')
  })

  it('says 503 where an issuer publishes no key that could be used', async () => {
    published = [{ kty: 'oct', k: 'c2VjcmV0', kid: target.key.kid, alg: 'HS256' }, rsaKey(target.key.kid, 1024).jwk]
    expect(await faultOf(() => decideOn(policyOf(), accessToken(target)))).toMatchObject(outage)
  })

  it('asks nobody for the keys of a token of another issuer', async () => {
    const before = server.received.length
    expect(await decideOn(policyOf(), accessToken(target, { iss: 'https://other.example' }))).toBe('token_invalid')
    expect(server.received.length).toBe(before)
  })
})

describe('discovery', () => {
  const openid = '/.well-known/openid-configuration'
  const oauth = '/.well-known/oauth-authorization-server'
  const discovering = () => policyOf({ jwksUri: undefined })
  const metadata = () => ({ issuer: target.issuer, jwks_uri: `${server.url}/jwks` })

  it.each([
    ['OpenID Connect', openid, oauth],
    ['RFC 8414', oauth, openid],
  ])('finds the keys by %s', async (_name, there, missing) => {
    server.on(there, json(metadata()))
    server.on(missing, json({}, 404))
    expect(await decideOn(discovering(), accessToken(target))).toBe('admitted')
  })

  it.each([
    ['another issuer', () => ({ ...metadata(), issuer: 'https://other.example' })],
    ['the issuer with a slash', () => ({ ...metadata(), issuer: `${target.issuer}/` })],
    ['no key set', () => ({ issuer: target.issuer })],
    ['a key set that is a file', () => ({ ...metadata(), jwks_uri: 'file:///etc/passwd' })],
    ['a key set that is no URL', () => ({ ...metadata(), jwks_uri: 7 })],
  ])('47: is a fault with %s', async (_name, content) => {
    server.on(openid, json(content()))
    expect(await faultOf(() => decideOn(discovering(), accessToken(target)))).toMatchObject(outage)
  })

  it.each(Object.entries(outages))('is a fault with %s', async (_name, behaviour) => {
    server.on(openid, behaviour)
    server.on(oauth, behaviour)
    expect(await faultOf(() => decideOn(discovering(), accessToken(target)))).toMatchObject(outage)
  })
})

describe('a secret instead of keys', () => {
  const secret = 's'.repeat(48)
  const claims = () => ({ iss: target.issuer, aud: 'orders', client_id: 'orders-client', exp: Date.now() / 1000 + 60 })

  it('verifies the hashes that it is long enough for, and nothing else', async () => {
    const policy = policyOf({ jwksUri: undefined, secret })
    expect(await decideOn(policy, signWithSecret({ alg: 'HS256' }, claims(), secret))).toBe('admitted')
    expect(await decideOn(policy, signWithSecret({ alg: 'HS256' }, claims(), `${secret}x`))).toBe('token_invalid')
    expect(await decideOn(policy, accessToken(target))).toBe('token_invalid')
  })

  it.each([
    [{ secret: 'short' }, /at least 32 bytes/],
    [{ secret, algorithms: ['HS512'] }, /as long as the hash/],
    [{ secret, algorithms: ['HS256', 'RS256'] }, /only HS256/],
    [{ algorithms: ['HS256'] }, /need the option secret/],
    [{ secret, jwks: { keys: [] } }, /at most one of/],
  ] as const)('refuses %j', (options, message) => {
    expect(() => policyOf({ jwksUri: undefined, ...(options as Partial<ValidateJwtOptions>) })).toThrow(message)
  })
})

describe('the options of validateJwt', () => {
  const base = () => ({ issuer: 'https://issuer.example', audience: 'orders' })
  const build = (options: object) => () => validateJwt(contextOf(reader), options as ValidateJwtOptions)

  it.each([
    ['no audience', { audience: undefined }, /audience: expected the name of this API/],
    ['no issuer', { issuer: undefined }, /issuer/],
    ['a spelling mistake', { audiance: 'x' }, /unknown option "audiance"; did you mean "audience"/],
    ['an issuer by http', { issuer: 'http://issuer.example' }, /issuer: expected an https URL/],
    ['an issuer that is no URL', { issuer: 'issuer' }, /issuer: expected an https URL/],
    ['a password in the issuer', { issuer: 'https://a:b@issuer.example' }, /user name or password/],
    ['keys by http', { jwksUri: 'http://issuer.example/jwks' }, /jwksUri: expected an https URL/],
    ['no scopes', { scopes: [] }, /scopes/],
    ['a scope with a quote', { scopes: ['a"'] }, /scopes/],
    ['an empty list of algorithms', { algorithms: [] }, /algorithms/],
    ['the algorithm none', { algorithms: ['none'] }, /algorithms/],
    ['neither audience nor contract', { audience: null, contract: 'skip' }, /acceptAnyTokenOfIssuer: true/],
    ['no keys', { jwks: { keys: [] } }, /at least one key/],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, /it is symmetric/],
  ])('refuse %s', (_name, change, message) => {
    expect(build({ ...base(), ...change })).toThrow(message)
  })

  const numbers = [
    'clockToleranceSeconds',
    'freshSeconds',
    'staleSeconds',
    'timeoutMs',
    'maxResponseBytes',
    'maxTokenBytes',
  ]
  it.each(numbers.flatMap((name) => [NaN, Infinity, -1, '5', null].map((value) => [name, value] as const)))(
    '8: refuse %s of %s',
    (name, value) => {
      expect(build({ ...base(), [name]: value })).toThrow(new RegExp(name))
    },
  )

  it('take audience null, and both switches with a third', () => {
    expect(build({ ...base(), audience: null })).not.toThrow()
    expect(build({ ...base(), audience: null, contract: 'skip', acceptAnyTokenOfIssuer: true })).not.toThrow()
  })

  it('do not compile without an audience', () => {
    // @ts-expect-error audience must be written
    const options: ValidateJwtOptions = { issuer: 'https://issuer.example' }
    expect(build(options)).toThrow(/audience/)
  })
})
