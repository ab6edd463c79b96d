import { X509Certificate } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { bearing, decideOn, wordOf } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { json, outages, status, type Behaviour } from '../support/key-server.js'
import type { SigningKey } from '../support/signed-jwt.js'
import { guardFor, keyOf, rsaKey, startTokenIssuer, type Guard, type TokenIssuer } from '../support/token-issuer.js'

const [former, next, third] = [rsaKey('former'), rsaKey('next'), rsaKey('third')]
let issuer: TokenIssuer

beforeAll(async () => {
  issuer = await startTokenIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  issuer.published = [former.jwk]
  issuer.server.on('/jwks', (request, response) => json({ keys: issuer.published })(request, response))
})
afterEach(() => {
  vi.useRealTimers()
})

const outage = { name: 'ClienteleFault', code: 'ERR_CLIENTELE_ISSUER', status: 503 }
const admits = async ({ policy }: Guard, key: SigningKey): Promise<string> => decideOn(policy, issuer.token(key))
const hang: Behaviour = () => undefined

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] })
}

/** Lets what is under way on real sockets come to its end while the clock stands. */
async function settled<T>(promise: Promise<T>): Promise<T | 'still waiting'> {
  const outcomes: T[] = []
  void promise.then(
    (value) => outcomes.push(value),
    () => undefined,
  )
  for (let turn = 0; turn < 2000 && outcomes.length === 0; turn++) await new Promise(setImmediate)
  return outcomes[0] ?? 'still waiting'
}

describe('14: tokens of a key that is not there', () => {
  const unknown = (guard: Guard, kid: string): Promise<string> =>
    decideOn(guard.policy, issuer.token(former, {}, { kid }))

  it('a thousand names that never were cost ten fetches, and a key that turned meanwhile is not locked out', async () => {
    fakeTime()
    const guard = guardFor(issuer)
    expect(await admits(guard, former)).toBe('admitted')
    const before = issuer.fetched()
    for (let each = 0; each < 10; each++) expect(await settled(unknown(guard, `first-${each}`))).toBe('token_invalid')
    const flood = Promise.all(Array.from({ length: 900 }, (_, index) => unknown(guard, `random-${index}`)))
    expect(await settled(flood)).toBe('still waiting')
    expect(issuer.fetched() - before).toBe(10)
    // Known keys go on.
    expect(await admits(guard, former)).toBe('admitted')
    issuer.published = [next.jwk, former.jwk]
    const valid = admits(guard, next)
    expect(await settled(valid)).toBe('still waiting')
    await vi.advanceTimersByTimeAsync(5000)
    expect(await valid).toBe('admitted')
    expect(new Set(await flood)).toEqual(new Set(['token_invalid']))
    expect(issuer.fetched() - before).toBe(11)
    expect(await admits(guard, next)).toBe('admitted')
  })

  it('under a flood that goes on, one fetch each five seconds', async () => {
    fakeTime()
    const guard = guardFor(issuer)
    await admits(guard, former)
    const before = issuer.fetched()
    const waiting: Promise<string>[] = []
    for (let second = 0; second < 60; second++) {
      for (let each = 0; each < 10; each++) waiting.push(unknown(guard, `at-${second}-${each}`))
      await settled(Promise.race(waiting.slice(-10)))
      await vi.advanceTimersByTimeAsync(1000)
    }
    await vi.advanceTimersByTimeAsync(6000)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['token_invalid']))
    expect(issuer.fetched() - before).toBeLessThanOrEqual(10 + 66 / 5)
  })

  it('a name that was just asked for in vain is refused at once, and asked for again after five seconds', async () => {
    fakeTime()
    const guard = guardFor(issuer)
    await admits(guard, former)
    const before = issuer.fetched()
    for (let round = 0; round < 20; round++) expect(await settled(unknown(guard, 'other'))).toBe('token_invalid')
    expect(issuer.fetched() - before).toBe(1)
    await vi.advanceTimersByTimeAsync(5000)
    issuer.published = [{ ...former.jwk, kid: 'other' }]
    expect(await settled(unknown(guard, 'other'))).toBe('admitted')
  })

  it('too many that wait are sent away with a 503, not called bad', async () => {
    fakeTime()
    const guard = guardFor(issuer)
    await admits(guard, former)
    for (let each = 0; each < 10; each++) await settled(unknown(guard, `first-${each}`))
    const flood = Array.from({ length: 1001 }, (_, index) => unknown(guard, `random-${index}`))
    const outcomes = Promise.allSettled(flood)
    await vi.advanceTimersByTimeAsync(6000)
    const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    for (const { reason } of refused) {
      expect(reason).toMatchObject({ ...outage, reason: 'busy' })
      expect(reason).toMatchObject({ retryAfterSeconds: expect.any(Number) })
    }
  })

  it('a key that turns while keys are being fetched is not called bad', async () => {
    const guard = guardFor(issuer)
    expect(await admits(guard, former)).toBe('admitted')
    let release: (() => void) | undefined
    issuer.server.on('/jwks', (request, response) => {
      // An answer from before the key turned, on its way while the key turns.
      const keys = [former.jwk]
      release = () => {
        json({ keys })(request, response)
      }
    })
    const deciding = [unknown(guard, 'somebody-elses')]
    await vi.waitUntil(() => release !== undefined)
    issuer.server.on('/jwks', json({ keys: [next.jwk, former.jwk] }))
    deciding.push(admits(guard, next))
    await new Promise((resolve) => setTimeout(resolve, 20))
    release?.()
    expect(await Promise.all(deciding)).toEqual(['token_invalid', 'admitted'])
  })
})

