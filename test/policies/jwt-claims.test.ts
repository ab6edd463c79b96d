import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { ClaimCheck } from '../../src/tokens/claim-rules.js'
import { validateJwt, type ValidateJwtOptions } from '../../src/policies/validate-jwt.js'
import { bearing, decideOn, wordOf } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { guardFor, keyOf, rsaKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.js'

const key = rsaKey('key')
let issuer: TokenIssuer

beforeAll(async () => {
  issuer = await startTokenIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  issuer.published = [key.jwk]
})
afterEach(() => {
  vi.useRealTimers()
})

/** A verdict as one word, with the reason of a "no". */
async function reasonOf(options: Partial<ValidateJwtOptions>, claims: object, header: object = {}): Promise<string> {
  const { policy } = guardFor(issuer, options)
  const verdict = await policy.decide(bearing(issuer.token(key, claims, header)), undefined)
  if (verdict.kind !== 'refused') return wordOf(verdict)
  return `${verdict.refusal.code}: ${verdict.refusal.reason ?? ''}`
}

describe('claims', () => {
  it.each<[string, ClaimCheck, object, boolean]>([
    ['a value', 'acme', { tenant: 'acme' }, true],
    ['another value', 'acme', { tenant: 'Acme' }, false],
    ['no value', 'acme', {}, false],
    ['a list that holds the value', 'acme', { tenant: ['acme'] }, false],
    ['an object with that name', 'acme', { tenant: { acme: true } }, false],
    ['a number', 7, { tenant: 7 }, true],
    ['a number as text', 7, { tenant: '7' }, false],
    ['true', true, { tenant: true }, true],
    ['truthy', true, { tenant: 1 }, false],
    ['one of a list', ['acme', 'umbrella'], { tenant: 'umbrella' }, true],
    ['none of a list', ['acme', 'umbrella'], { tenant: 'other' }, false],
    ['none of an empty list', [], { tenant: 'other' }, false],
    ['what a function takes', (value) => Array.isArray(value) && value.includes('a'), { tenant: ['b', 'a'] }, true],
    ['what a function refuses', (value) => Array.isArray(value) && value.includes('a'), { tenant: 'a' }, false],
    ['a function of other claims', (value, { sub }) => value === sub, { tenant: 'x', sub: 'x' }, true],
    ['a function of nothing', (value) => value === undefined, {}, true],
    ['what a schema takes', z.object({ id: z.number() }), { tenant: { id: 1 } }, true],
    ['what a schema refuses', z.object({ id: z.number() }), { tenant: { id: '1' } }, false],
    ['a schema of nothing', z.string().optional(), {}, true],
  ])('%s', async (_name, check, claims, good) => {
    const word = good ? 'admitted' : 'token_invalid: claim:tenant'
    expect(await reasonOf({ claims: { tenant: check } }, claims)).toBe(word)
  })

  it('name nothing that an object has by itself', async () => {
    expect(await reasonOf({ claims: { valueOf: (value: unknown) => value !== undefined } }, {})).toBe(
      'token_invalid: claim:valueOf',
    )
    expect(await reasonOf({ requiredClaims: ['toString'] }, {})).toBe('token_invalid: claim:toString')
  })

  it.each<[string, ClaimCheck]>([
    ['a promise', (() => Promise.resolve(true)) as unknown as ClaimCheck],
    ['a rejection', (() => Promise.reject(new Error('no'))) as unknown as ClaimCheck],
    ['nothing', (() => undefined) as unknown as ClaimCheck],
    ['a schema that takes its time', z.string().refine(() => Promise.resolve(true))],
  ])('a check that answers with %s admits nobody', async (_name, check) => {
    const thrown = await faultOf(() => reasonOf({ claims: { tenant: check } }, { tenant: 'canary' }))
    expect(thrown).toBeInstanceOf(Error)
    expect(String(thrown)).not.toContain('canary')
  })

  it('are looked at again for each route, of a token that is remembered', async () => {
    const guard = guardFor(issuer)
    const token = issuer.token(key, { tenant: 'acme' })
    expect(await decideOn(guard.policy, token)).toBe('admitted')
    const reader = ownReader()
    reader.register(issuer.url, 'orders-client')
    const route = (claims: Record<string, ClaimCheck>) =>
      validateJwt(
        { ...contextOf(reader), tokens: guard.tokens },
        {
          issuer: issuer.url,
          audience: 'orders',
          jwksUri: `${issuer.url}/jwks`,
          allowInsecureRequests: true,
          timeoutMs: 300,
          claims,
        },
      )
    // At once: verified by the other route.
    expect(route({ tenant: 'acme' }).decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    expect(route({ tenant: 'umbrella' }).decide(bearing(token), undefined)).toHaveProperty('kind', 'refused')
  })

  it.each([
    ['a claim that is an object', { claims: { tenant: {} } }],
    ['a claim that is null', { claims: { tenant: null } }],
    ['a claim that is NaN', { claims: { tenant: NaN } }],
    ['a list of lists', { claims: { tenant: [['a']] } }],
    ['a required claim without a name', { requiredClaims: [''] }],
    ['an age of NaN', { maxTokenAgeSeconds: NaN }],
    ['an age of nothing', { maxTokenAgeSeconds: 0 }],
    ['an age of Infinity', { maxTokenAgeSeconds: Infinity }],
    ['an unknown profile', { profile: 'strict' }],
    ['isRevoked that is none', { isRevoked: true }],
  ])('8: options with %s are refused', (_name, options) => {
    expect(() => guardFor(issuer, options as Partial<ValidateJwtOptions>)).toThrow(/ERR|validateJwt\(\)/)
  })
})

describe('times', () => {
  it.each<[Partial<ValidateJwtOptions>, object, string]>([
    [{}, { exp: nowSeconds() - 3600 }, 'token_invalid: expired'],
    [{}, { nbf: nowSeconds() + 3600 }, 'token_invalid: not_yet'],
    [{ requiredClaims: ['nbf'] }, {}, 'token_invalid: claim:nbf'],
    [{ requiredClaims: ['nbf', 'jti'] }, { nbf: 0 }, 'admitted'],
    [{ maxTokenAgeSeconds: 600 }, { iat: nowSeconds() }, 'admitted'],
    [{ maxTokenAgeSeconds: 600 }, { iat: nowSeconds() - 3600 }, 'token_invalid: age'],
    [{ maxTokenAgeSeconds: 600 }, { iat: nowSeconds() + 3600 }, 'token_invalid: not_yet'],
    [{ maxTokenAgeSeconds: 600 }, {}, 'token_invalid: claim:iat'],
    [{}, { iat: nowSeconds() + 3600 }, 'admitted'],
  ])('%j of %j: %s', async (options, claims, word) => {
    expect(await reasonOf(options, claims)).toBe(word)
  })

  it('a token that is remembered grows too old', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const { policy } = guardFor(issuer, { maxTokenAgeSeconds: 100, clockToleranceSeconds: 0 })
    const token = issuer.token(key, { iat: nowSeconds() })
    expect(await decideOn(policy, token)).toBe('admitted')
    vi.setSystemTime(Date.now() + 100_000)
    expect(await decideOn(policy, token)).toBe('admitted')
    vi.setSystemTime(Date.now() + 1000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })
})

describe("profile: 'rfc9068'", () => {
  const strict = { profile: 'rfc9068' } as const
  const all = { sub: 'user', iat: nowSeconds() }

  it('admits what has all that the RFC asks for', async () => {
    expect(await reasonOf(strict, all)).toBe('admitted')
    expect(await reasonOf(strict, all, { typ: 'application/AT+JWT' })).toBe('admitted')
  })

  it.each<[object, object, string]>([
    [{}, { typ: 'JWT' }, 'type'],
    [{}, { typ: undefined }, 'type'],
    ...['exp', 'sub', 'client_id', 'iat', 'jti', 'aud'].map((name): [object, object, string] => [
      { [name]: undefined },
      {},
      `claim:${name}`,
    ]),
  ])('refuses %j with the header %j: %s', async (claims, header, reason) => {
    expect(await reasonOf({ ...strict, audience: null }, { ...all, ...claims }, header)).toBe(
      `token_invalid: ${reason}`,
    )
  })

  it('looks for the client in client_id alone', async () => {
    expect(await reasonOf(strict, { ...all, azp: 'somebody-else' })).toBe('admitted')
    expect(await reasonOf({}, { ...all, azp: 'somebody-else' })).toBe('token_invalid: client')
  })
})

describe('isRevoked', () => {
  it('is asked about each good token at each request, remembered or not', async () => {
    const asked: unknown[] = []
    const revoked = new Set<unknown>()
    const { policy } = guardFor(issuer, {
      isRevoked: ({ issuer: name, claims }) => {
        asked.push([name, claims['jti']])
        return revoked.has(claims['jti'])
      },
    })
    const token = issuer.token(key, { jti: 'one' })
    expect(await decideOn(policy, token)).toBe('admitted')
    // At once, where it answers at once.
    expect(policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    revoked.add('one')
    const verdict = policy.decide(bearing(token), undefined)
    expect(verdict).toMatchObject({ kind: 'refused', refusal: { code: 'token_invalid', reason: 'revoked' } })
    expect(asked).toEqual([1, 2, 3].map(() => [issuer.url, 'one']))
    await decideOn(policy, issuer.token(rsaKey('key'), {}))
    expect(asked).toHaveLength(3)
  })

  it('may take its time', async () => {
    expect(await reasonOf({ isRevoked: () => Promise.resolve(false) }, {})).toBe('admitted')
    expect(await reasonOf({ isRevoked: () => Promise.resolve(true) }, {})).toBe('token_invalid: revoked')
  })

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('canary')
      },
    ],
    ['rejects', () => Promise.reject(new Error('canary'))],
    ['answers with nothing', () => undefined],
    ['answers with a word', () => Promise.resolve('no')],
    ['never answers', () => new Promise(() => undefined)],
  ])('is an outage when it %s', async (_name, isRevoked) => {
    const fault = await faultOf(() => reasonOf({ isRevoked: isRevoked as () => boolean, timeoutMs: 100 }, {}))
    expect(fault).toMatchObject({ code: 'ERR_CLIENTELE_REVOCATION', status: 503 })
    expect(String(fault)).not.toContain('canary')
  })
})

