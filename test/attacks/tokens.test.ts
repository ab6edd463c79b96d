import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import {
  approveContract,
  basicAuth,
  defineTier,
  headers,
  linkIdentity,
  memoryCounter,
  memoryStore,
  query,
  registerClient,
  requestContract,
  revokeContract,
} from 'clientele'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { IntrospectTokenOptions, ValidateJwtOptions } from '../../src/clientele.js'
import { call, type Answer, type Call } from '../support/call.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { json, outages, startKeyServer, status, type Behaviour, type KeyServer } from '../support/key-server.js'
import { jwtResource, opaqueResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { ownReader, type OwnReader } from '../support/own-reader.js'
import { nowSeconds, rsaKey, signWithSecret } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer, tokenAttacks, type AttackedIssuer } from '../support/token-attacks.js'
import {
  admittedAs,
  bearer,
  clienteleFor,
  codeOf,
  expectRefusal,
  watched,
  type Headers,
  type Routes,
} from './attacked.js'

const clientSecret = 'introspection-secret'
/** For looking into everything that may hold a secret. */
const whole = { depth: 10, maxStringLength: null, maxArrayLength: null, showHidden: true } as const
const get = (server: Running, path: string, fields: Call['headers'] = []): Promise<Answer> =>
  call(server.url, { path, headers: fields })

let issuer: KeyServer
let target: AttackedIssuer
let reader: OwnReader

beforeAll(async () => {
  issuer = await startKeyServer()
  target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
  issuer.on('/jwks', json({ keys: [target.key.jwk] }))
  reader = ownReader()
  reader.register(target.issuer, target.clientId)
})
afterAll(() => issuer.close())
afterEach(() => {
  vi.useRealTimers()
})

const local = (): ValidateJwtOptions => ({
  issuer: target.issuer,
  audience: target.audience,
  allowInsecureRequests: true,
  jwks: { keys: [target.key.jwk] },
})
const remote = (): ValidateJwtOptions => {
  const { jwks: _jwks, ...options } = local()
  return { ...options, jwksUri: `${issuer.url}/jwks` }
}
const asking = (endpoint = '/introspect', more: Partial<IntrospectTokenOptions> = {}): IntrospectTokenOptions => ({
  issuer: target.issuer,
  audience: target.audience,
  allowInsecureRequests: true,
  endpoint: `${issuer.url}${endpoint}`,
  as: { clientId: 'orders-api', clientSecret },
  timeoutMs: 300,
  ...more,
})

/** A token of the right claims that is signed with a secret. */
const hmac = (secret: string | Uint8Array): string => {
  const { issuer: iss, audience: aud, clientId: client_id } = target
  const header = { alg: 'HS256', typ: 'at+jwt', kid: target.key.kid }
  return signWithSecret(header, { iss, aud, client_id, exp: nowSeconds() + 300 }, secret)
}

