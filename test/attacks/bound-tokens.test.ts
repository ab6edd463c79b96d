import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { memoryReplays, type ReplayMemory } from 'clientele'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IntrospectTokenOptions, ValidateJwtOptions } from '../../src/clientele.js'
import { call, type Answer, type Call } from '../support/call.js'
import { dpopProof, proofKeys, withProof, type ProofOf } from '../support/dpop-proof.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { json, startKeyServer, type KeyServer } from '../support/key-server.js'
import { ownReader, type OwnReader } from '../support/own-reader.js'
import { base64url, nowSeconds, rsaKey } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer, type AttackedIssuer } from '../support/token-attacks.js'
import { bearer, codeOf, expectRefusal, type Headers } from './attacked.js'

const publicUrl = 'https://api.example.com'
const nonceSecret = 'a secret of the nonces, which is long enough'
const holder = proofKeys()
const thief = proofKeys()

let issuer: KeyServer
let target: AttackedIssuer
let other: AttackedIssuer
let reader: OwnReader

beforeAll(async () => {
  issuer = await startKeyServer()
  target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
  other = { ...attackedIssuer('https://other.example', target.trap), key: rsaKey('signing-key') }
  reader = ownReader()
  reader.register(target.issuer, target.clientId)
  reader.register(other.issuer, target.clientId)
  reader.register(target.issuer, 'without-contract', 'none')
})
afterAll(() => issuer.close())
afterEach(() => {
  vi.useRealTimers()
})

const bound = (cnf: unknown = { jkt: holder.jkt }, more: object = {}): string => accessToken(target, { cnf, ...more })

const common = () => ({ issuer: target.issuer, audience: target.audience, allowInsecureRequests: true })
const jwtOptions = (): ValidateJwtOptions => ({ ...common(), jwks: { keys: [target.key.jwk] } })
const asking = (): IntrospectTokenOptions => ({
  ...common(),
  endpoint: `${issuer.url}/introspect`,
  as: { clientId: 'orders-api', clientSecret: 'introspection-secret' },
})