describe('issuers', () => {
  let other: TokenIssuer
  let reader: OwnReader
  const curve = keyOf('key', 'ES256')
  beforeAll(async () => {
    other = await startTokenIssuer()
    other.published = [curve.jwk]
  })
  afterAll(() => other.close())
  beforeEach(() => {
    reader = ownReader()
  })

  const branch = (of: TokenIssuer, more: object = {}) => ({
    issuer: of.url,
    audience: 'orders',
    jwksUri: `${of.url}/jwks`,
    ...more,
  })
  const policyOf = (issuers: readonly ReturnType<typeof branch>[]) =>
    validateJwt(contextOf(reader), { issuers, allowInsecureRequests: true, timeoutMs: 300 })

  it('each with its keys, its audience, its algorithms and its client claim', async () => {
    reader.register(issuer.url, 'orders-client')
    reader.register(other.url, 'by-app')
    const policy = policyOf([
      branch(issuer, { algorithms: ['RS256'] }),
      branch(other, { audience: 'reports', algorithms: ['ES256'], clientIdClaim: 'app' }),
    ])
    const admitted = async (token: string) => {
      const verdict = await policy.decide(bearing(token), undefined)
      return verdict.kind === 'admitted' ? verdict.admission.client?.identity : wordOf(verdict)
    }
    const theirs = other.token(curve, { aud: 'reports', app: 'by-app' })
    for (let round = 0; round < 2; round++) {
      expect(await admitted(issuer.token(key))).toEqual({ issuer: issuer.url, clientId: 'orders-client' })
      expect(await admitted(theirs)).toEqual({ issuer: other.url, clientId: 'by-app' })
    }
    expect(policy.decide(bearing(theirs), undefined)).toHaveProperty('kind', 'admitted')
    expect(await admitted(other.token(curve, { app: 'by-app' }))).toBe('token_invalid')
    expect(await admitted(issuer.token(key, { aud: 'reports' }))).toBe('token_invalid')
    // Signed by the one in the name of the other, with the very same kid.
    expect(await admitted(issuer.token(curve))).toBe('token_invalid')
    expect(await admitted(other.token(key, { aud: 'reports', app: 'by-app' }))).toBe('token_invalid')
  })

  it('chosen by iss and by nothing else', async () => {
    const policy = policyOf([branch(issuer), branch(other)])
    const before = [issuer.fetched(), other.fetched()]
    for (const iss of [undefined, null, [issuer.url], `${issuer.url}/`, 'https://nobody.example', '__proto__']) {
      const verdict = await policy.decide(
        bearing(issuer.token(key, { iss, azp: issuer.url }, { jku: other.url })),
        undefined,
      )
      expect(verdict).toMatchObject({ refusal: { code: 'token_invalid', reason: 'issuer' } })
    }
    expect([issuer.fetched(), other.fetched()]).toEqual(before)
  })

  it('one that is down costs the tokens of the other nothing', async () => {
    reader.register(issuer.url, 'orders-client')
    const policy = policyOf([branch(issuer), branch(other, { jwksUri: 'http://127.0.0.1:1/jwks' })])
    expect(await decideOn(policy, issuer.token(key))).toBe('admitted')
    expect(await faultOf(() => decideOn(policy, other.token(curve)))).toMatchObject({
      status: 503,
      reason: 'unreachable',
    })
    expect(await decideOn(policy, issuer.token(key))).toBe('admitted')
  })

  it('are told apart from other policies by each of them', () => {
    const policy = policyOf([branch(issuer), branch(other)])
    expect(policy.shapes).toEqual([`jwt:${issuer.url}`, `jwt:${other.url}`])
    expect(policy.recognise(bearing(other.token(curve)))).toHaveProperty('recognition', 'own')
    expect(policy.recognise(bearing(issuer.token(key, { iss: 'https://nobody.example' })))).toHaveProperty(
      'recognition',
      'place',
    )
  })

  it.each([
    ['none', []],
    ['the same twice', [{}, {}]],
    ['one without an audience', [{ audience: undefined }]],
    ['one with options of the route', [{ scopes: ['a'] }]],
  ])('cannot be %s', (_name, changes) => {
    expect(() => policyOf(changes.map((change) => branch(issuer, change)))).toThrow(/issuers/)
  })

  it('stand alone', () => {
    const options = { ...branch(issuer), issuers: [branch(other)], allowInsecureRequests: true }
    expect(() => validateJwt(contextOf(reader), options)).toThrow(/unknown option/)
  })
})