describe.each(frameworks)('$name', (framework) => {
  let server: Running
  let count = 0
  const newToken = (): string => `opaque-${framework.name.replace(' ', '-')}-${++count}`
  const good = { active: true, client_id: 'orders-client', aud: 'orders', scope: 'orders:read' }
  const answering = (change: object): void => issuer.on('/introspect', json({ ...good, ...change }))

  const start = (): Promise<Running> => {
    const routes: Routes = {
      'ALL /local': (on) => [on.validateJwt(local())],
      'ALL /remote': (on) => [on.validateJwt(remote())],
      'ALL /forgetful': (on) => [on.validateJwt({ ...local(), remember: { entries: 0 } })],
      'ALL /reports': (on) => [on.validateJwt({ ...local(), audience: 'reports' })],
      'ALL /small': (on) => [on.validateJwt({ ...local(), maxTokenBytes: 1000 })],
      'ALL /introspect': (on) => [on.introspectToken(asking())],
      'ALL /scoped': (on) => [on.introspectToken(asking('/introspect', { scopes: ['orders:read'] }))],
      'ALL /never-kept': (on) => [
        on.introspectToken(asking('/introspect', { maxAgeSeconds: 0, inactiveMaxAgeSeconds: 0 })),
      ],
      // Of their own, since a clock that is set back is nothing that a process meets.
      'ALL /aged': (on) => [on.introspectToken(asking('/introspect', { remember: { entries: 5000 } }))],
      'ALL /aged-too': (on) => [on.introspectToken(asking('/introspect', { remember: { entries: 5001 } }))],
      'ALL /few': (on) => [on.introspectToken(asking('/introspect', { remember: { entries: 2 } }))],
    }
    return framework.start({ api: 'orders', store: reader }, { routes })
  }
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.close())

  async function expectNextIsServed(path: string, by = server): Promise<void> {
    expect((await get(by, path, bearer(accessToken(target)))).status).toBe(200)
  }

  describe('the table of attacks on tokens', () => {
    it.each(tokenAttacks)('#$line $name', async ({ authorization, code, name }) => {
      const prototype = Object.keys(Object.prototype)
      const fields = authorization(target).map((value) => ['Authorization', value] as const)
      // A server of its own: after ten unknown names of keys the next waits for seconds, which is not what is shown here.
      const attacked = /\bkid\b/.test(name) ? await start() : server
      for (const path of ['/local', '/remote']) {
        const [asked, trapped] = [issuer.received.length, issuer.count('/trap')]
        const answers = [await get(attacked, path, fields), await get(attacked, path, fields)]
        for (const answer of answers) {
          if (code === undefined) expect(answer.status, answer.text).toBe(200)
          // Node itself turns away header fields of more than 16 KiB: they never come to anybody.
          else if (name === 'a token past the cap') expect(answer.status).toBe(431)
          else expectRefusal(answer, statusOf[code as keyof typeof statusOf], code)
        }
        expect(issuer.count('/trap')).toBe(trapped)
        if (path === '/local') expect(issuer.received.length).toBe(asked)
        await expectNextIsServed(path, attacked)
      }
      if (attacked !== server) await attacked.close()
      expect(Object.keys(Object.prototype)).toEqual(prototype)
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
    })
  })

  describe('#2 and #3 keys that are none, or not good enough', () => {
    const at = (path: string, more: Partial<ValidateJwtOptions> = {}): ValidateJwtOptions => ({
      ...remote(),
      jwksUri: `${issuer.url}${path}`,
      ...more,
    })
    const { alg: _alg, kid: _kid, ...bare } = rsaKey('unused').jwk
    const weak = rsaKey('signing-key', 1024)
    const oct = { kty: 'oct', k: Buffer.alloc(32).toString('base64url'), kid: 'signing-key', alg: 'HS256' }

    it.each<readonly [line: number, name: string, keys: () => unknown, token: () => string]>([
      [2, 'an empty key set', () => [], () => accessToken(target)],
      [2, 'a key of null', () => [null], () => accessToken(target)],
      [3, 'an RSA key of 1024 bits', () => [weak.jwk], () => accessToken({ ...target, key: weak })],
      [3, 'a symmetric key alone', () => [oct], () => accessToken(target)],
      [3, 'a key for encryption', () => [{ ...target.key.jwk, use: 'enc' }], () => accessToken(target)],
    ])('#%i %s is a fault of the issuer, and lets nobody in', async (_line, name, keys, token) => {
      const unsigned = `${accessToken(target, {}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`
      const path = `/none-${name.replaceAll(' ', '-')}-${framework.name.replace(' ', '')}`
      issuer.on(path, json({ keys: keys() }))
      const running = await framework.start(
        { api: 'orders', store: reader },
        {
          routes: { 'ALL /none': (on) => [on.validateJwt(at(path))], 'ALL /good': (on) => [on.validateJwt(remote())] },
        },
      )
      const served = async () => (await get(running, '/good', bearer(accessToken(target)))).status
      for (const sent of [token(), accessToken(target), accessToken(target, {}, { kid: undefined })]) {
        expectRefusal(await get(running, '/none', bearer(sent)), 503, 'ERR_CLIENTELE_ISSUER')
        expect(await served()).toBe(200)
      }
      // For an algorithm that is not on the list it needs no key to say no.
      for (const sent of [hmac(''), hmac(Buffer.alloc(32)), unsigned]) {
        expectRefusal(await get(running, '/none', bearer(sent)), 401, 'token_invalid')
        expect(await served()).toBe(200)
      }
      await running.close()
    })

    it('#3 a key without alg verifies what the list allows and its type can, and nothing else', async () => {
      const path = `/bare-${framework.name.replace(' ', '')}`
      issuer.on(path, json({ keys: [{ ...target.key.jwk, alg: undefined }, bare, oct] }))
      const routes: Routes = {
        'ALL /listed': (on) => [on.validateJwt(at(path, { algorithms: ['RS256'] }))],
        'ALL /usual': (on) => [on.validateJwt(at(path))],
        'ALL /unlisted': (on) => [on.validateJwt(at(path, { algorithms: ['ES256', 'PS256'] }))],
      }
      const running = await framework.start({ api: 'orders', store: reader }, { routes })
      const jwk = JSON.stringify(target.key.jwk)
      const bad = [hmac(''), hmac(Buffer.alloc(32)), hmac(jwk), hmac(String(target.key.jwk['n']))]
      for (const alg of ['HS256', 'ES256', 'PS256', 'RS384', 'none', 'RSA-OAEP'])
        bad.push(accessToken(target, {}, { alg }))
      for (const path of ['/listed', '/usual']) {
        for (const token of bad) {
          expectRefusal(await get(running, path, bearer(token)), 401, 'token_invalid')
          expect((await get(running, path, bearer(accessToken(target)))).status).toBe(200)
        }
      }
      expectRefusal(await get(running, '/unlisted', bearer(accessToken(target))), 401, 'token_invalid')
      await running.close()
    })

    it.each<readonly [line: number, name: string, change: object]>([
      [2, 'no algorithm', { algorithms: [] }],
      [2, 'the algorithm none', { algorithms: ['none'] }],
      [3, 'HS256 beside a key set', { algorithms: ['HS256'] }],
      [2, 'an empty secret', { jwks: undefined, secret: '' }],
      [2, 'a null secret', { jwks: undefined, secret: null }],
      [3, 'a secret shorter than the hash', { jwks: undefined, secret: 'x'.repeat(31) }],
      [
        3,
        'a secret shorter than the hash that is asked for',
        { jwks: undefined, secret: 'x'.repeat(40), algorithms: ['HS512'] },
      ],
      [3, 'a secret beside a key set', { secret: 'x'.repeat(64) }],
      [2, 'an empty key set', { jwks: { keys: [] } }],
      [3, 'a symmetric key', { jwks: { keys: [oct] } }],
      [3, 'an RSA key of 1024 bits', { jwks: { keys: [weak.jwk] } }],
      [3, 'no audience', { audience: undefined }],
    ])('#%i validateJwt is not built with %s', (_line, _name, change) => {
      const options = { ...local(), ...change }
      expect(() =>
        framework.start({ api: 'orders', store: reader }, { routes: { 'ALL /': (on) => [on.validateJwt(options)] } }),
      ).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
    })
  })

  it('#6 the same verdict a thousand times, remembered or not', async () => {
    const cases = [
      [accessToken(target), 200],
      [accessToken(target, {}, { typ: 'logout+jwt' }), 401],
      [accessToken(target, { aud: 'ordersx' }), 401],
    ] as const
    for (let round = 0; round < 20; round += 1) {
      const statuses = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const [token, expected] = cases[index % cases.length] ?? cases[0]
          const paths = ['/local', '/forgetful']
          return [(await get(server, paths[index % 2] ?? '', bearer(token))).status, expected]
        }),
      )
      for (const [actual, expected] of statuses) expect(actual).toBe(expected)
    }
  })

  it('#6 no pattern is slow on a long field', async () => {
    const long = 14_000
    const fields = ['Bearer ', 'Bearer a', 'Bearer .', 'Bearer =', 'Bearer a.b.', 'Bearer ~='].flatMap((start) =>
      [' ', '=', '.', 'a', '\t', 'a=', '=.'].map((unit) => `${start}${unit.repeat(long / unit.length)}!`),
    )
    const startedAt = performance.now()
    for (const field of fields) {
      const [answered, code] = codeOf(await get(server, '/local', [['Authorization', field]]))
      expect([answered, code]).toEqual([400, 'credentials_malformed'])
    }
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await expectNextIsServed('/local')
  })

  describe('#7 what is remembered', () => {
    it.each([-1, 0, 1, 4, 5, 6])('#7 is worth the same as what is not, at exp %i s', async (second) => {
      vi.useFakeTimers({ toFake: ['Date'] })
      const exp = nowSeconds() + 60
      const token = accessToken(target, { exp })
      const both = async () => [
        (await get(server, '/local', bearer(token))).status,
        (await get(server, '/forgetful', bearer(token))).status,
      ]
      expect(await both()).toEqual([200, 200])
      vi.setSystemTime((exp + second) * 1000)
      expect(await both()).toEqual(second < 5 ? [200, 200] : [401, 401])
    })

    it('#7 ends when its key is withdrawn', async () => {
      const [path, own] = [`/turning-${framework.name.replace(' ', '')}`, rsaKey('own')]
      const ours = { ...target, key: own }
      issuer.on(path, json({ keys: [own.jwk] }))
      const options = { ...remote(), jwksUri: `${issuer.url}${path}`, freshSeconds: 1 }
      const routes: Routes = {
        'ALL /kept': (on) => [on.validateJwt(options)],
        'ALL /not-kept': (on) => [on.validateJwt({ ...options, remember: { entries: 0 } })],
      }
      const turning = await framework.start({ api: 'orders', store: reader }, { routes })
      const token = accessToken(ours)
      const both = async () => [
        (await get(turning, '/kept', bearer(token))).status,
        (await get(turning, '/not-kept', bearer(token))).status,
      ]
      expect(await both()).toEqual([200, 200])
      expect(await both()).toEqual([200, 200])
      const next = rsaKey('next')
      issuer.on(path, json({ keys: [next.jwk] }))
      await sleep(1050)
      expect(await both()).toEqual([401, 401])
      expect((await get(turning, '/kept', bearer(accessToken({ ...target, key: next })))).status).toBe(200)
      await turning.close()
    })

    it('#7 ends when the contract is revoked, at the next request', async () => {
      const store = memoryStore()
      const actor = 'test'
      const limits = [{ requests: 100, windowSeconds: 60, algorithm: 'fixed' as const }]
      await defineTier(store, { api: 'orders', name: 'gold', approval: 'manual', limits, actor })
      const { client } = await registerClient(store, { name: 'app', actor })
      await linkIdentity(store, { client: client.id, issuer: target.issuer, clientId: target.clientId, actor })
      await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', actor })
      await approveContract(store, { client: client.id, api: 'orders', actor, ownRequest: true })
      answering({})
      const routes: Routes = {
        'ALL /jwt': (on) => [on.validateJwt(local())],
        'ALL /forgetful': (on) => [on.validateJwt({ ...local(), remember: { entries: 0 } })],
        'ALL /opaque': (on) => [on.introspectToken(asking())],
      }
      const own = await framework.start({ api: 'orders', store }, { routes })
      const [jwt, opaque] = [accessToken(target), newToken()]
      const all = async () => [
        codeOf(await get(own, '/jwt', bearer(jwt))),
        codeOf(await get(own, '/forgetful', bearer(jwt))),
        codeOf(await get(own, '/opaque', bearer(opaque))),
      ]
      expect(await all()).toEqual([
        [200, undefined],
        [200, undefined],
        [200, undefined],
      ])
      await revokeContract(store, { client: client.id, api: 'orders', actor })
      const revoked = [403, 'contract_revoked']
      expect(await all()).toEqual([revoked, revoked, revoked])
      await own.close()
    })

    it('#7 is found under the whole token alone: not under its end, its start or its middle', async () => {
      const [mine, yours] = [reader.register(target.issuer, 'mine'), reader.register(target.issuer, 'yours')]
      const tokens = {
        mine: accessToken(target, { client_id: 'mine' }),
        yours: accessToken(target, { client_id: 'yours' }),
      }
      for (let round = 0; round < 3; round += 1) {
        expect(admittedAs(await get(server, '/local', bearer(tokens.mine)))?.id).toBe(mine.id)
        expect(admittedAs(await get(server, '/local', bearer(tokens.yours)))?.id).toBe(yours.id)
      }
      const [head = '', payload = '', signature = ''] = tokens.mine.split('.')
      const [otherHead = '', otherPayload = '', otherSignature = ''] = tokens.yours.split('.')
      const last = signature.endsWith('A') ? 'Q' : 'A'
      for (const collision of [
        [otherHead, otherPayload, signature],
        [head, payload, otherSignature],
        [head, payload, `${signature.slice(0, -1)}${last}`],
        [head, payload, signature.slice(0, -4)],
        [head, `${payload}A`, signature],
        [`${head}A`, payload, signature],
      ]) {
        expectRefusal(await get(server, '/local', bearer(collision.join('.'))), 401, 'token_invalid')
      }
    })

    it('#7 is good for the configuration that verified it, and for no other', async () => {
      const answers = async (token: string) => {
        const all: unknown[] = []
        for (const path of ['/local', '/reports', '/small', '/local', '/reports', '/small']) {
          all.push(codeOf(await get(server, path, bearer(token)))[1] ?? 'served')
        }
        return all
      }
      const threefold = ['served', 'token_invalid', 'served']
      expect(await answers(accessToken(target))).toEqual([...threefold, ...threefold])
      const long = ['served', 'token_invalid', 'credentials_malformed']
      expect(await answers(accessToken(target, { note: 'x'.repeat(1000) }))).toEqual([...long, ...long])
      const reports = ['token_invalid', 'served', 'token_invalid']
      expect(await answers(accessToken(target, { aud: 'reports' }))).toEqual([...reports, ...reports])
      const both = ['served', 'served', 'served']
      expect(await answers(accessToken(target, { aud: ['orders', 'reports'] }))).toEqual([...both, ...both])
    })
  })

  describe('#8 numbers that are none', () => {
    const numbers = [NaN, Infinity, -Infinity, -1, '60', null, {}]
    const tokens = [
      'clockToleranceSeconds',
      'freshSeconds',
      'staleSeconds',
      'timeoutMs',
      'maxResponseBytes',
      'maxTokenBytes',
    ]
    const refused = (start: () => unknown, name: string): void => {
      expect(start).toThrow(
        expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringContaining(name) }),
      )
    }
    const starting =
      (routes: Routes, more: object = {}) =>
      () =>
        framework.start({ api: 'orders', store: reader, ...more }, { routes })

    it.each([...tokens, 'remember'])('#8 validateJwt is not built with a wrong %s', (name) => {
      for (const value of numbers) {
        for (const change of name === 'remember' ? [{ entries: value }, { bytes: value }] : [value]) {
          refused(starting({ 'ALL /': (on) => [on.validateJwt({ ...local(), [name]: change })] }), name)
        }
      }
    })

    it.each([...tokens, 'maxAgeSeconds', 'inactiveMaxAgeSeconds'])(
      '#8 introspectToken is not built with a wrong %s',
      (name) => {
        for (const value of numbers) {
          refused(starting({ 'ALL /': (on) => [on.introspectToken({ ...asking(), [name]: value })] }), name)
        }
      },
    )

    it.each(['storeTimeoutMs', 'counterTimeoutMs'])('#8 clientele() is not built with a wrong %s', (name) => {
      for (const value of [...numbers, 0]) refused(starting({}, { [name]: value }), name)
    })

    it('#8 a limit and a counter are not built with a wrong number', () => {
      for (const value of numbers) {
        refused(starting({ 'ALL /': (on) => [on.limitBySla({ cost: value as never })] }), 'cost')
        refused(() => memoryCounter({ maxKeys: value as never }), 'maxKeys')
      }
    })
  })

  it('#11 a token past the cap is refused unread, one at the cap is not', async () => {
    const token = accessToken(target)
    const short = token.length <= 1000 ? token : ''
    expect((await get(server, '/small', bearer(short))).status).toBe(200)
    expectRefusal(await get(server, '/small', bearer('a'.repeat(1001))), 400, 'credentials_malformed')
    expectRefusal(await get(server, '/small', bearer('a'.repeat(1000))), 401, 'token_invalid')
    await expectNextIsServed('/small')
  })

  describe('#12 strange text in the answer to an introspection', () => {
    const strange = ['\r\nx: y', '\0', '"', '\\', '\u{1F600}', '\u202E', '\u00fc']
    it.each(
      strange.flatMap((text) => ['iss', 'client_id', 'scope', 'token_type'].map((member) => [member, text] as const)),
    )('#12 %s with %j', async (member, text) => {
      const base = { iss: target.issuer, client_id: 'orders-client', scope: '', token_type: 'refresh_token' }
      answering({ [member]: `${base[member as keyof typeof base]}${text}` })
      const answer = await get(server, '/scoped', bearer(newToken()))
      const expected = {
        iss: [401, 'token_invalid'],
        client_id: [403, 'client_unnamed'],
        scope: [403, 'scope_insufficient'],
        token_type: [200, ''],
      } as const
      const [wanted, code] = expected[member as keyof typeof expected]
      if (wanted === 200) expect(answer.status).toBe(200)
      else expectRefusal(answer, wanted, code)
      expect(answer.headers['x']).toBeUndefined()
      answering({})
      expect((await get(server, '/scoped', bearer(newToken()))).status).toBe(200)
    })
  })

  describe('#18 answers to an introspection', () => {
    const html: Behaviour = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(JSON.stringify(good))
    }
    const signed: Behaviour = (_request, response) => {
      const claims = { token_introspection: good }
      const type = 'token-introspection+jwt'
      response.writeHead(200, { 'content-type': `application/${type}` }).end(accessToken(target, claims, { typ: type }))
    }
    it.each<readonly [string, Behaviour]>([
      ['active "true"', json({ ...good, active: 'true' })],
      ['active 1', json({ ...good, active: 1 })],
      ['active [true]', json({ ...good, active: [true] })],
      ['no active', json({ ...good, active: undefined })],
      ['a list', json([good])],
      ['a text', json('active')],
      ['text/html', html],
      ['a signed answer', signed],
      ['an exp that is text', json({ ...good, exp: '9999999999' })],
      ['an aud that is an object', json({ ...good, aud: { orders: true } })],
      ['400', json({ error: 'invalid_request' }, 400)],
      ['401', status(401, { 'www-authenticate': 'Basic' })],
      ['429', status(429, { 'retry-after': '3600' })],
      ...Object.entries(outages),
    ])('#18 %s is 503, and #19 never remembered as a bad token', async (_name, behaviour) => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const token = newToken()
      const asked = asking('/introspect', { inactiveMaxAgeSeconds: 300 })
      const routes: Routes = { 'ALL /': (on) => [on.introspectToken(asked)] }
      const own = await framework.start({ api: 'orders', store: reader }, { routes })
      issuer.on('/introspect', behaviour)
      expectRefusal(await get(own, '/', bearer(token)), 503, 'ERR_CLIENTELE_ISSUER')
      answering({})
      // Longer than a server is left alone, shorter than a bad answer is remembered.
      vi.advanceTimersByTime(61_000)
      expect((await get(own, '/', bearer(token))).status).toBe(200)
      await own.close()
    })

    it.each<readonly [string, object]>([
      ['active false', { active: false }],
      ['an exp in the past', { exp: nowSeconds() - 60 }],
      ['exp 0', { exp: 0 }],
      ['an nbf in the future', { nbf: nowSeconds() + 3600 }],
      ['a wrong aud', { aud: 'reports' }],
      ['an aud that only starts alike', { aud: ['ordersx', 'order'] }],
      ['another issuer', { iss: 'https://other.example' }],
      ['two clients', { azp: 'somebody-else' }],
      ['a client ID that is a list', { client_id: ['orders-client'] }],
      ['a bound token', { cnf: { jkt: 'thumbprint' } }],
      ['a refresh token', { token_type: 'refresh_token' }],
    ])('#18 %s is 401', async (_name, change) => {
      answering(change)
      expectRefusal(await get(server, '/introspect', bearer(newToken())), 401, 'token_invalid')
      answering({})
      expect((await get(server, '/introspect', bearer(newToken()))).status).toBe(200)
    })

    it('#18 a signed answer replayed as an access token is 401', async () => {
      const answer = { ...good, token_introspection: good, aud: 'orders' }
      for (const typ of ['token-introspection+jwt', 'application/token-introspection+jwt', 'JWT']) {
        const replayed = accessToken(target, answer, { typ })
        expectRefusal(await get(server, '/local', bearer(replayed)), 401, 'token_invalid')
        answering({ active: false })
        expectRefusal(await get(server, '/introspect', bearer(replayed)), 401, 'token_invalid')
      }
    })
  })

  describe('#19 what is remembered of introspections', () => {
    it('#19 ends at exp, whatever age is allowed', async () => {
      vi.useFakeTimers({ toFake: ['Date', 'performance'] })
      const token = newToken()
      answering({ exp: nowSeconds() + 10 })
      expect((await get(server, '/aged', bearer(token))).status).toBe(200)
      answering({ active: false })
      vi.advanceTimersByTime(9000)
      expect((await get(server, '/aged', bearer(token))).status).toBe(200)
      vi.advanceTimersByTime(1000)
      expectRefusal(await get(server, '/aged', bearer(token)), 401, 'token_invalid')
    })

    it('#19 a good answer for a minute, a bad one for ten seconds', async () => {
      vi.useFakeTimers({ toFake: ['Date', 'performance'] })
      const [first, second] = [newToken(), newToken()]
      answering({})
      expect((await get(server, '/aged-too', bearer(first))).status).toBe(200)
      answering({ active: false })
      expect((await get(server, '/aged-too', bearer(second))).status).toBe(401)
      answering({})
      vi.advanceTimersByTime(9900)
      expect((await get(server, '/aged-too', bearer(second))).status).toBe(401)
      vi.advanceTimersByTime(100)
      expect((await get(server, '/aged-too', bearer(second))).status).toBe(200)
      answering({ active: false })
      vi.advanceTimersByTime(50_100)
      expect((await get(server, '/aged-too', bearer(first))).status).toBe(401)
    })

    it('#19 bad answers are bounded, and push out no good one', async () => {
      const known = newToken()
      answering({})
      expect((await get(server, '/few', bearer(known))).status).toBe(200)
      answering({ active: false })
      const flood = Array.from({ length: 50 }, newToken)
      for (const token of flood) expect((await get(server, '/few', bearer(token))).status).toBe(401)
      const asked = issuer.count('/introspect')
      // Only the last two are still known.
      for (const token of flood.slice(-2)) expect((await get(server, '/few', bearer(token))).status).toBe(401)
      expect(issuer.count('/introspect')).toBe(asked)
      expect((await get(server, '/few', bearer(flood[0] ?? ''))).status).toBe(401)
      expect(issuer.count('/introspect')).toBe(asked + 1)
      expect((await get(server, '/few', bearer(known))).status).toBe(200)
      expect(issuer.count('/introspect')).toBe(asked + 1)
    })

    it('#19 no key of anything that is remembered holds a token or our secret', async () => {
      const keys = new Set<string>()
      const { set } = Map.prototype
      Map.prototype.set = function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
        if (typeof key === 'string') keys.add(key)
        return set.call(this, key, value)
      } as typeof set
      const [jwt, opaque, bad] = [accessToken(target, { jti: 'kept' }), newToken(), newToken()]
      try {
        const routes: Routes = {
          'ALL /jwt': (on) => [on.validateJwt(local())],
          'ALL /opaque': (on) => [on.introspectToken(asking())],
        }
        const own = await framework.start({ api: 'orders', store: reader }, { routes })
        answering({})
        expect((await get(own, '/jwt', bearer(jwt))).status).toBe(200)
        expect((await get(own, '/opaque', bearer(opaque))).status).toBe(200)
        answering({ active: false })
        expect((await get(own, '/opaque', bearer(bad))).status).toBe(401)
        await own.close()
      } finally {
        Map.prototype.set = set
      }
      expect(keys.size).toBeGreaterThan(3)
      const [, payload = '', signature = ''] = jwt.split('.')
      const basic = Buffer.from(`orders-api:${clientSecret}`).toString('base64')
      for (const secret of [jwt, payload, signature, opaque, bad, clientSecret, basic]) {
        expect([...keys].filter((key) => key.includes(secret))).toEqual([])
      }
    })
  })

  describe('#39 two issuers that use the same names', () => {
    let theirs: AttackedIssuer
    let other: KeyServer
    beforeAll(async () => {
      other = await startKeyServer()
      theirs = { ...attackedIssuer(other.url, ''), key: rsaKey(target.key.kid) }
    })
    afterAll(() => other.close())

    const theirOptions = (): ValidateJwtOptions => ({
      ...local(),
      issuer: theirs.issuer,
      jwks: { keys: [theirs.key.jwk] },
    })

    it.each(['one clientele()', 'two clientele()'])(
      '#39 tokens, contracts and quotas never cross, in %s',
      async (which) => {
        const own = ownReader()
        const ids = [own.register(target.issuer, 'orders-client').id, own.register(theirs.issuer, 'orders-client').id]
        const options = { api: 'orders', store: own }
        const second = which === 'two clientele()' ? clienteleFor(framework, options) : undefined
        const routes: Routes = {
          'ALL /a': (on) => [on.validateJwt(local()), on.limitBySla()],
          'ALL /b': (on) => [(second ?? on).validateJwt(theirOptions()), (second ?? on).limitBySla()],
          'ALL /any': (on) => [on.anyOf(on.validateJwt(local()), on.validateJwt(theirOptions()))],
        }
        const running = await framework.start(options, { routes })
        const same = { jti: 'one', iat: 1 }
        const [a, b] = [accessToken(target, same), accessToken(theirs, same)]
        for (let round = 0; round < 2; round += 1) {
          expect(admittedAs(await get(running, '/any', bearer(a)))?.id).toBe(ids[0])
          expect(admittedAs(await get(running, '/any', bearer(b)))?.id).toBe(ids[1])
        }
        expectRefusal(await get(running, '/a', bearer(b)), 401, 'token_invalid')
        expectRefusal(await get(running, '/b', bearer(a)), 401, 'token_invalid')
        // Signed by the one, in the name of the other.
        const forged = [
          accessToken({ ...target, key: theirs.key }, same),
          accessToken({ ...theirs, key: target.key }, same),
        ]
        for (const token of forged) {
          for (const path of ['/a', '/b', '/any']) {
            expectRefusal(await get(running, path, bearer(token)), 401, 'token_invalid')
          }
        }
        const statuses = async (path: string, token: string) => {
          const all: number[] = []
          for (let index = 0; index < 11; index += 1) all.push((await get(running, path, bearer(token))).status)
          return all
        }
        const tenThenNo = [...Array.from({ length: 10 }, () => 200), 429]
        expect(await statuses('/a', a)).toEqual(tenThenNo)
        expect(await statuses('/b', b)).toEqual(tenThenNo)
        own.register(theirs.issuer, 'orders-client', 'revoked')
        expectRefusal(await get(running, '/any', bearer(b)), 403, 'contract_revoked')
        expect((await get(running, '/any', bearer(a))).status).toBe(200)
        await running.close()
      },
    )

    it('#39 the same opaque token is what each issuer says of it, remembered or not', async () => {
      const own = ownReader()
      const ids = [own.register(target.issuer, 'orders-client').id, own.register(theirs.issuer, 'orders-client').id]
      const options = { api: 'orders', store: own }
      const second = clienteleFor(framework, options)
      const theirAsking = (): IntrospectTokenOptions => ({
        ...asking(),
        issuer: theirs.issuer,
        endpoint: `${theirs.issuer}/introspect`,
      })
      const routes: Routes = {
        'ALL /a': (on) => [on.introspectToken(asking())],
        'ALL /b': (on) => [on.introspectToken(theirAsking())],
        'ALL /second': () => [second.introspectToken(theirAsking())],
      }
      const running = await framework.start(options, { routes })
      const [first, another] = [newToken(), newToken()]
      answering({})
      other.on('/introspect', json({ active: false }))
      for (let round = 0; round < 2; round += 1) {
        expect(admittedAs(await get(running, '/a', bearer(first)))?.id).toBe(ids[0])
        expectRefusal(await get(running, '/b', bearer(first)), 401, 'token_invalid')
        expectRefusal(await get(running, '/second', bearer(first)), 401, 'token_invalid')
      }
      answering({ active: false })
      other.on('/introspect', json(good))
      for (let round = 0; round < 2; round += 1) {
        expectRefusal(await get(running, '/a', bearer(another)), 401, 'token_invalid')
        expect(admittedAs(await get(running, '/b', bearer(another)))?.id).toBe(ids[1])
        expect(admittedAs(await get(running, '/second', bearer(another)))?.id).toBe(ids[1])
      }
      await running.close()
    })
  })

  it('#40 an issuer of many tenants: a token of another tenant is refused, its key being the same', async () => {
    const ours = { ...target, issuer: `${target.issuer}/tenant-a/v2.0` }
    const own = ownReader()
    own.register(ours.issuer, 'orders-client')
    const routes: Routes = { 'ALL /': (on) => [on.validateJwt({ ...local(), issuer: ours.issuer })] }
    const running = await framework.start({ api: 'orders', store: own }, { routes })
    const foreign = ['/tenant-b/v2.0', '/{tenantid}/v2.0', '/tenant-a/v2.0/', '/TENANT-A/v2.0', '/tenant-a', '']
    for (const tenant of foreign) {
      const token = accessToken(ours, { iss: `${target.issuer}${tenant}`, tid: 'tenant-a' })
      expectRefusal(await get(running, '/', bearer(token)), 401, 'token_invalid')
      expect((await get(running, '/', bearer(accessToken(ours)))).status).toBe(200)
    }
    await running.close()
  })

  it('#40 a user who calls himself like a client is not that client', async () => {
    const own = ownReader()
    const victim = own.register(target.issuer, 'victim')
    const thief = own.register(target.issuer, 'thief')
    const routes: Routes = { 'ALL /': (on) => [on.validateJwt(local())] }
    const running = await framework.start({ api: 'orders', store: own }, { routes })
    const as = (claims: object) => get(running, '/', bearer(accessToken(target, { ...claims })))
    expect(admittedAs(await as({ client_id: 'thief', sub: 'victim', preferred_username: 'victim' }))?.id).toBe(thief.id)
    expectRefusal(await as({ client_id: undefined, sub: 'victim', aud: ['orders', 'victim'] }), 403, 'client_unnamed')
    for (const clientId of [['a'], '', 1, {}, null, false]) {
      expectRefusal(await as({ client_id: clientId, azp: 'victim' }), 401, 'token_invalid')
      expectRefusal(await as({ azp: clientId, client_id: 'victim' }), 401, 'token_invalid')
    }
    expect(admittedAs(await as({ client_id: 'victim' }))?.id).toBe(victim.id)
    await running.close()
  })

  describe('#49 canaries in tokens', () => {
    it('#49 come out in no answer, event, verdict, fault or request that the handler sees', async () => {
      // Short enough to stand whole in the message of a parser that quotes what it could not read.
      const canary = `canary${createHash('sha256').update(framework.name).digest('hex').slice(0, 12)}`
      const said: unknown[] = []
      const events: unknown[] = []
      const asked = (endpoint: string) =>
        asking(endpoint, { as: { clientId: 'orders-api', clientSecret: `${canary}-ours` } })
      const routes: Routes = {
        'ALL /jwt': (on) => [watched(on, on.validateJwt(local()).policy, said)],
        'ALL /keys': (on) => [
          watched(on, on.validateJwt({ ...remote(), jwksUri: `${issuer.url}/canary-keys` }).policy, said),
        ],
        'ALL /opaque': (on) => [watched(on, on.introspectToken(asked('/canary')).policy, said)],
      }
      const options = { api: 'orders', store: reader, onDecision: (event: unknown) => void events.push(event) }
      const jwts = [
        `${canary}.${canary}.${canary}`,
        accessToken(target, { aud: canary }),
        accessToken(target, { client_id: canary }),
        accessToken(target, { exp: canary, jti: canary }),
        accessToken(target, { iss: canary }),
        accessToken(target, {}, { kid: canary, typ: canary }),
        accessToken(target, {}, { crit: [canary], [canary]: true }),
        `${accessToken(target)}${canary}`,
      ]
      const notJson: Behaviour = (_request, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(canary)
      const leaks: Behaviour[] = [
        (_request, response) => response.writeHead(500, { 'x-canary': canary }).end(canary),
        (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(canary),
        notJson,
        json({ error: 'invalid_request', error_description: canary }, 400),
        json({ error: canary, error_uri: canary }, 400),
        json({ [canary]: canary }),
        json({ active: canary, username: canary }),
        status(401, { 'www-authenticate': `Basic realm="${canary}"` }),
        status(302, { location: `http://127.0.0.1:1/${canary}` }),
        json({ active: false, sub: canary }),
      ]
      // Each at an address of its own: a server that fails is left alone for a while.
      for (const [index, behaviour] of leaks.entries()) {
        issuer.on(`/leak-${index}`, behaviour)
        routes[`ALL /leak-${index}`] = (on) => [watched(on, on.introspectToken(asked(`/leak-${index}`)).policy, said)]
      }
      const warn = (warning: Error): void => void events.push(warning)
      process.on('warning', warn)
      const servers = [
        await framework.start(options, { routes }),
        await framework.start({ ...options, faults: 'forward', onRefusal: 'forward' }, { routes }),
      ]
      for (const running of servers) {
        const answers: Answer[] = []
        for (const token of [...jwts, canary]) {
          answers.push(await get(running, '/jwt', bearer(token)))
          answers.push(await get(running, `/jwt?access_token=${token}`, [['Cookie', `token=${token}`]]))
        }
        for (const index of leaks.keys()) {
          answers.push(await get(running, `/leak-${index}`, bearer(`${canary}${count++}`)))
        }
        issuer.on('/canary-keys', notJson)
        answers.push(await get(running, '/keys', bearer(accessToken(target, { jti: canary }))))
        for (const answer of answers) {
          expect(answer.status, answer.text).toBeGreaterThanOrEqual(400)
          expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toContain(canary)
        }
        // What is let in goes on without the token, in every form that the framework keeps.
        issuer.on('/canary', json(good))
        const opaque = `${canary}-good`
        const jwt = accessToken(target)
        for (const [path, token] of [
          ['/opaque', opaque],
          ['/jwt', jwt],
        ] as const) {
          const answer = await get(running, path, bearer(token))
          expect(answer.status).toBe(200)
          expect(answer.text).not.toContain(token)
          expect(inspect(said, whole)).not.toContain(token)
        }
        await running.close()
      }
      process.off('warning', warn)
      const everything = inspect([said, events], whole)
      expect(said.filter((each) => each instanceof Error).length).toBeGreaterThan(8)
      expect(everything).not.toContain(canary)
      expect(everything).not.toContain(clientSecret)
    })
  })
})