describe('keys that grow old', () => {
  it('are fetched again before anybody has to wait for them', async () => {
    fakeTime()
    const guard = guardFor(issuer, { freshSeconds: 100 })
    const token = issuer.token(former)
    expect(await decideOn(guard.policy, token)).toBe('admitted')
    const before = issuer.fetched()
    vi.advanceTimersByTime(74_000)
    expect(guard.policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    expect(issuer.fetched()).toBe(before)
    vi.advanceTimersByTime(17_000)
    // At once, by a remembered token, and one fetch however many come.
    for (let round = 0; round < 50; round++) {
      expect(guard.policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    }
    await vi.waitUntil(() => issuer.fetched() > before)
    await settled(admits(guard, former))
    vi.advanceTimersByTime(60_000)
    expect(guard.policy.decide(bearing(token), undefined)).toHaveProperty('kind', 'admitted')
    expect(issuer.fetched()).toBe(before + 1)
  })

  it('and whose issuer hangs cost nobody more than a second, as long as they may be used', async () => {
    const guard = guardFor(issuer, { freshSeconds: 1, staleSeconds: 60, timeoutMs: 3000 })
    expect(await admits(guard, former)).toBe('admitted')
    issuer.server.on('/jwks', status(500))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await admits(guard, former)).toBe('admitted')
    issuer.server.on('/jwks', hang)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const start = performance.now()
    expect(await Promise.all(Array.from({ length: 20 }, () => admits(guard, former)))).toContain('admitted')
    expect(performance.now() - start).toBeLessThan(1500)
  })

  it.each(Object.entries(outages))(
    '15: %s: old keys for a bounded time, then 503, and told of it',
    async (_name, behaviour) => {
      fakeTime()
      const guard = guardFor(issuer, { freshSeconds: 10, staleSeconds: 60 })
      expect(await admits(guard, former)).toBe('admitted')
      issuer.server.on('/jwks', behaviour)
      await vi.advanceTimersByTimeAsync(20_000)
      expect(await admits(guard, former)).toBe('admitted')
      expect(guard.events.at(-1)).toMatchObject({ kind: 'fetch_failed', issuer: issuer.url, fault: outage })
      expect(guard.events.at(-1)?.usableSeconds).toBeGreaterThan(40)
      await vi.advanceTimersByTimeAsync(51_000)
      expect(await faultOf(() => admits(guard, former))).toMatchObject(outage)
      expect(guard.events.at(-1)).toMatchObject({ usableSeconds: 0 })
    },
  )
})

describe('15: what went wrong, in one word', () => {
  it.each<[string, Behaviour]>([
    ['status', status(500)],
    ['timeout', hang],
    ['timeout', outages['a drip']!],
    ['unreachable', outages['a closed connection']!],
    ['redirected', outages['a redirect']!],
    ['too_large', outages['an endless body']!],
    ['answer', outages['html']!],
    ['answer', json([])],
    ['keys', json({ keys: [] })],
  ])('%s', async (reason, behaviour) => {
    issuer.server.on('/jwks', behaviour)
    const guard = guardFor(issuer)
    expect(await faultOf(() => admits(guard, former))).toMatchObject({ ...outage, reason })
  })
})

describe('keys in several places', () => {
  const [first, second] = ['/keys-1', '/keys-2']
  const at = (path: string): string => `${issuer.url}${path}`
  beforeEach(() => {
    issuer.server.on(first, json({ keys: [former.jwk] }))
    issuer.server.on(second, json({ keys: [next.jwk] }))
  })

  it('are all taken', async () => {
    const guard = guardFor(issuer, { jwksUri: [at(first), at(second)] })
    expect([await admits(guard, former), await admits(guard, next), await admits(guard, third)]).toEqual([
      'admitted',
      'admitted',
      'token_invalid',
    ])
  })

  it('cost each other nothing: of one that is down the tokens are 503, those of the other good and remembered', async () => {
    issuer.server.on(first, status(500))
    const guard = guardFor(issuer, { jwksUri: [at(first), at(second)] })
    const token = issuer.token(next)
    const claims = async (): Promise<unknown> => {
      const verdict = await guard.policy.decide(bearing(token), undefined)
      return verdict.kind === 'admitted' && verdict.admission.claims
    }
    const seen = await claims()
    expect(seen).toMatchObject({ client_id: 'orders-client' })
    expect(await faultOf(() => admits(guard, former))).toMatchObject({ ...outage, reason: 'status' })
    expect(await claims()).toBe(seen)
  })

  it('find a key that turned in one of them', async () => {
    const guard = guardFor(issuer, { jwksUri: [at(first), at(second)] })
    await admits(guard, former)
    issuer.server.on(second, json({ keys: [third.jwk] }))
    expect(await admits(guard, third)).toBe('admitted')
    expect(await admits(guard, next)).toBe('token_invalid')
    expect(await admits(guard, former)).toBe('admitted')
  })

  it('are 503 when none can be had', async () => {
    issuer.server.on(first, status(500))
    issuer.server.on(second, json({ keys: [] }))
    const guard = guardFor(issuer, { jwksUri: [at(first), at(second)] })
    expect(await faultOf(() => admits(guard, next))).toMatchObject(outage)
  })
})

describe('keys as PEM', () => {
  const pem = (key: SigningKey): string => String(key.publicKey.export({ type: 'spki', format: 'pem' }))

  it('verify whatever name a token gives, or none', async () => {
    const guard = guardFor(issuer, { pem: pem(former) })
    expect(await admits(guard, former)).toBe('admitted')
    expect(await decideOn(guard.policy, issuer.token(former, {}, { kid: undefined }))).toBe('admitted')
    expect(await decideOn(guard.policy, issuer.token(former, {}, { kid: 'any' }))).toBe('admitted')
    expect(await admits(guard, next)).toBe('token_invalid')
  })

  it('may be several, of any kind, one of them a certificate', async () => {
    const curve = keyOf('curve', 'ES256')
    const guard = guardFor(issuer, { pem: [pem(former), pem(curve), certificate] })
    expect([await admits(guard, former), await admits(guard, curve)]).toEqual(['admitted', 'admitted'])
    expect(new X509Certificate(certificate).publicKey.asymmetricKeyType).toBe('ec')
  })

  it.each([
    ['a private key', () => String(former.privateKey.export({ type: 'pkcs8', format: 'pem' })), /it is private/],
    ['1024 bits', () => pem(rsaKey('weak', 1024)), /less than 2048 bits/],
    ['something else', () => 'key', /not a public key/],
  ])('cannot be %s', (_name, text, message) => {
    expect(() => guardFor(issuer, { pem: text() })).toThrow(message)
  })

  it('never are the secret of an HMAC', () => {
    expect(() => guardFor(issuer, { pem: pem(former), algorithms: ['HS256'] })).toThrow(/need the option secret/)
    expect(() => guardFor(issuer, { pem: pem(former), secret: 's'.repeat(64) })).toThrow(/at most one of/)
  })
})

describe('issuers.refresh()', () => {
  it('ends a withdrawn key at once', async () => {
    const guard = guardFor(issuer)
    const token = issuer.token(former)
    expect(await decideOn(guard.policy, token)).toBe('admitted')
    issuer.published = [next.jwk]
    expect(await decideOn(guard.policy, token)).toBe('admitted')
    await guard.tokens.issuers.refresh()
    expect(await decideOn(guard.policy, token)).toBe('token_invalid')
  })

  it('throws when it cannot fetch, changes nothing then, and asks in spite of the back-off', async () => {
    const guard = guardFor(issuer)
    expect(await admits(guard, former)).toBe('admitted')
    issuer.server.on('/jwks', status(500))
    const before = issuer.fetched()
    const { refresh } = guard.tokens.issuers
    for (let round = 0; round < 2; round++) await expect(refresh({ issuer: issuer.url })).rejects.toMatchObject(outage)
    expect(issuer.fetched() - before).toBe(2)
    expect(await admits(guard, former)).toBe('admitted')
    issuer.server.on('/jwks', json({ keys: [next.jwk] }))
    await refresh()
    expect([await admits(guard, former), await admits(guard, next)]).toEqual(['token_invalid', 'admitted'])
  })

  it('does not believe an answer that was under way before it was called', async () => {
    const guard = guardFor(issuer)
    let release: (() => void) | undefined
    issuer.server.on('/jwks', (request, response) => {
      release = () => {
        json({ keys: [former.jwk] })(request, response)
      }
    })
    const deciding = admits(guard, former)
    await vi.waitUntil(() => release !== undefined)
    issuer.server.on('/jwks', json({ keys: [next.jwk] }))
    const refreshing = guard.tokens.issuers.refresh()
    release?.()
    await Promise.all([deciding, refreshing])
    expect(await admits(guard, former)).toBe('token_invalid')
  })

  it('fetches metadata too, and knows only issuers that a policy has', async () => {
    const openid = '/.well-known/openid-configuration'
    issuer.server.on(openid, json({ issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` }))
    const guard = guardFor(issuer, { jwksUri: undefined })
    expect(await admits(guard, former)).toBe('admitted')
    issuer.server.on('/moved', json({ keys: [next.jwk] }))
    issuer.server.on(openid, json({ issuer: issuer.url, jwks_uri: `${issuer.url}/moved` }))
    await guard.tokens.issuers.refresh({ issuer: issuer.url })
    expect(await admits(guard, next)).toBe('admitted')
    const unknown = guard.tokens.issuers.refresh({ issuer: 'https://other.example' })
    await expect(unknown).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
    // @ts-expect-error no such option
    await expect(guard.tokens.issuers.refresh({ issuers: [] })).rejects.toMatchObject({ code: 'ERR_CLIENTELE_OPTIONS' })
  })
})

describe('issuers.distrust()', () => {
  it('ends one key at once, remembered tokens too, and asks nobody', async () => {
    issuer.published = [former.jwk, next.jwk]
    const guard = guardFor(issuer)
    const token = issuer.token(former)
    expect([await decideOn(guard.policy, token), await admits(guard, next)]).toEqual(['admitted', 'admitted'])
    const before = issuer.fetched()
    guard.tokens.issuers.distrust({ issuer: issuer.url, kid: 'former' })
    expect(await decideOn(guard.policy, token)).toBe('token_invalid')
    expect([await admits(guard, former), await admits(guard, next)]).toEqual(['token_invalid', 'admitted'])
    expect(await decideOn(guard.policy, issuer.token(former, {}, { kid: undefined }))).toBe('token_invalid')
    expect(issuer.fetched() - before).toBeLessThanOrEqual(1)
    expect(guard.events).toContainEqual({ kind: 'key_distrusted', issuer: issuer.url, kid: 'former' })
    await guard.tokens.issuers.refresh()
    expect(await admits(guard, former)).toBe('token_invalid')
  })

  it('ends a verification that is under way, which does not enter the memory', async () => {
    const slow = keyOf('slow', 'ES384')
    issuer.published = [slow.jwk]
    const guard = guardFor(issuer)
    expect(await admits(guard, slow)).toBe('admitted')
    const token = issuer.token(slow)
    const deciding = guard.policy.decide(bearing(token), undefined)
    guard.tokens.issuers.distrust({ issuer: issuer.url, kid: 'slow' })
    expect(wordOf(await deciding)).toBe('token_invalid')
    expect(await decideOn(guard.policy, token)).toBe('token_invalid')
  })

  it('is for keys in options too, for this issuer alone, and for issuers that a policy has', async () => {
    const guard = guardFor(issuer, { jwks: { keys: [former.jwk] } })
    const { distrust } = guard.tokens.issuers
    expect(() => {
      distrust({ issuer: 'https://other.example', kid: 'former' })
    }).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_NOT_FOUND' }))
    expect(await admits(guard, former)).toBe('admitted')
    distrust({ issuer: issuer.url, kid: 'former' })
    expect(await admits(guard, former)).toBe('token_invalid')
  })
})

describe('17: keys that are not used', () => {
  it('are told of with the reason, when they are first seen', async () => {
    issuer.published = [
      former.jwk,
      rsaKey('weak', 1024).jwk,
      { kty: 'oct', k: 'x', kid: 'shared' },
      { ...next.jwk, use: 'enc' },
    ]
    const guard = guardFor(issuer)
    expect(await admits(guard, former)).toBe('admitted')
    await guard.tokens.issuers.refresh()
    expect(guard.events).toEqual([
      { kind: 'key_ignored', issuer: issuer.url, kid: 'weak', reason: 'its modulus has less than 2048 bits' },
      { kind: 'key_ignored', issuer: issuer.url, kid: 'shared', reason: 'it is symmetric' },
      { kind: 'key_ignored', issuer: issuer.url, kid: 'next', reason: 'it is not for signatures' },
    ])
  })

  it('and 10,000 of them are one event, and cost no longer than a moment', async () => {
    issuer.published = Array.from({ length: 10_000 }, (_, index) => ({ ...former.jwk, kid: `k${index}` }))
    const guard = guardFor(issuer, { maxResponseBytes: 10_000_000, timeoutMs: 5000 })
    expect(await decideOn(guard.policy, issuer.token(former, {}, { kid: 'k99' }))).toBe('admitted')
    expect(await decideOn(guard.policy, issuer.token(former, {}, { kid: 'k100' }))).toBe('token_invalid')
    expect(guard.events).toEqual([
      { kind: 'key_ignored', issuer: issuer.url, reason: '9900 keys stand behind the first 100' },
    ])
  })

  it('have a name in the event only where it is visible ASCII', async () => {
    issuer.published = [former.jwk, { kty: 'oct', k: 'x', kid: 'a\r\nb' }, { kty: 'oct', k: 'y', kid: 'x'.repeat(500) }]
    const guard = guardFor(issuer)
    await admits(guard, former)
    expect(guard.events.map(({ kid }) => kid)).toEqual([undefined, undefined])
  })
})

/** Of a throw-away P-256 key. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUcFFCzoiPJJqApWl3o7t+wbA71Y4wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOaXNzdWVyLmV4YW1wbGUwIBcNMjYxMTIxMjMwNDU1WhgPMjEy
NjEwMjgyMzA0NTVaMBkxFzAVBgNVBAMMDmlzc3Vlci5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEZ6thFOXPd6BvwQJ2Gta6zSTi0vX6Je++ZLH3pYpJ
KbN5So9jbQoqI/dxa3ILVk/Ejyyj9mywVOgJTRnKLPCBaaNTMFEwHQYDVR0OBBYE
FDZU9eJei86h2DSZVzN7p5P0ClFFMB8GA1UdIwQYMBaAFDZU9eJei86h2DSZVzN7
p5P0ClFFMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgEV/e6HQk
Ug6n4XCSGtNqZ+8+OONTw0lKQ5MEZPHCge0CIQCU6cSn1Evot0zGvZkFgydytS2B
pz8zfgShwgUaa/Ky+w==
-----END CERTIFICATE-----
`
