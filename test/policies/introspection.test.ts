import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { jwtVerify } from 'jose'
import { Keyv } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { introspectToken } from '../../src/policies/introspect-token.js'
import type { IntrospectTokenOptions } from '../../src/policies/introspection-options.js'
import type { KeyvLike } from '../../src/tokens/introspection/shared-answers.js'
import { tokenEngines } from '../../src/tokens/engines.js'
import type { IssuerEvent } from '../../src/tokens/issuer-event.js'
import { bearing, decideOn } from '../support/bearer-request.js'
import { selfSigned } from '../support/certificate.js'
import { faultOf } from '../support/fault-of.js'
import { json, startKeyServer, status, type Behaviour, type KeyServer } from '../support/key-server.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'
import { base64url, nowSeconds, rsaKey, signText, type SigningKey } from '../support/signed-jwt.js'

const path = '/introspect'
const good = { active: true, client_id: 'orders-client', aud: 'orders', scope: 'orders:read' }
const clientSecret = 'canary-secret-of-ours-that-is-long'
let server: KeyServer
let reader: OwnReader
let events: IssuerEvent[]

beforeAll(async () => {
  server = await startKeyServer()
})
afterAll(() => server.close())
beforeEach(() => {
  reader = ownReader()
  reader.register(server.url, 'orders-client')
  events = []
  server.on(path, json(good))
})
afterEach(() => {
  vi.useRealTimers()
})

function policyOf(options: Partial<IntrospectTokenOptions> = {}) {
  const context = { ...contextOf(reader), tokens: tokenEngines((event) => events.push(event)) }
  return introspectToken(context, {
    issuer: server.url,
    endpoint: `${server.url}${path}`,
    audience: 'orders',
    as: { clientId: 'orders-api', clientSecret },
    allowInsecureRequests: true,
    timeoutMs: 300,
    ...options,
  })
}

const newToken = (): string => `canary-${randomUUID()}`
const asked = (): number => server.count(path)
const outage = { code: 'ERR_CLIENTELE_ISSUER', status: 503 }
const form = (): URLSearchParams => new URLSearchParams(server.received.at(-1)?.body)

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
}