describe.each(frameworks)('$name, before a real authorization server', (framework) => {
  const client = { clientId: 'orders-client', clientSecret: 'p@ss: w%d+' }
  const api = { clientId: 'orders-api', clientSecret: 'api-secret' }
  let provider: OidcServer
  let server: Running

  beforeAll(async () => {
    provider = await startOidcProvider([client, api])
    const own = ownReader()
    own.register(provider.issuer, client.clientId)
    const from = { issuer: provider.issuer, allowInsecureRequests: true }
    const opaque = { ...from, audience: opaqueResource }
    const routes: Routes = {
      'ALL /jwt': (on) => [on.validateJwt({ ...from, audience: jwtResource })],
      'ALL /opaque': (on) => [on.introspectToken({ ...opaque, as: api })],
      'ALL /short': (on) => [on.introspectToken({ ...opaque, as: api, maxAgeSeconds: 1 })],
      'ALL /other': (on) => [on.introspectToken({ ...opaque, as: api, audience: 'https://other.example' })],
      'ALL /misled': (on) => [on.introspectToken({ ...opaque, as: { ...api, clientSecret: 'wrong' } })],
    }
    server = await framework.start({ api: 'orders', store: own }, { routes })
  })
  afterAll(async () => {
    await server.close()
    await provider.close()
  })

  it('#18 its opaque tokens are good, and nothing else is', async () => {
    const [opaque, jwt] = [
      await provider.accessToken(client, opaqueResource),
      await provider.accessToken(client, jwtResource),
    ]
    const served = async () => (await get(server, '/opaque', bearer(opaque))).status
    expect(await served()).toBe(200)
    for (const bad of ['never-issued', `${opaque}x`, opaque.slice(0, -1), opaque.toUpperCase(), jwt, `${jwt}x`]) {
      expectRefusal(await get(server, '/opaque', bearer(bad)), 401, 'token_invalid')
      expect(await served()).toBe(200)
    }
    expectRefusal(await get(server, '/other', bearer(opaque)), 401, 'token_invalid')
    expectRefusal(await get(server, '/jwt', bearer(opaque)), 401, 'token_invalid')
    expect((await get(server, '/jwt', bearer(jwt))).status).toBe(200)
  })

  it('#18 a wrong secret of ours is 503, and #19 not remembered as a bad token', async () => {
    const opaque = await provider.accessToken(client, opaqueResource)
    expectRefusal(await get(server, '/misled', bearer(opaque)), 503, 'ERR_CLIENTELE_ISSUER')
    expectRefusal(await get(server, '/misled', bearer(opaque)), 503, 'ERR_CLIENTELE_ISSUER')
    expect((await get(server, '/opaque', bearer(opaque))).status).toBe(200)
  })

  it('#19 a revoked token ends with the answer that is remembered, and one question is asked meanwhile', async () => {
    const opaque = await provider.accessToken(client, opaqueResource)
    const asked = () => provider.requests.get('/token/introspection') ?? 0
    const before = asked()
    const statuses = await Promise.all(Array.from({ length: 50 }, () => get(server, '/short', bearer(opaque))))
    expect(new Set(statuses.map((answer) => answer.status))).toEqual(new Set([200]))
    expect(asked()).toBe(before + 1)
    await provider.revoke(client, opaque)
    await sleep(1050)
    expectRefusal(await get(server, '/short', bearer(opaque)), 401, 'token_invalid')
  })

  it('a key rotates while 200 requests run, and no good token is refused', async () => {
    const issue = (): Promise<string[]> =>
      Promise.all(Array.from({ length: 20 }, () => provider.accessToken(client, jwtResource)))
    const tokens = await issue()
    const counts = new Map<number, number>()
    let [inFlight, most, running] = [0, 0, true]
    const requests = Array.from({ length: 200 }, async (_, index) => {
      for (let round = index; running; round += 1) {
        inFlight += 1
        most = Math.max(most, inFlight)
        const { status } = await get(server, '/jwt', bearer(tokens[round % tokens.length] ?? ''))
        inFlight -= 1
        counts.set(status, (counts.get(status) ?? 0) + 1)
      }
    })
    const served = () => counts.get(200) ?? 0
    const patience = { timeout: 12_000 }
    await vi.waitUntil(() => served() > 400, patience)
    const fetched = provider.requests.get('/jwks') ?? 0
    provider.rotateKeys({ keepOld: true })
    tokens.push(...(await issue()))
    const atRotation = served()
    await vi.waitUntil(() => served() > atRotation + 1000 || counts.size > 1, patience)
    running = false
    await Promise.all(requests)
    expect([...counts.keys()]).toEqual([200])
    expect(most).toBe(200)
    expect(provider.requests.get('/jwks')).toBe(fetched + 1)
  })
})