describe.each(frameworks)('$name', (framework) => {
  let server: Running
  let replays: ReplayMemory
  const events: unknown[] = []

  beforeEach(async () => {
    replays = memoryReplays()
    const small = memoryReplays({ entries: 20 })
    const dpop = { publicUrl, replays }
    server = await framework.start(
      { api: 'orders', store: reader, onDecision: (event) => events.push(event) },
      {
        routes: {
          'ALL /jwt': (on) => [on.validateJwt({ ...jwtOptions(), dpop })],
          'ALL /twice': (on) => [
            on.validateJwt({ ...jwtOptions(), dpop, strip: 'none' }),
            on.validateJwt({ ...jwtOptions(), dpop, scopes: ['read'], strip: 'none' }),
          ],
          'ALL /scoped': (on) => [on.validateJwt({ ...jwtOptions(), dpop, scopes: ['write'] })],
          'ALL /plain': (on) => [on.validateJwt(jwtOptions())],
          'ALL /small': (on) => [on.validateJwt({ ...jwtOptions(), dpop: { publicUrl, replays: small } })],
          'ALL /at/:one/:other': (on) => [on.validateJwt({ ...jwtOptions(), dpop })],
          'ALL /only': (on) => [on.validateJwt({ ...jwtOptions(), dpop, senderConstrained: 'required' })],
          'ALL /nonces': (on) => [
            on.validateJwt({ ...jwtOptions(), dpop: { ...dpop, nonces: { secret: nonceSecret } } }),
          ],
          'ALL /opaque': (on) => [on.introspectToken({ ...asking(), dpop })],
          'ALL /opaque-plain': (on) => [on.introspectToken(asking())],
          'ALL /two': (on) => [
            on.validateJwt({
              issuers: [
                { issuer: target.issuer, audience: 'orders', jwks: { keys: [target.key.jwk] } },
                { issuer: other.issuer, audience: 'orders', jwks: { keys: [other.key.jwk] } },
              ],
              allowInsecureRequests: true,
              dpop,
            }),
          ],
        },
      },
    )
  })
  afterEach(() => server.close())

  const get = (path: string, fields: Call['headers'] = [], method = 'GET'): Promise<Answer> =>
    call(server.url, { path, headers: fields, method })
  const proven = (path: string, token: string, change: Partial<ProofOf> = {}): Headers =>
    withProof(token, dpopProof(holder, { url: `${publicUrl}${path}`, token, ...change }))

  it('#36 a bound token with its proof is let in, the first time and when it is remembered', async () => {
    const token = bound()
    for (let round = 0; round < 3; round += 1) {
      const answer = await get('/jwt', proven('/jwt', token))
      expect(answer.status, answer.text).toBe(200)
    }
    issuer.on(
      '/introspect',
      json({ active: true, client_id: target.clientId, aud: 'orders', cnf: { jkt: holder.jkt } }),
    )
    expect((await get('/opaque', proven('/opaque', 'opaque-token'))).status).toBe(200)
    expect((await get('/opaque', proven('/opaque', 'opaque-token'))).status).toBe(200)
  })

  it.each([
    ['as plain Bearer', '/jwt'],
    ['as plain Bearer where no proofs are taken', '/plain'],
    ['as plain Bearer where only bound ones are', '/only'],
  ])('#36 a bound token %s', async (_name, path) => {
    const token = bound()
    // Remembered or not: the proof is of the request, not of the token.
    if (path !== '/plain') expect((await get(path, proven(path, token))).status).toBe(200)
    for (let round = 0; round < 2; round += 1) expectRefusal(await get(path, bearer(token)), 401, 'token_invalid')
    const beside = [...bearer(token), ...proven(path, token).slice(1)]
    expectRefusal(await get(path, beside), 401, 'token_invalid')
  })

  it('#36 an opaque bound token, without proofs, or where none are taken', async () => {
    issuer.on(
      '/introspect',
      json({ active: true, client_id: target.clientId, aud: 'orders', cnf: { jkt: holder.jkt } }),
    )
    for (const path of ['/opaque', '/opaque-plain']) {
      for (let round = 0; round < 2; round += 1) expectRefusal(await get(path, bearer('abc')), 401, 'token_invalid')
    }
    expectRefusal(await get('/opaque-plain', proven('/opaque-plain', 'abc')), 401, 'token_missing')
  })

  it.each<readonly [name: string, claims: object]>([
    ['a token that is bound to nothing', {}],
    ['a token whose cnf names no key', { cnf: { other: 'x' } }],
    ['a token bound to a certificate', { cnf: { 'x5t#S256': 'a'.repeat(43) } }],
    ['a token whose binding cannot be checked', { cnf: { jkt: holder.jkt, kid: 'k' } }],
    ['a thumbprint that is none', { cnf: { jkt: 'short' } }],
    ['a thumbprint that is no text', { cnf: { jkt: [holder.jkt] } }],
    ['cnf as text', { cnf: holder.jkt }],
    ['the binding to another key', { cnf: { jkt: thief.jkt } }],
  ])('#36 the scheme DPoP with %s', async (_name, claims) => {
    const token = accessToken(target, { ...claims })
    const answer = await get('/jwt', proven('/jwt', token))
    expectRefusal(answer, 401, 'token_invalid')
    expect(answer.fields('www-authenticate')).toEqual([expect.stringMatching(/^DPoP .*error="invalid_token".*algs="/)])
  })

  it('#36 extra members of cnf that name no key do no harm', async () => {
    const token = bound({ jkt: holder.jkt, note: { x: 1 } })
    expect((await get('/jwt', proven('/jwt', token))).status).toBe(200)
  })

  const privateJwk = () => holder.privateKey.export({ format: 'jwk' })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  it.each<readonly [name: string, flaw: string, change: Partial<ProofOf>]>([
    ['another method', 'method', { method: 'POST' }],
    ['the method in lower case', 'method', { method: 'get' }],
    ['another path', 'address', { url: `${publicUrl}/plain` }],
    ['another host', 'address', { url: 'https://evil.example/jwt' }],
    ['another scheme', 'address', { url: 'http://api.example.com/jwt' }],
    ['another port', 'address', { url: 'https://api.example.com:8443/jwt' }],
    ['the name of a user', 'address', { url: 'https://api.example.com@evil.example/jwt' }],
    ['an address that is none', 'address', { url: '/jwt' }],
    ['no address', 'address', { claims: { htu: undefined } }],
    ['a list of addresses', 'address', { claims: { htu: [`${publicUrl}/jwt`] } }],
    ['another token', 'token', { token: 'another' }],
    ['no ath', 'token', { claims: { ath: undefined } }],
    ['an old iat', 'age', { claims: { iat: nowSeconds() - 120 } }],
    ['an iat to come', 'age', { claims: { iat: nowSeconds() + 60 } }],
    ['iat as text', 'age', { claims: { iat: String(nowSeconds()) } }],
    ['no iat', 'age', { claims: { iat: undefined } }],
    ['no jti', 'malformed', { claims: { jti: undefined } }],
    ['an empty jti', 'malformed', { claims: { jti: '' } }],
    ['a jti that is no text', 'malformed', { claims: { jti: 7 } }],
    ['a long jti', 'malformed', { claims: { jti: 'x'.repeat(2000) } }],
    ['the typ of a token', 'type', { header: { typ: 'at+jwt' } }],
    ['no typ', 'type', { header: { typ: undefined } }],
    ['alg none', 'algorithm', { header: { alg: 'none' } }],
    ['alg HS256', 'algorithm', { header: { alg: 'HS256' } }],
    ['an algorithm of another key', 'key', { header: { alg: 'RS256' } }],
    ['the private key in it', 'key', { header: { jwk: privateJwk() } }],
    ['a symmetric key', 'key', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }],
    ['a weak key', 'key', { header: { alg: 'RS256', jwk: weak } }],
    ['no key', 'key', { header: { jwk: undefined } }],
    ['a key for encryption', 'key', { header: { jwk: { ...holder.jwk, use: 'enc' } } }],
    ['a critical extension', 'malformed', { header: { crit: ['x'], x: 1 } }],
  ])('#36 a proof with %s', async (_name, flaw, change) => {
    const token = bound()
    const answer = await get('/jwt', proven('/jwt', token, change))
    expectRefusal(answer, 401, 'proof_invalid')
    expect(answer.fields('www-authenticate')).toEqual([
      expect.stringMatching(/^DPoP realm="orders", error="invalid_dpop_proof", algs="RS256 .*ES256.*"$/),
    ])
    expect(events.at(-1)).toMatchObject({ code: 'proof_invalid', reason: `proof:${flaw}` })
    expect((await get('/jwt', proven('/jwt', token))).status).toBe(200)
  })

  it('#36 a proof of somebody else, or one whose signature or content was changed', async () => {
    const token = bound()
    const good = dpopProof(holder, { url: `${publicUrl}/jwt`, token })
    const theirs = dpopProof(thief, { url: `${publicUrl}/jwt`, token })
    expectRefusal(await get('/jwt', withProof(token, theirs)), 401, 'token_invalid')
    const disguised = dpopProof(thief, { url: `${publicUrl}/jwt`, token, header: { jwk: holder.jwk } })
    expectRefusal(await get('/jwt', withProof(token, disguised)), 401, 'proof_invalid')
    const [head = '', , signature = ''] = good.split('.')
    const claims = { jti: randomUUID(), htm: 'GET', htu: `${publicUrl}/jwt`, iat: nowSeconds() }
    for (const changed of [
      `${head}.${base64url(JSON.stringify(claims))}.${signature}`,
      `${good.slice(0, -6)}AAAAAA`,
      good.slice(0, good.lastIndexOf('.') + 1),
      good.slice(0, good.lastIndexOf('.')),
      `${good}.x`,
      '',
      'nonsense',
      `${good}, ${good}`,
      'x'.repeat(9000),
    ]) {
      expectRefusal(await get('/jwt', withProof(token, changed)), 401, 'proof_invalid')
    }
    expect((await get('/jwt', withProof(token, good))).status).toBe(200)
  })

  it('#36 no proof, and two of them', async () => {
    const token = bound()
    expectRefusal(await get('/jwt', withProof(token)), 401, 'proof_invalid')
    const proofs = [0, 1].map(() => dpopProof(holder, { url: `${publicUrl}/jwt`, token }))
    expectRefusal(await get('/jwt', withProof(token, ...proofs)), 401, 'proof_invalid')
    const [first = ''] = proofs
    expect((await get('/jwt', withProof(token, first))).status).toBe(200)
  })

  it('#36 a proof is good once: for two at a time too, and at another route not at all', async () => {
    const token = bound()
    const fields = proven('/jwt', token)
    const answers = await Promise.all([1, 2, 3, 4].map(() => get('/jwt', fields)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401])
    const again = await get('/jwt', fields)
    expectRefusal(again, 401, 'proof_invalid')
    expect(events.at(-1)).toMatchObject({ reason: 'proof:replayed' })
    // Two policies in a row are one request.
    const scoped = bound({ jkt: holder.jkt }, { scope: 'read' })
    expect((await get('/twice', proven('/twice', scoped))).status).toBe(200)
  })

  it('#36 a proof that ends without being let in is not used up, and lets nobody in', async () => {
    const token = bound()
    const fields = proven('/scoped', token)
    const lacking = await get('/scoped', fields)
    expectRefusal(lacking, 403, 'scope_insufficient')
    expect(lacking.fields('www-authenticate')).toEqual([
      expect.stringMatching(/^DPoP realm="orders", error="insufficient_scope", scope="write", algs=/),
    ])
    expectRefusal(await get('/scoped', fields), 403, 'scope_insufficient')
  })

  it('#36 whoever is turned away takes no room in the memory of proofs', async () => {
    const token = bound({ jkt: thief.jkt }, { client_id: 'without-contract' })
    for (let count = 0; count < 25; count += 1) {
      const fields = withProof(token, dpopProof(thief, { url: `${publicUrl}/small`, token }))
      expectRefusal(await get('/small', fields), 403, 'contract_missing')
    }
    expect((await get('/small', proven('/small', bound()))).status).toBe(200)
  })

  it('#36 whoever is let in takes no more of it than one key may', async () => {
    const token = bound({ jkt: thief.jkt })
    const flood = () => get('/small', withProof(token, dpopProof(thief, { url: `${publicUrl}/small`, token })))
    for (const status of [200, 200]) expect((await flood()).status).toBe(status)
    for (let count = 0; count < 20; count += 1) expectRefusal(await flood(), 503, 'ERR_CLIENTELE_REPLAY')
    expect(events.at(-1)).toMatchObject({ verdict: 'fault', reason: 'key_full' })
    expect((await get('/small', proven('/small', bound()))).status).toBe(200)
  })

  it.each([
    ['/at/%2e%2e/%2e%2e', '/'],
    ['/at/%2E%2E/.%2e', '/'],
    ['/at/x/%2e', '/at/x/'],
    ['/at/%2e/x', '/at/x'],
  ])('#36 a proof for another address is not taken at %s, which leads there with dots', async (path, address) => {
    const token = bound()
    expectRefusal(await get(path, proven(address, token)), 401, 'proof_invalid')
    expect(events.at(-1)).toMatchObject({ reason: 'proof:address' })
    expectRefusal(await get(path, proven(path, token)), 401, 'proof_invalid')
    expect((await get('/at/a/b', proven('/at/a/b', token))).status).toBe(200)
  })

  it('#36 a forged Host, or a target in absolute form, moves no address', async () => {
    const token = bound()
    const forged = (host: string, url: string): Headers => [
      ['X-Forwarded-Host', host],
      ['Forwarded', `host=${host};proto=https`],
      ...withProof(token, dpopProof(holder, { url, token })),
    ]
    expectRefusal(await get('/jwt', forged('evil.example', 'https://evil.example/jwt')), 401, 'proof_invalid')
    expect((await get('/jwt', forged('evil.example', `${publicUrl}/jwt`))).status).toBe(200)
    const absolute = await call(server.url, {
      path: 'http://evil.example/jwt',
      headers: withProof(token, dpopProof(holder, { url: 'http://evil.example/jwt', token })),
    })
    expect(absolute.status).not.toBe(200)
  })

  it.each(['/jwt?a=b', '/jwt?x=https://evil.example/'])('the query of %s is no part of the address', async (path) => {
    const token = bound()
    expect((await get(path, proven('/jwt', token))).status).toBe(200)
    expect((await get(path, proven('/jwt?other', token))).status).toBe(200)
  })

  it('#39 proofs never cross between two issuers', async () => {
    const tokens = [bound(), accessToken(other, { cnf: { jkt: holder.jkt } })]
    const jti = 'the-same-jti'
    for (const token of tokens) {
      expect((await get('/two', proven('/two', token, { claims: { jti } }))).status).toBe(200)
      expectRefusal(await get('/two', proven('/two', token, { claims: { jti } })), 401, 'proof_invalid')
    }
    const [first = '', second = ''] = tokens
    const crossed = withProof(second, dpopProof(holder, { url: `${publicUrl}/two`, token: first }))
    expectRefusal(await get('/two', crossed), 401, 'proof_invalid')
    // Nor between two keys: nobody uses up the names of others.
    const theirs = accessToken(target, { cnf: { jkt: thief.jkt } })
    const proof = dpopProof(thief, { url: `${publicUrl}/two`, token: theirs, claims: { jti } })
    expect((await get('/two', withProof(theirs, proof))).status).toBe(200)
  })

  it('#43 a proof is no access token, and a token no proof', async () => {
    const token = bound()
    const proof = dpopProof(holder, { url: `${publicUrl}/jwt`, token, claims: { iss: target.issuer, aud: 'orders' } })
    expectRefusal(await get('/jwt', bearer(proof)), 401, 'token_invalid')
    expectRefusal(await get('/jwt', withProof(proof, proof)), 401, 'token_invalid')
    expectRefusal(await get('/jwt', withProof(token, token)), 401, 'proof_invalid')
  })

  it('#49 canaries in tokens and proofs come out nowhere', async () => {
    events.length = 0
    const token = bound({ jkt: holder.jkt }, { note: 'canary-token' })
    const wrong = { claims: { jti: 'canary-jti', htu: 'https://canary.example/canary-htu', nonce: 'canary-nonce' } }
    const answers = [
      await get('/jwt', proven('/jwt', token, wrong)),
      await get('/nonces', proven('/nonces', token, { claims: { jti: 'canary-jti', nonce: 'canary-nonce' } })),
      await get('/jwt', proven('/jwt', token, { header: { jwk: privateJwk() } })),
      await get('/jwt', withProof(token, 'canary-proof')),
    ]
    const told = inspect([events, answers.map(({ text, headers }) => [text, headers])], { depth: 10 })
    expect(told).not.toMatch(/canary/)
    expect(told).not.toContain(token)
    expect(told).not.toContain(String(privateJwk().d))
  })

  describe('what callers are told', () => {
    const schemes = (answer: Answer) => answer.fields('www-authenticate').map((each) => each.split(' ')[0])

    it('both schemes where both are taken, bare without a token', async () => {
      const bare = await get('/jwt')
      expect(bare.fields('www-authenticate')).toEqual([
        'Bearer realm="orders"',
        expect.stringMatching(/^DPoP realm="orders", algs="[\w ]+"$/),
      ])
      expect(schemes(await get('/only'))).toEqual(['DPoP'])
      expect(schemes(await get('/plain'))).toEqual(['Bearer'])
      const invalid = await get('/jwt', bearer(bound()))
      expect(invalid.fields('www-authenticate')).toEqual([
        'Bearer realm="orders", error="invalid_token"',
        expect.stringMatching(/^DPoP realm="orders", algs="[\w ]+"$/),
      ])
    })

    it('a bearer token is let in where it may, and refused where only bound ones are', async () => {
      expect((await get('/jwt', bearer(accessToken(target)))).status).toBe(200)
      const answer = await get('/only', bearer(accessToken(target)))
      expectRefusal(answer, 401, 'token_invalid')
      expect(answer.fields('www-authenticate')).toEqual([expect.stringMatching(/^DPoP .*error="invalid_token"/)])
    })

    it('two schemes at once are one too many', async () => {
      const token = bound()
      const both = [...bearer(accessToken(target)), ...proven('/jwt', token)]
      expect(codeOf(await get('/jwt', both))).toEqual([400, 'credentials_ambiguous'])
    })
  })

  describe('nonces', () => {
    it('are asked for, and taken', async () => {
      const token = bound()
      const asked = await get('/nonces', proven('/nonces', token))
      expectRefusal(asked, 401, 'nonce_required')
      expect(asked.fields('www-authenticate')).toEqual([expect.stringMatching(/^DPoP .*error="use_dpop_nonce".*algs=/)])
      const [nonce = ''] = asked.fields('dpop-nonce')
      expect(nonce).toMatch(/^[\w-]{43}$/)
      const answer = await get('/nonces', proven('/nonces', token, { claims: { nonce } }))
      expect(answer.status).toBe(200)
      expect(answer.fields('dpop-nonce')).toEqual([nonce])
      for (const wrong of [undefined, '', 'x'.repeat(43), [nonce], null]) {
        const refused = await get('/nonces', proven('/nonces', token, { claims: { nonce: wrong } }))
        expectRefusal(refused, 401, 'nonce_required')
      }
    })

    it('end, and the next one comes with the answer before that', async () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const token = bound(undefined, { exp: nowSeconds() + 86_400 })
      const [nonce = ''] = (await get('/nonces', proven('/nonces', token))).fields('dpop-nonce')
      const withNonce = (): Promise<Answer> => get('/nonces', proven('/nonces', token, { claims: { nonce } }))
      vi.setSystemTime(Date.now() + 300_000)
      const late = await withNonce()
      expect([late.status, late.fields('dpop-nonce').length]).toEqual([200, 1])
      expect(late.fields('dpop-nonce')).not.toEqual([nonce])
      vi.setSystemTime(Date.now() + 300_000)
      expectRefusal(await withNonce(), 401, 'nonce_required')
    })
  })

  it.each<readonly [name: string, change: object]>([
    ['no address', { dpop: { replays: memoryReplays() } }],
    ['an address that is none', { dpop: { publicUrl: 'api.example.com', replays: memoryReplays() } }],
    ['an address with a query', { dpop: { publicUrl: `${publicUrl}/?a=b`, replays: memoryReplays() } }],
    ['no memory', { dpop: { publicUrl } }],
    ['a memory that is none', { dpop: { publicUrl, replays: new Map() } }],
    ['a secret as algorithm', { dpop: { publicUrl, replays: memoryReplays(), algorithms: ['HS256'] } }],
    ['no algorithm', { dpop: { publicUrl, replays: memoryReplays(), algorithms: [] } }],
    ['an age that is none', { dpop: { publicUrl, replays: memoryReplays(), maxAgeSeconds: Infinity } }],
    ['a short secret of nonces', { dpop: { publicUrl, replays: memoryReplays(), nonces: { secret: 'short' } } }],
    ['no place for it', { dpop: { publicUrl, replays: memoryReplays() }, from: [{ header: 'X-Token' }] }],
    ['nothing that could prove a token', { senderConstrained: 'required' }],
  ])('is not built with %s', (_name, change) => {
    const options = { ...jwtOptions(), ...change }
    const start = () =>
      framework.start({ api: 'orders', store: reader }, { routes: { 'ALL /': (on) => [on.validateJwt(options)] } })
    expect(start).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
  })

  it.each<readonly [name: string, remember: ReplayMemory['remember']]>([
    [
      'throws',
      () => {
        throw new Error('canary')
      },
    ],
    ['rejects', () => Promise.reject(new Error('canary'))],
    ['says neither yes nor no', () => undefined as never],
    ['hangs', () => new Promise(() => undefined)],
  ])('a memory of proofs that %s lets nobody in', async (_name, remember) => {
    const dpop = { publicUrl, replays: { remember } }
    const own = await framework.start(
      { api: 'orders', store: reader, onDecision: () => undefined },
      { routes: { 'ALL /jwt': (on) => [on.validateJwt({ ...jwtOptions(), dpop, timeoutMs: 100 })] } },
    )
    const answer = await call(own.url, { path: '/jwt', headers: proven('/jwt', bound()) })
    expectRefusal(answer, 503, 'ERR_CLIENTELE_REPLAY')
    expect(answer.text).not.toContain('canary')
    expect((await call(own.url, { path: '/jwt', headers: bearer(accessToken(target)) })).status).toBe(200)
    await own.close()
  })
})