describe('who we are', () => {
  it('by a signed assertion instead of the secret', async () => {
    const as = { clientId: 'orders-api', clientSecret, method: 'client_secret_jwt' } as const
    expect(await decideOn(policyOf({ as }), newToken())).toBe('admitted')
    expect(form().get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    const assertion = form().get('client_assertion') ?? ''
    const options = { issuer: 'orders-api', subject: 'orders-api', audience: server.url, maxTokenAge: 60 }
    const { payload } = await jwtVerify(assertion, Buffer.from(clientSecret), { ...options, algorithms: ['HS256'] })
    expect(payload.exp! - payload.iat!).toBe(60)
    expect(server.received.at(-1)?.body).not.toContain(clientSecret)
  })

  it.each(['RS256', 'PS256', 'ES256', 'ES512', 'EdDSA'] as const)('by a private key, %s', async (algorithm) => {
    const pair =
      algorithm === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : algorithm.startsWith('ES')
          ? generateKeyPairSync('ec', { namedCurve: algorithm === 'ES256' ? 'P-256' : 'P-521' })
          : generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jtis = new Set<unknown>()
    for (const privateKey of [
      pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      pair.privateKey.export({ format: 'jwk' }),
    ]) {
      const as = { clientId: 'orders-api', method: 'private_key_jwt', privateKey, kid: 'ours', algorithm } as const
      expect(await decideOn(policyOf({ as }), newToken())).toBe('admitted')
      const { payload, protectedHeader } = await jwtVerify(form().get('client_assertion') ?? '', pair.publicKey)
      expect(protectedHeader).toEqual({ alg: algorithm, kid: 'ours' })
      expect(payload).toMatchObject({ iss: 'orders-api', sub: 'orders-api', aud: server.url })
      jtis.add(payload.jti)
    }
    expect(jtis.size).toBe(2)
  })

  it('by a fixed field', async () => {
    const as = { method: 'header', name: 'X-Api-Key', value: 'key of ours' } as const
    expect(await decideOn(policyOf({ as }), newToken())).toBe('admitted')
    expect(server.received.at(-1)?.headers).toMatchObject({ 'x-api-key': 'key of ours' })
    expect(server.received.at(-1)?.headers.authorization).toBeUndefined()
  })

  it.each(['with: colon', 'plus+and%percent', 'space and ü and 😀', `quote"back\\slash`, 'a&b=c;d'])(
    '20: a secret such as %s, form-encoded in Basic and as it is in a form',
    async (secret) => {
      await decideOn(policyOf({ as: { clientId: 'orders api', clientSecret: secret } }), newToken())
      const basic = String(server.received.at(-1)?.headers.authorization).slice('Basic '.length)
      const decoded = Buffer.from(basic, 'base64').toString().split(':')
      expect(decoded).toHaveLength(2)
      const plain = decoded.map((part) => new URLSearchParams(`x=${part}`).get('x'))
      expect(plain).toEqual(['orders api', secret])
      await decideOn(policyOf({ as: { clientId: 'orders api', clientSecret: secret, method: 'post' } }), newToken())
      expect([form().get('client_id'), form().get('client_secret')]).toEqual(['orders api', secret])
    },
  )

  describe('by a certificate', () => {
    const [ours, theirs, foreign] = [selfSigned('orders-api'), selfSigned('server'), selfSigned('somebody')]
    let tls: Server
    let endpoint: string
    let answer: (certified: boolean) => [number, string, Record<string, string>]
    const subjects: unknown[] = []
    beforeAll(async () => {
      tls = createServer(
        {
          cert: theirs.certificate,
          key: theirs.privateKey,
          ca: ours.certificate,
          requestCert: true,
          rejectUnauthorized: false,
        },
        (request, response) => {
          if (!(request.socket instanceof TLSSocket)) throw new Error('no TLS')
          subjects.push(request.socket.getPeerCertificate().subject)
          const [code, body, fields] = answer(request.socket.authorized)
          response.writeHead(code, { 'content-type': 'application/json', ...fields }).end(body)
        },
      )
      await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
      endpoint = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/introspect`
    })
    afterAll(
      () =>
        new Promise((resolve) => {
          tls.close(resolve)
          tls.closeAllConnections()
        }),
    )
    beforeEach(() => {
      answer = (certified) => [certified ? 200 : 401, JSON.stringify(good), {}]
    })
    const as = (identity = ours, ca = theirs.certificate) =>
      ({ clientId: 'orders-api', method: 'mutual_tls', ...identity, ca }) as const

    it('in the handshake, with the ID in the form', async () => {
      expect(await decideOn(policyOf({ as: as(), endpoint }), newToken())).toBe('admitted')
      expect(subjects.at(-1)).toMatchObject({ CN: 'orders-api' })
    })

    it('which the server does not know: we are turned away', async () => {
      const fault = await faultOf(() => decideOn(policyOf({ as: as(foreign), endpoint }), newToken()))
      expect(fault).toMatchObject({ ...outage, reason: 'credentials' })
    })

    it('but not to a server that we do not know', async () => {
      const before = subjects.length
      const fault = await faultOf(() => decideOn(policyOf({ as: as(ours, foreign.certificate), endpoint }), newToken()))
      expect(fault).toMatchObject({ ...outage, reason: 'unreachable' })
      expect(subjects.length).toBe(before)
    })

    it.each<[string, [number, string, Record<string, string>]]>([
      ['redirected', [302, '', { location: 'https://127.0.0.1:1/' }]],
      ['too_large', [200, JSON.stringify({ ...good, x: 'x'.repeat(600_000) }), {}]],
      ['answer', [200, 'no JSON', {}]],
    ])('and what goes wrong has its word: %s', async (reason, says) => {
      answer = () => says
      const fault = await faultOf(() => decideOn(policyOf({ as: as(), endpoint }), newToken()))
      expect(fault).toMatchObject({ ...outage, reason })
    })

    it.each([
      ['of another key', { certificate: ours.certificate, privateKey: foreign.privateKey }, /the one of the other/],
      ['that is none', { certificate: 'x', privateKey: ours.privateKey }, /expected certificate and privateKey/],
    ])('a certificate %s is refused at construction', (_name, identity, message) => {
      expect(() => policyOf({ as: as(identity), endpoint })).toThrow(message)
    })

    it('needs https', () => {
      expect(() => policyOf({ as: as() })).toThrow(/needs https/)
    })
  })

  it.each([
    ['a short secret for an HMAC', { clientId: 'a', clientSecret: 'short', method: 'client_secret_jwt' }, /32 bytes/],
    ['a private key that is none', { clientId: 'a', method: 'private_key_jwt', privateKey: 'canary' }, /as.privateKey/],
    [
      'a public key',
      { clientId: 'a', method: 'private_key_jwt', privateKey: rsaKey('x').jwk },
      /as.privateKey: expected a private key/,
    ],
    [
      'a key of another algorithm',
      {
        clientId: 'a',
        method: 'private_key_jwt',
        privateKey: rsaKey('x').privateKey.export({ format: 'jwk' }),
        algorithm: 'ES256',
      },
      /as.privateKey/,
    ],
    ['nobody', { method: 'none' }, /goes with tokenInfo alone/],
    ['a field with a newline', { method: 'header', name: 'x', value: 'a\r\nb' }, /as/],
    ['a field without a name', { method: 'header', name: 'a b', value: 'x' }, /as/],
  ])('%s is refused at construction, and not shown', (_name, as, message) => {
    const build = () => policyOf({ as: as as IntrospectTokenOptions['as'] })
    expect(build).toThrow(message)
    expect(build).not.toThrow(/canary/)
  })
})

describe('how long an answer is taken', () => {
  const withCacheControl =
    (value: string): Behaviour =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': value }).end(JSON.stringify(good))
    }

  it.each([
    ['the answer forbids to keep it, which is not looked at', 'no-store', {}, 60],
    ['the answer decides', 'private, max-age=20', { minAgeSeconds: 5, maxAgeSeconds: 100 }, 20],
    ['the answer forbids to keep it: the least', 'no-store, no-cache', { minAgeSeconds: 5 }, 5],
    ['the answer wants less than the least', 'max-age=1', { minAgeSeconds: 5 }, 5],
    ['the answer wants more than the most', 'max-age=4000', { minAgeSeconds: 0, maxAgeSeconds: 30 }, 30],
    ['the answer says nothing', 'private', { minAgeSeconds: 0, maxAgeSeconds: 30 }, 30],
    ['the answer says nonsense', 'max-age=ever', { minAgeSeconds: 0, maxAgeSeconds: 30 }, 30],
  ])('%s', async (_name, cacheControl, options, seconds) => {
    fakeTime()
    server.on(path, withCacheControl(cacheControl))
    const policy = policyOf(options)
    const token = newToken()
    await decideOn(policy, token)
    const before = asked()
    vi.advanceTimersByTime(seconds * 1000 - 1)
    expect(policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    vi.advanceTimersByTime(1)
    await decideOn(policy, token)
    expect(asked() - before).toBe(1)
  })

  it('and how much longer while nobody can be asked: not at all, unless it is written', async () => {
    fakeTime()
    const [usual, stale] = [policyOf(), policyOf({ staleAnswerSeconds: 100 })]
    const token = newToken()
    for (const policy of [usual, stale]) expect(await decideOn(policy, token)).toBe('admitted')
    server.on(path, status(500))
    vi.advanceTimersByTime(60_000)
    expect(await faultOf(() => decideOn(usual, token))).toMatchObject(outage)
    expect(await decideOn(stale, token)).toBe('admitted')
    expect(events.some(({ kind, reason }) => kind === 'introspection_failed' && reason === 'status')).toBe(true)
    expect(await faultOf(() => decideOn(stale, newToken()))).toMatchObject(outage)
    vi.advanceTimersByTime(100_000)
    expect(await faultOf(() => decideOn(stale, token))).toMatchObject(outage)
  })

  it('stale or not, never past exp, and never after a "no"', async () => {
    fakeTime()
    const policy = policyOf({ staleAnswerSeconds: 3600, clockToleranceSeconds: 0 })
    const [ending, revoked] = [newToken(), newToken()]
    server.on(path, json({ ...good, exp: nowSeconds() + 90 }))
    for (const token of [ending, revoked]) expect(await decideOn(policy, token)).toBe('admitted')
    vi.advanceTimersByTime(60_000)
    server.on(path, json({ active: false }))
    expect(await decideOn(policy, revoked)).toBe('token_invalid')
    server.on(path, status(500))
    expect(await decideOn(policy, ending)).toBe('admitted')
    vi.advanceTimersByTime(20_000)
    expect(await faultOf(() => decideOn(policy, revoked))).toMatchObject(outage)
    vi.advanceTimersByTime(20_000)
    expect(await faultOf(() => decideOn(policy, ending))).toMatchObject(outage)
  })

  it.each([
    [{ minAgeSeconds: 61 }, /no more than maxAgeSeconds/],
    [{ staleAnswerSeconds: Infinity }, /staleAnswerSeconds/],
    [{ staleAnswerSeconds: -1 }, /staleAnswerSeconds/],
    [{ minAgeSeconds: NaN }, /minAgeSeconds/],
    [{ budget: { concurrent: 0 } }, /budget/],
    [{ budget: { inactivePerSecond: NaN } }, /budget/],
  ])('8: %j is refused at construction', (options, message) => {
    expect(() => policyOf(options)).toThrow(message)
  })
})

describe('50: a flood of tokens that nobody knows', () => {
  it('costs what the budget allows, and known tokens go on', async () => {
    fakeTime()
    server.on(path, (request, response) => {
      const known = new URLSearchParams(request.body).get('token')?.startsWith('known') === true
      json(known ? good : { active: false })(request, response)
    })
    const policy = policyOf({ budget: { inactivePerSecond: 20 }, timeoutMs: 10_000 })
    expect(await decideOn(policy, 'known-1')).toBe('admitted')
    const before = asked()
    const words = new Map<string, number>()
    const flood = async (count: number): Promise<void> => {
      for (let round = 0; round < count / 50; round++) {
        const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => decideOn(policy, newToken())))
        for (const outcome of outcomes) {
          const word = outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason.reason)
          words.set(word, (words.get(word) ?? 0) + 1)
        }
        expect(policy.decide(bearing('known-1'), undefined)).toHaveProperty('kind', 'admitted')
      }
    }
    await flood(10_000)
    expect(asked() - before).toBeLessThanOrEqual(200 + 50)
    expect([...words.keys()].sort()).toEqual(['busy', 'token_invalid'])
    const fault = await faultOf(() => decideOn(policy, newToken()))
    expect(fault).toMatchObject({ ...outage, reason: 'busy' })
    vi.advanceTimersByTime(5000)
    expect(await decideOn(policy, 'known-2')).toBe('admitted')
    const atRest = asked()
    await flood(1000)
    expect(asked() - atRest).toBeLessThanOrEqual(100 + 50)
  })
})

describe('a server that fails', () => {
  it('is asked again once where a connection broke, and nobody notices', async () => {
    let broken = true
    server.on(path, (request, response) => {
      if (broken) response.destroy()
      else json(good)(request, response)
      broken = false
    })
    const before = asked()
    expect(await decideOn(policyOf(), newToken())).toBe('admitted')
    expect(asked() - before).toBe(2)
    expect(events).toEqual([])
  })

  it('is left alone after five failures in a row, and tried again with one question', async () => {
    fakeTime()
    const policy = policyOf()
    const known = newToken()
    expect(await decideOn(policy, known)).toBe('admitted')
    server.on(path, status(500))
    const before = asked()
    for (let round = 0; round < 50; round++) {
      expect(await faultOf(() => decideOn(policy, newToken()))).toMatchObject({ ...outage, reason: 'status' })
    }
    expect(asked() - before).toBe(5)
    expect(policy.decide(bearing(known), undefined)).toHaveProperty('kind', 'admitted')
    vi.advanceTimersByTime(1000)
    const tried = await Promise.allSettled(Array.from({ length: 20 }, () => decideOn(policy, newToken())))
    expect(tried.every(({ status: state }) => state === 'rejected')).toBe(true)
    expect(asked() - before).toBe(6)
    vi.advanceTimersByTime(1000)
    await faultOf(() => decideOn(policy, newToken()))
    expect(asked() - before).toBe(6)
    server.on(path, json(good))
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, newToken())).toBe('admitted')
    expect(await decideOn(policy, newToken())).toBe('admitted')
    expect(events.filter(({ kind }) => kind === 'introspection_failed')).toHaveLength(6)
  })

  it('a hundred that fail together are one failure, not a minute of silence', async () => {
    fakeTime()
    const policy = policyOf()
    server.on(path, status(500))
    await Promise.allSettled(Array.from({ length: 100 }, () => decideOn(policy, newToken())))
    server.on(path, json(good))
    vi.advanceTimersByTime(1000)
    expect(await decideOn(policy, newToken())).toBe('admitted')
  })

  it.each([401, 403])('that turns us away (%i) is not asked for each request', async (code) => {
    fakeTime()
    const policy = policyOf()
    server.on(path, status(code))
    const before = asked()
    for (let round = 0; round < 20; round++) {
      const fault = await faultOf(() => decideOn(policy, newToken()))
      expect(fault).toMatchObject({ ...outage, reason: 'credentials' })
      expect(inspect([fault, events], { depth: 10 })).not.toContain('canary')
    }
    expect(asked() - before).toBe(1)
    expect(events).toMatchObject([{ kind: 'introspection_failed', issuer: server.url, reason: 'credentials' }])
  })

  it.each([
    [429, { 'retry-after': '20' }, 20],
    [503, { 'retry-after': '20' }, 20],
    [429, {}, 5],
    [429, { 'retry-after': '86400' }, 60],
    [429, { 'retry-after': 'soon' }, 5],
  ])('that answers %i with %j is left alone for %i s', async (code, fields, seconds) => {
    fakeTime()
    const policy = policyOf()
    server.on(path, status(code, fields))
    expect(await faultOf(() => decideOn(policy, newToken()))).toMatchObject({ ...outage, reason: 'throttled' })
    server.on(path, json(good))
    const before = asked()
    vi.advanceTimersByTime(seconds * 1000 - 100)
    expect(await faultOf(() => decideOn(policy, newToken()))).toMatchObject({ reason: 'throttled' })
    expect(asked()).toBe(before)
    vi.advanceTimersByTime(100)
    expect(await decideOn(policy, newToken())).toBe('admitted')
  })

  it('to answer one token with nonsense does not end for the others', async () => {
    const policy = policyOf()
    server.on(path, (request, response) => {
      const strange = new URLSearchParams(request.body).get('token')?.startsWith('strange') === true
      json(strange ? { active: 'yes' } : good)(request, response)
    })
    for (let round = 0; round < 20; round++) {
      expect(await faultOf(() => decideOn(policy, `strange-${round}`))).toMatchObject({ reason: 'answer' })
    }
    expect(await decideOn(policy, newToken())).toBe('admitted')
  })
})

describe('tokenInfo: an endpoint that is not RFC 7662', () => {
  const legacy = { client_id: 'orders-client', scope: 'orders:read', expires_in: 60 }
  const options = { audience: null, tokenInfo: {} } as const
  const says = (answer: unknown, code = 200) => {
    server.on(path, json(answer, code))
  }

  it('is asked with access_token, by POST, and answers without active', async () => {
    says(legacy)
    const token = newToken()
    expect(await decideOn(policyOf({ ...options, scopes: ['orders:read'] }), token)).toBe('admitted')
    expect(Object.fromEntries(form())).toEqual({ access_token: token })
  })

  it('may be asked by GET, of nobody, with a parameter of its own', async () => {
    says(legacy)
    const asking = policyOf({
      ...options,
      as: { method: 'none' },
      tokenInfo: { method: 'GET', parameter: 'token' },
    })
    expect(await decideOn(asking, newToken())).toBe('admitted')
    expect(server.received.at(-1)).toMatchObject({ method: 'GET', path, body: '' })
    expect(server.received.at(-1)?.headers.authorization).toBeUndefined()
  })

  it.each<[string, object, string]>([
    ['expires_in 0, which is over', { ...legacy, expires_in: 0 }, 'token_invalid'],
    ['expires_in below 0', { ...legacy, expires_in: -1 }, 'token_invalid'],
    ['expires_in as text', { ...legacy, expires_in: '60' }, 'admitted'],
    ['exp instead', { ...legacy, expires_in: undefined, exp: nowSeconds() + 60 }, 'admitted'],
    ['active after all', { ...legacy, active: false }, 'token_invalid'],
    ['active after all, and true', { ...legacy, active: true, expires_in: undefined }, 'admitted'],
    ['a user name instead of a client', { username: 'orders-client', expires_in: 60 }, 'client_unnamed'],
  ])('%s', async (_name, answer, word) => {
    says(answer)
    expect(await decideOn(policyOf(options), newToken())).toBe(word)
  })

  it('a user name instead of a client, where it is named', async () => {
    says({ username: 'orders-client', expires_in: 60 })
    expect(await decideOn(policyOf({ ...options, clientIdClaim: 'username' }), newToken())).toBe('admitted')
  })

  it('ends when it said, whatever age is allowed', async () => {
    fakeTime()
    says(legacy)
    const policy = policyOf({ ...options, maxAgeSeconds: 3600, clockToleranceSeconds: 0 })
    const token = newToken()
    expect(await decideOn(policy, token)).toBe('admitted')
    says({ ...legacy, expires_in: 0 })
    vi.advanceTimersByTime(60_000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it.each([400, 401, 403, 404])('its %i with invalid_token is about the token', async (code) => {
    says({ error: 'invalid_token' }, code)
    expect(await decideOn(policyOf(options), newToken())).toBe('token_invalid')
  })

  it.each<[string, unknown, number, string]>([
    ['neither active nor an end', { client_id: 'orders-client' }, 200, 'answer'],
    ['an end that is none', { ...legacy, expires_in: 'soon' }, 200, 'answer'],
    ['active that is no boolean', { ...legacy, active: 'true' }, 200, 'answer'],
    ['401 without a word', {}, 401, 'credentials'],
    ['400 for another reason', { error: 'invalid_request' }, 400, 'status'],
    ['500', {}, 500, 'status'],
  ])('%s is an outage', async (_name, answer, code, reason) => {
    says(answer, code)
    expect(await faultOf(() => decideOn(policyOf(options), newToken()))).toMatchObject({ ...outage, reason })
  })
})

describe('signed answers', () => {
  const key = rsaKey('as')
  const type = 'application/token-introspection+jwt'
  const signedAnswers = () => ({ jwks: { keys: [key.jwk] } })
  const statement = (change: object = {}) => ({
    iss: server.url,
    aud: 'orders-api',
    iat: nowSeconds(),
    token_introspection: good,
    ...change,
  })
  const says = (change: object = {}, header: object = {}, signer: SigningKey = key, mediaType = type): void => {
    const head = { alg: 'RS256', typ: 'token-introspection+jwt', kid: 'as', ...header }
    const text = signText(JSON.stringify(head), JSON.stringify(statement(change)), signer)
    server.on(path, (_request, response) => response.writeHead(200, { 'content-type': mediaType }).end(text))
  }

  it('are asked for, and taken when they are signed for us', async () => {
    says()
    expect(await decideOn(policyOf({ signedAnswers: signedAnswers() }), newToken())).toBe('admitted')
    expect(server.received.at(-1)?.headers.accept).toBe(type)
    says({ aud: ['x', 'orders-api'] })
    expect(await decideOn(policyOf({ signedAnswers: signedAnswers() }), newToken())).toBe('admitted')
    says({ token_introspection: { active: false } })
    expect(await decideOn(policyOf({ signedAnswers: signedAnswers() }), newToken())).toBe('token_invalid')
  })

  it.each<[string, () => void]>([
    [
      'not signed',
      () => {
        server.on(path, json(good))
      },
    ],
    [
      'of another type',
      () => {
        says({}, {}, key, 'application/jwt')
      },
    ],
    [
      'another kind of JWT',
      () => {
        says({}, { typ: 'at+jwt' })
      },
    ],
    [
      'without a kind',
      () => {
        says({}, { typ: undefined })
      },
    ],
    [
      'of another issuer',
      () => {
        says({ iss: 'https://other.example' })
      },
    ],
    [
      'for somebody else',
      () => {
        says({ aud: 'reports-api' })
      },
    ],
    [
      'for nobody',
      () => {
        says({ aud: undefined })
      },
    ],
    [
      'old',
      () => {
        says({ iat: nowSeconds() - 3600 })
      },
    ],
    [
      'of the future',
      () => {
        says({ iat: nowSeconds() + 3600 })
      },
    ],
    [
      'without a time',
      () => {
        says({ iat: undefined })
      },
    ],
    [
      'without an answer',
      () => {
        says({ token_introspection: undefined })
      },
    ],
    [
      'with an answer that says nothing',
      () => {
        says({ token_introspection: {} })
      },
    ],
    [
      'with an answer that is no boolean',
      () => {
        says({ token_introspection: { ...good, active: 1 } })
      },
    ],
    [
      'by another key',
      () => {
        says({}, {}, rsaKey('as'))
      },
    ],
    [
      'by an unknown key',
      () => {
        says({}, { kid: 'other' })
      },
    ],
    [
      'by an algorithm that is not allowed',
      () => {
        says({}, { alg: 'HS256' })
      },
    ],
    [
      'by nobody',
      () => {
        says({}, { alg: 'none' })
      },
    ],
    [
      'encrypted',
      () => {
        const jwe = [base64url('{"alg":"dir","enc":"A256GCM"}'), '', 'AA', 'AA', 'AA'].join('.')
        server.on(path, (_request, response) => response.writeHead(200, { 'content-type': type }).end(jwe))
      },
    ],
  ])('that are %s are no answers, and say nothing of the token', async (_name, prepare) => {
    prepare()
    const policy = policyOf({ signedAnswers: signedAnswers() })
    expect(await faultOf(() => decideOn(policy, newToken()))).toMatchObject({ ...outage, reason: 'answer' })
  })

  it('are checked with the keys that the issuer publishes, by discovery, also when they turn', async () => {
    const next = rsaKey('next')
    server.on('/.well-known/openid-configuration', json({ issuer: server.url, jwks_uri: `${server.url}/jwks` }))
    server.on('/jwks', json({ keys: [key.jwk] }))
    const policy = policyOf({ signedAnswers: true })
    says()
    expect(await decideOn(policy, newToken())).toBe('admitted')
    server.on('/jwks', json({ keys: [next.jwk] }))
    says({}, { kid: 'next' }, next)
    expect(await decideOn(policy, newToken())).toBe('admitted')
  })

  it('that nobody asked for are not taken', async () => {
    says()
    expect(await faultOf(() => decideOn(policyOf(), newToken()))).toMatchObject({ ...outage, reason: 'answer' })
  })

  it('need a name for us', () => {
    const as = { method: 'header', name: 'x', value: 'y' } as const
    expect(() => policyOf({ as, signedAnswers: true })).toThrow(/expected audience/)
    expect(() => policyOf({ as, signedAnswers: { audience: 'orders-api' } })).not.toThrow()
  })
})

describe.each<[string, () => KeyvLike]>([
  ['keyv 5', () => new Keyv()],
  ['keyv 6', () => new Keyv6()],
])('a cache that is shared: %s', (_name, makeKeyv) => {
  const secret = 'canary-of-the-cache-that-is-long-enough'
  const shared = (store: KeyvLike, more: object = {}) => policyOf({ sharedCache: { store, secret }, ...more })

  /** A map that can be looked into and written to, as a store that somebody else can reach. */
  const openStore = () => {
    const entries = new Map<string, unknown>()
    const keyv = makeKeyv()
    return {
      entries,
      get: async (key: string): Promise<unknown> => {
        await keyv.get(key)
        return entries.get(key)
      },
      set: async (key: string, value: string, ttlMs: number): Promise<unknown> => {
        entries.set(key, value)
        return keyv.set(key, value, ttlMs)
      },
    }
  }

  it('spares other processes the question', async () => {
    const store = makeKeyv()
    const token = newToken()
    expect(await decideOn(shared(store), token)).toBe('admitted')
    const before = asked()
    for (let process = 0; process < 5; process++) expect(await decideOn(shared(store), token)).toBe('admitted')
    expect(asked()).toBe(before)
    server.on(path, json({ active: false }))
    const bad = newToken()
    expect([await decideOn(shared(store), bad), await decideOn(shared(store), bad)]).toEqual([
      'token_invalid',
      'token_invalid',
    ])
    expect(asked() - before).toBe(1)
  })

  it('is no longer right than a memory of our own', async () => {
    fakeTime()
    const store = openStore()
    const token = newToken()
    expect(await decideOn(shared(store), token)).toBe('admitted')
    server.on(path, json({ active: false }))
    vi.advanceTimersByTime(40_000)
    const late = shared(store)
    expect(await decideOn(late, token)).toBe('admitted')
    // Not forty seconds and then sixty of its own.
    vi.advanceTimersByTime(20_000)
    expect(await decideOn(late, token)).toBe('token_invalid')
  })

  it('never past exp, and not from the future', async () => {
    fakeTime()
    const store = openStore()
    const token = newToken()
    server.on(path, json({ ...good, exp: nowSeconds() + 20 }))
    const strict = { clockToleranceSeconds: 0 }
    expect(await decideOn(shared(store, strict), token)).toBe('admitted')
    vi.advanceTimersByTime(20_000)
    expect(await decideOn(shared(store, strict), token)).toBe('token_invalid')
    const another = newToken()
    server.on(path, json(good))
    expect(await decideOn(shared(store), another)).toBe('admitted')
    vi.setSystemTime(Date.now() - 3_600_000)
    const before = asked()
    expect(await decideOn(shared(store), another)).toBe('admitted')
    expect(asked() - before).toBe(1)
  })

  it('holds nothing that says something to whoever reads it', async () => {
    const store = openStore()
    await decideOn(shared(store), newToken())
    expect(store.entries.size).toBe(1)
    expect(inspect([...store.entries], { depth: 5 })).not.toMatch(/canary|orders|active/)
  })

  it('makes no token good for whoever writes to it', async () => {
    const store = openStore()
    const [known, forged] = [newToken(), newToken()]
    expect(await decideOn(shared(store), known)).toBe('admitted')
    const [[, sealed] = []] = [...store.entries]
    server.on(path, json({ active: false }))
    await decideOn(shared(store), forged)
    const forgedKey = [...store.entries.keys()].at(-1) ?? ''
    const forgeries: unknown[] = [
      sealed,
      JSON.stringify({ members: good, askedAt: Date.now() }),
      '',
      'AAAA',
      7,
      { members: good },
      String(sealed).slice(0, -4),
      `${String(sealed).slice(0, 20)}AAAA${String(sealed).slice(24)}`,
    ]
    for (const forgery of forgeries) {
      store.entries.set(forgedKey, forgery)
      events = []
      const before = asked()
      expect(await decideOn(shared(store), forged)).toBe('token_invalid')
      expect(asked() - before).toBe(1)
      expect(events).toContainEqual({ kind: 'cache_failed', issuer: server.url, reason: 'an entry is not ours' })
    }
  })

  it('answers nobody with another secret, client or issuer', async () => {
    const store = openStore()
    const token = newToken()
    await decideOn(shared(store), token)
    const before = asked()
    const others: Partial<IntrospectTokenOptions>[] = [
      { sharedCache: { store, secret: 'x'.repeat(32) } },
      { as: { clientId: 'other', clientSecret } },
      { issuer: 'https://other.example' },
      { endpoint: `${server.url}${path}?x` },
    ]
    for (const other of others) await decideOn(shared(store, other), token)
    expect(asked() - before).toBe(others.length)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['rejects', () => Promise.reject(new Error('canary'))],
    ['hangs', () => new Promise(() => undefined)],
    [
      'throws',
      () => {
        throw new Error('canary')
      },
    ],
  ])('that %s costs a question and nothing else', async (_what, fail) => {
    const policy = shared({ get: fail, set: fail })
    const before = asked()
    expect(await decideOn(policy, newToken())).toBe('admitted')
    expect(asked() - before).toBe(1)
    expect(events.map(({ kind }) => kind)).toContain('cache_failed')
    expect(inspect(events)).not.toContain('canary')
  })

  it('wants a secret that cannot be guessed', () => {
    const store = makeKeyv()
    expect(() => policyOf({ sharedCache: { store, secret: 'short' } })).toThrow(/sharedCache.secret/)
    expect(() => policyOf({ sharedCache: { store: {} as never, secret } })).toThrow(/expected a Keyv/)
  })
})

/** Rows of servers that were run, as they answer. */
describe('servers that people run', () => {
  const empty = (code: number): Behaviour => status(code)
  const html =
    (code: number): Behaviour =>
    (_request, response) =>
      response.writeHead(code, { 'content-type': 'text/html' }).end('<html></html>')
  const own = { client_id: 'orders-client', scope: 'orders:read', exp: nowSeconds() + 300 }

  it.each<[string, Behaviour, string, Partial<IntrospectTokenOptions>]>([
    [
      'oidc-provider: good',
      (q, r) => {
        json({ active: true, ...own, iat: 1, iss: server.url, aud: 'orders', token_type: 'Bearer' })(q, r)
      },
      'admitted',
      {},
    ],
    ['oidc-provider 8: a JWT', json({ active: false }), 'token_invalid', {}],
    ['oidc-provider 9: a JWT', json({ error: 'unsupported_token_type' }, 400), 'token_invalid', {}],
    ['oidc-provider: our wrong secret', json({ error: 'invalid_client' }, 401), 'credentials', {}],
    ['oidc-provider: no authentication', json({ error: 'invalid_request' }, 400), 'status', {}],
    [
      'glewlwyd: good, the scope as aud',
      json({ active: true, ...own, aud: 'orders:read', nbf: 1, jti: 'j' }),
      'token_invalid',
      {},
    ],
    [
      'glewlwyd: the same where no audience is asked for',
      json({ active: true, ...own, aud: 'orders:read' }),
      'admitted',
      { audience: null },
    ],
    ['glewlwyd: our wrong secret', empty(401), 'credentials', {}],
    ['glewlwyd: no token', empty(400), 'status', {}],
    [
      'LemonLDAP::NG: good',
      (q, r) => {
        json({ active: true, sub: 'user', ...own, iss: `${server.url}/` })(q, r)
      },
      'token_invalid',
      { audience: null },
    ],
    ['LemonLDAP::NG: our wrong secret', json({ error: 'invalid_client' }, 401), 'credentials', {}],
    ['django-oauth-toolkit: good', json({ active: true, ...own }), 'admitted', { audience: null }],
    ['django-oauth-toolkit: our wrong secret, HTML', html(403), 'credentials', {}],
    ['django-oauth-toolkit: our wrong secret, empty', empty(403), 'credentials', {}],
    ['invalid_client with 400', json({ error: 'invalid_client' }, 400), 'credentials', {}],
    ['a proxy in front of it', html(502), 'status', {}],
  ])('%s', async (_name, behaviour, word, options) => {
    server.on(path, behaviour)
    const decision = async (): Promise<string> => {
      try {
        return await decideOn(policyOf(options), newToken())
      } catch (error) {
        expect(error).toMatchObject(outage)
        return (error as { reason: string }).reason
      }
    }
    expect(await decision()).toBe(word)
  })
})