describe.each(frameworks)('$name, where several kinds of caller share a route', (framework) => {
  const good = { active: true, client_id: 'orders-client', aud: 'orders', scope: 'orders:read' }
  const opaqueOf: Record<string, Behaviour> = {
    'opaque-good': json(good),
    'opaque-revoked': json({ active: false }),
    'opaque-elsewhere': json({ ...good, aud: 'reports' }),
    'opaque-expired': json({ ...good, exp: nowSeconds() - 60 }),
    'opaque-bound': json({ ...good, cnf: { jkt: 'x' } }),
    'opaque-outage': status(500),
    'opaque-pending': json({ ...good, client_id: 'pending' }),
    'opaque-unscoped': json({ ...good, scope: '' }),
  }
  const api = { api: 'orders', actor: 'test' }
  let server: Running
  let own: { id: string; secret: string }
  let locked: { id: string; secret: string }

  beforeAll(async () => {
    const store = memoryStore()
    const limits = [{ requests: 100_000, windowSeconds: 60, algorithm: 'fixed' as const }]
    await defineTier(store, { ...api, name: 'gold', approval: 'manual', limits })
    const register = async (clientId: string, approved: boolean) => {
      const { client, clientSecret: secret } = await registerClient(store, { name: clientId, clientId, actor: 'test' })
      await linkIdentity(store, { client: client.id, issuer: target.issuer, clientId, actor: 'test' })
      await requestContract(store, { client: client.id, ...api, tier: 'gold' })
      if (approved) await approveContract(store, { client: client.id, ...api, ownRequest: true })
      return { id: clientId, secret }
    }
    own = await register('orders-client', true)
    locked = await register('pending', false)
    issuer.on('/by-token', (request, response) => {
      const token = new URLSearchParams(request.body).get('token') ?? ''
      ;(opaqueOf[token] ?? json({ active: false }))(request, response)
    })
    const elsewhere = 'https://down.example'
    const routes: Routes = {
      'ALL /any': (on) => [
        on.anyOf(
          on.validateJwt({ ...local(), scopes: ['orders:read'] }),
          on.validateJwt({ ...remote(), issuer: elsewhere, jwksUri: `${issuer.url}/no-keys` }),
          on.introspectToken(asking('/by-token', { tokens: 'opaque', scopes: ['orders:read'] })),
          on.enforceClientId({ from: [headers(), query(), basicAuth()] }),
        ),
      ],
    }
    server = await framework.start({ api: 'orders', store }, { routes })
  })
  afterAll(() => server.close())

  interface Sent {
    readonly fields?: Headers
    readonly parameters?: string
  }
  const send = (...sent: readonly Sent[]): Promise<Answer> => {
    const parameters = sent.flatMap((each) => each.parameters ?? []).join('&')
    return call(server.url, { path: `/any?${parameters}`, headers: sent.flatMap((each) => each.fields ?? []) })
  }
  const jwt = (claims: object = {}, header: object = {}, key = target.key): Sent => ({
    fields: bearer(accessToken(target, { scope: 'orders:read', ...claims }, { ...header }, key)),
  })
  const foreign = rsaKey('signing-key')
  const opaque = (name: string): Sent => ({ fields: bearer(`opaque-${name}`) })
  const inHeaders = (id: string, secret: string): Sent => ({
    fields: [
      ['client_id', id],
      ['client_secret', secret],
    ],
  })
  const inQuery = (id: string, secret: string): Sent => ({ parameters: `client_id=${id}&client_secret=${secret}` })
  const inBasic = (id: string, secret: string): Sent => ({
    fields: [['Authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`]],
  })

  const refusedTokens: readonly (readonly [name: string, sent: () => Sent, status: number, code: string])[] = [
    ['an expired JWT', () => jwt({ exp: nowSeconds() - 60 }), 401, 'token_invalid'],
    ['a JWT of a foreign key', () => jwt({}, {}, foreign), 401, 'token_invalid'],
    ['a JWT for another audience', () => jwt({ aud: 'reports' }), 401, 'token_invalid'],
    ['a bound JWT', () => jwt({ cnf: { jkt: 'x' } }), 401, 'token_invalid'],
    ['an ID token', () => jwt({ nonce: 'n' }, { typ: 'JWT' }), 401, 'token_invalid'],
    ['a JWT of an unknown issuer', () => jwt({ iss: 'https://other.example' }), 401, 'token_invalid'],
    ['a JWT without the scope', () => jwt({ scope: '' }), 403, 'scope_insufficient'],
    ['a JWT of a pending contract', () => jwt({ client_id: 'pending' }), 403, 'contract_pending'],
    ['a JWT of an unknown client', () => jwt({ client_id: 'nobody' }), 403, 'client_unnamed'],
    ['a JWT of an issuer that is down', () => jwt({ iss: 'https://down.example' }), 503, 'ERR_CLIENTELE_ISSUER'],
    ['a malformed field', () => ({ fields: bearer('a b') }), 400, 'credentials_malformed'],
    ['no token', () => ({ fields: [['Authorization', 'Bearer']] }), 400, 'credentials_malformed'],
    ['a revoked opaque token', () => opaque('revoked'), 401, 'token_invalid'],
    ['an expired opaque token', () => opaque('expired'), 401, 'token_invalid'],
    ['an opaque token for another audience', () => opaque('elsewhere'), 401, 'token_invalid'],
    ['a bound opaque token', () => opaque('bound'), 401, 'token_invalid'],
    ['an opaque token without the scope', () => opaque('unscoped'), 403, 'scope_insufficient'],
    ['an opaque token of a pending contract', () => opaque('pending'), 403, 'contract_pending'],
    ['an opaque token whose issuer is down', () => opaque('outage'), 503, 'ERR_CLIENTELE_ISSUER'],
  ]
  const refusedClients: readonly (readonly [name: string, sent: () => Sent, status: number, code: string])[] = [
    ['a wrong secret', () => inHeaders(own.id, locked.secret), 401, 'client_invalid'],
    ['a wrong secret in the query', () => inQuery(own.id, 'guess'), 401, 'client_invalid'],
    ['an unknown client', () => inHeaders('nobody', own.secret), 401, 'client_invalid'],
    ['a pending contract', () => inHeaders(locked.id, locked.secret), 403, 'contract_pending'],
    ['an ID without its secret', () => ({ fields: [['client_id', own.id]] }), 401, 'client_invalid'],
    ['a secret without its ID', () => ({ fields: [['client_secret', own.secret]] }), 400, 'credentials_malformed'],
    [
      'a repeated ID',
      () => ({ parameters: `client_id=${own.id}&client_id=${own.id}&client_secret=${own.secret}` }),
      400,
      'credentials_malformed',
    ],
  ]
  const goodTokens: readonly (() => Sent)[] = [() => jwt(), () => opaque('good')]
  const clientWays = [inHeaders, inQuery, inBasic]

  async function expectNever200(first: Sent, second: Sent): Promise<void> {
    for (const both of [
      [first, second],
      [second, first],
    ]) {
      // What stands there twice is never chosen from: whichever of the two is good.
      const [status, code] = codeOf(await send(...both))
      expect(status).toBe(400)
      expect(code).toMatch(/^credentials_(ambiguous|malformed)$/)
    }
  }

  it('#41 each good credential alone is let in', async () => {
    for (const sent of goodTokens) expect((await send(sent())).status).toBe(200)
    for (const way of clientWays) expect((await send(way(own.id, own.secret))).status).toBe(200)
  })

  it.each(refusedTokens)('#41 %s is not rescued by credentials of a client', async (_name, sent, status, code) => {
    expectRefusal(await send(sent()), status, code)
    for (const way of clientWays) {
      await expectNever200(sent(), way(own.id, own.secret))
      await expectNever200(sent(), way(own.id, locked.secret))
      await expectNever200(sent(), way('nobody', own.secret))
    }
    await expectNever200(sent(), { fields: [['client_id', own.id]] })
    expect((await send(inHeaders(own.id, own.secret))).status).toBe(200)
  })

  it.each(refusedTokens)('#41 %s is not rescued by another token', async (_name, sent) => {
    for (const other of goodTokens) await expectNever200(sent(), other())
    await expectNever200(sent(), opaque('never-issued'))
    expect((await send(jwt())).status).toBe(200)
  })

  it.each(refusedClients)('#41 %s is not rescued by a token', async (_name, sent, status, code) => {
    expectRefusal(await send(sent()), status, code)
    for (const other of goodTokens) await expectNever200(sent(), other())
    await expectNever200(sent(), jwt({ exp: 0 }))
    await expectNever200(sent(), opaque('revoked'))
    expect((await send(jwt())).status).toBe(200)
  })

  it('#41 two that are good are one too many, whoever they name', async () => {
    for (const token of goodTokens) {
      for (const way of clientWays) {
        expect(codeOf(await send(token(), way(own.id, own.secret)))).toEqual([400, 'credentials_ambiguous'])
      }
    }
    expect(codeOf(await send(jwt(), opaque('good')))).toEqual([400, 'credentials_ambiguous'])
  })

  it('#41 what speaks to no branch takes nothing away and adds nothing', async () => {
    const foreign: Sent = {
      fields: [
        ['X-API-Key', 'x'],
        ['Cookie', 'token=x'],
      ],
      parameters: 'access_token=x',
    }
    expect((await send(foreign, inHeaders(own.id, own.secret))).status).toBe(200)
    expect((await send(foreign, jwt())).status).toBe(200)
    expectRefusal(await send(foreign), 401, 'credentials_missing')
    expectRefusal(await send(foreign, { fields: [['Authorization', 'DPoP abc']] }), 401, 'credentials_missing')
  })
})

const statusOf = {
  token_invalid: 401,
  token_missing: 401,
  credentials_malformed: 400,
  credentials_ambiguous: 400,
  client_unnamed: 403,
} as const
