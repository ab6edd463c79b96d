import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  linkIdentity,
  memoryCounter,
  registerClient,
  requestContract,
  approveContract,
  type ClienteleOptions,
  type ContractReader,
  type ContractStore,
  type ControlSpikesOptions,
} from 'clientele'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Clients } from '../conversations/client-id.js'
import { call, type Answer } from '../support/call.js'
import { flood } from '../support/flood.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { json, startKeyServer, type KeyServer } from '../support/key-server.js'
import { seededStore } from '../support/seeded-store.js'
import { accessToken, attackedIssuer, type AttackedIssuer } from '../support/token-attacks.js'
import { admittedAs, bearer, expectRefusal, type Headers, type Routes } from './attacked.js'
import { rounds } from '../support/rounds.js'

const limit = { requests: 10, windowSeconds: 3600 }
const guessing: ControlSpikesOptions = { by: 'address', count: 'failures', limit }
/** Tests call from 127.0.0.1, which stands for the proxy that tells where they come from. */
const behindProxy = { trustedProxies: ['127.0.0.1'] } as const
const attacker = { 'X-Forwarded-For': '203.0.113.66' }
const elsewhere: Headers = [['X-Forwarded-For', '198.51.100.1']]

let issuer: KeyServer
let target: AttackedIssuer

beforeAll(async () => {
  issuer = await startKeyServer()
  target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
})
afterAll(() => issuer.close())

describe.each(frameworks)('$name', (framework) => {
  let store: ContractStore
  let clients: Clients
  let lookups: string[]
  let server: Running | undefined

  beforeEach(async () => {
    const seeded = await seededStore()
    store = seeded.store
    clients = seeded.clients
    lookups = []
  })
  afterEach(async () => {
    await server?.close()
    server = undefined
  })

  /** A store that tells who was looked for, and takes its time if it is given one. */
  const reader = (delayMs?: number): ContractReader => ({
    findClient: (identity) => {
      lookups.push(identity.clientId)
      return delayMs === undefined
        ? store.findClient(identity)
        : sleep(delayMs).then(async () => store.findClient(identity))
    },
    findContract: (client, api) => store.findContract(client, api),
    findTier: (api, name) => store.findTier(api, name),
  })

  async function start(routes: Routes, options: Partial<ClienteleOptions> = {}): Promise<Running> {
    server = await framework.start({ api: 'orders', store: reader(), ...behindProxy, ...options }, { routes })
    return server
  }

  const ask = (fields: Headers, path = '/'): Promise<Answer> => call(server?.url ?? '', { path, headers: fields })
  const good = (more: Headers = elsewhere, path = '/'): Promise<Answer> =>
    ask([['client_id', clients.approved.clientId], ['client_secret', clients.approved.clientSecret], ...more], path)
  /** A secret that is well formed and somebody else's, so that it has to be looked at. */
  const wrong = () => ({ client_id: clients.approved.clientId, client_secret: clients.none.clientSecret })

  describe('#33 and #51 guessing the secret of a client', () => {
    const routes: Routes = { 'ALL /': (on) => [on.controlSpikes(guessing), on.enforceClientId()] }

    it.each([
      ['a store that answers at once', undefined],
      ['a store that takes its time', 15],
    ])('a thousand guesses at once, with %s: ten are looked at', async (_name, delayMs) => {
      const { url } = await start(routes, { store: reader(delayMs) })
      const fields = () => ({ ...wrong(), ...attacker })
      expect(await flood(url, 1000, { path: '/', fields, atOnce: 1000 })).toEqual({ 401: 10, 429: 990 })
      expect(lookups).toHaveLength(10)
      // The client whose secret was guessed at is not locked out, but for where the guesses come from.
      expect(admittedAs(await good())?.id).toBe(clients.approved.id)
      const refused = await good(Object.entries(attacker))
      expectRefusal(refused, 429, 'limit_exceeded')
      expect(refused.json).toMatchObject({ 'violated-policies': ['address'], title: 'A limit is exceeded.' })
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3500)
      expect(refused.headers.ratelimit).toBeUndefined()
      expect(lookups).toHaveLength(11)
    })

    it('secrets that a person chose, which are slow to check: no more than ten are', async () => {
      const chosen = { name: 'chosen', clientId: 'chosen', clientSecret: 'correct horse', actor: 'test' }
      const { client } = await registerClient(store, chosen)
      await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', actor: 'test' })
      await approveContract(store, { client: client.id, api: 'orders', actor: 'test', ownRequest: true })
      const { url } = await start(routes)
      const fields = (index: number) => ({ client_id: 'chosen', client_secret: `guess ${index}`, ...attacker })
      expect(await flood(url, 500, { path: '/', fields, atOnce: 500 })).toEqual({ 401: 10, 429: 490 })
      const known: Headers = [
        ['client_id', 'chosen'],
        ['client_secret', 'correct horse'],
      ]
      expect((await ask([...known, ...elsewhere])).status).toBe(200)
    })

    it('good requests give their places back: hundreds of them, and no more at once than the limit', async () => {
      const { url } = await start(routes, { store: reader(1) })
      const { clientId, clientSecret } = clients.approved
      const fields = () => ({ client_id: clientId, client_secret: clientSecret, ...attacker })
      expect(await flood(url, 300, { path: '/', fields, atOnce: 5 })).toEqual({ 200: 300 })
      const crowd = await flood(url, 60, { path: '/', fields, atOnce: 60 })
      expect((crowd[200] ?? 0) + (crowd[429] ?? 0)).toBe(60)
      await expect.poll(async () => (await good(Object.entries(attacker))).status).toBe(200)
    })

    it('whoever hangs up before the answer has guessed all the same', async () => {
      const { url } = await start(routes, { store: reader(150) })
      const lines = Object.entries({ Host: 'x', ...wrong(), ...attacker }).map(([name, value]) => `${name}: ${value}`)
      const sockets = Array.from({ length: 10 }, () => connect(Number(new URL(url).port), '127.0.0.1'))
      for (const socket of sockets) socket.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      await expect.poll(() => lookups.length, { timeout: 10_000 }).toBe(10)
      for (const socket of sockets) socket.destroy()
      await sleep(300)
      expectRefusal(await good(Object.entries(attacker)), 429, 'limit_exceeded')
      expect((await good()).status).toBe(200)
    })

    it.each<[string, Partial<ClienteleOptions>, number]>([
      ['as a 404', { answer: (_refusal, reply) => ({ ...reply, status: 404 }) }, 404],
      ['as a 200', { answer: (_refusal, reply) => ({ ...reply, status: 200 }) }, 200],
      ['by the application', { onRefusal: 'forward' }, 401],
    ])('a guess is one when it is answered %s', async (_name, options, status) => {
      const { url } = await start(routes, options)
      const fields = () => ({ ...wrong(), ...attacker })
      const statuses = await flood(url, 50, { path: '/', fields })
      expect(lookups).toHaveLength(10)
      expect(statuses[status]).toBe(status === 401 ? 10 : 50)
    })

    it('no credentials, and credentials that cannot be read, are no guesses', async () => {
      await start(routes)
      for (let index = 0; index < 15; index += 1) {
        expectRefusal(await ask(Object.entries(attacker)), 401, 'credentials_missing')
        expectRefusal(await ask([['client_secret', 'x'], ...Object.entries(attacker)]), 400, 'credentials_malformed')
      }
      expect((await good(Object.entries(attacker))).status).toBe(200)
    })
  })

  describe('#50 floods of what nobody has', () => {
    // The full load once per adapter: two majors of a framework differ in nothing that counts here.
    const full = rounds(3_000, 10_000)
    const count = ['Express 5', 'Koa 3'].includes(framework.name) ? full : 500
    const patienceMs = 120_000
    const token = (): TokenOptions => ({ issuer: issuer.url, audience: 'orders', allowInsecureRequests: true })
    type TokenOptions = { issuer: string; audience: string; allowInsecureRequests: true }

    beforeEach(async () => {
      const { id: client } = clients.approved
      await linkIdentity(store, { client, issuer: issuer.url, clientId: target.clientId, actor: 'test' })
      issuer.on('/introspect', ({ body }, response) => {
        const active = new URLSearchParams(body).get('token') === 'known'
        json(active ? { active, client_id: target.clientId, aud: 'orders' } : { active })(undefined as never, response)
      })
    })

    /** Known callers go on while the flood runs. */
    async function goesOn(flooding: Promise<unknown>, known: () => Promise<Answer>): Promise<unknown> {
      const state = { over: false }
      const watched = flooding.finally(() => (state.over = true))
      const served: number[] = []
      const serve = async () => {
        while (!state.over) served.push((await known()).status)
      }
      const [statuses] = await Promise.all([watched, serve()])
      expect(served.length).toBeGreaterThan(0)
      expect(served).toEqual(served.map(() => 200))
      return statuses
    }

    it(
      'thousands of IDs: ten are looked for',
      async () => {
        const { url } = await start({ 'ALL /': (on) => [on.controlSpikes(guessing), on.enforceClientId()] })
        const { clientSecret } = clients.none
        const fields = (index: number) => ({ client_id: `nobody-${index}`, client_secret: clientSecret, ...attacker })
        const flooding = flood(url, count, { path: '/', fields, atOnce: 50 })
        expect(await goesOn(flooding, good)).toEqual({ 401: 10, 429: count - 10 })
        expect(lookups.filter((id) => id.startsWith('nobody'))).toHaveLength(10)
      },
      patienceMs,
    )

    it(
      'thousands of opaque tokens: the issuer is asked ten times',
      async () => {
        const introspect = {
          ...token(),
          endpoint: `${issuer.url}/introspect`,
          as: { clientId: 'api', clientSecret: 's' },
        }
        const { url } = await start({
          'ALL /': (on) => [on.controlSpikes(guessing), on.introspectToken({ ...introspect, maxAgeSeconds: 0 })],
        })
        const known = () => ask([...bearer('known'), ...elsewhere])
        expect((await known()).status).toBe(200)
        const before = issuer.received.length
        const fields = (index: number) => ({ authorization: `Bearer opaque-${index}`, ...attacker })
        const flooding = flood(url, count, { path: '/', fields, atOnce: 50 })
        expect(await goesOn(flooding, known)).toEqual({ 401: 10, 429: count - 10 })
        const asked = issuer.received.slice(before).filter(({ body }) => body.includes('token=opaque'))
        expect(asked).toHaveLength(10)
      },
      patienceMs,
    )

    it(
      'thousands of tokens with bad signatures: ten are verified',
      async () => {
        const { url } = await start({
          'ALL /': (on) => [
            on.controlSpikes(guessing),
            on.validateJwt({ ...token(), jwks: { keys: [target.key.jwk] } }),
          ],
        })
        const known = accessToken(target)
        const [head = '', payload = ''] = known.split('.')
        const fields = (index: number) => {
          const signature = Buffer.alloc(256, `bad ${index} `).toString('base64url')
          return { authorization: `Bearer ${head}.${payload}.${signature}`, ...attacker }
        }
        const flooding = flood(url, count, { path: '/', fields, atOnce: 50 })
        expect(await goesOn(flooding, () => ask([...bearer(known), ...elsewhere]))).toEqual({
          401: 10,
          429: count - 10,
        })
      },
      patienceMs,
    )
  })

  describe('#32 and #54 floods of addresses', () => {
    it('take no place from the clients of contracts, and make nobody be forgotten', async () => {
      const counter = memoryCounter({ maxKeys: 1 })
      const control: ControlSpikesOptions = { by: 'address', limit: { requests: 2, windowSeconds: 3600 } }
      const routes: Routes = {
        'ALL /': (on) => [on.controlSpikes(control), on.enforceClientId(), on.limitBySla()],
      }
      const { url } = await start(routes, { counter })
      expect((await good()).status).toBe(200)
      expect((await good()).headers.ratelimit).toMatch(/r=998/)
      const fields = (index: number) => ({ 'X-Forwarded-For': `2001:db8:${index.toString(16)}::1` })
      expect(await flood(url, 3000, { path: '/', fields })).toEqual({ 401: 3000 })
      expectRefusal(await good(), 429, 'limit_exceeded')
      const other = await good([['X-Forwarded-For', '198.51.100.2']])
      expect([other.status, other.headers.ratelimit]).toEqual([200, expect.stringMatching(/r=997/)])
    })

    it('a counter that does not answer is a 503, whoever asks', async () => {
      const counter = Object.assign(memoryCounter(), { take: () => new Promise<never>(() => undefined) })
      const routes: Routes = {
        'ALL /': (on) => [on.controlSpikes({ ...guessing, counter: counter, name: 'shared' }), on.enforceClientId()],
        'ALL /open': (on) => [on.enforceClientId()],
      }
      await start(routes, { counterTimeoutMs: 50 })
      expectRefusal(await good(), 503, 'ERR_CLIENTELE_COUNTER')
      expect(lookups).toEqual([])
      expect((await good([], '/open')).status).toBe(200)
    })
  })

  describe('#29 one caller, one address', () => {
    const three = { requests: 3, windowSeconds: 3600 }
    const routes: Routes = { 'ALL /': (on) => [on.controlSpikes({ by: 'address', limit: three })] }
    async function statusesOf(fields: readonly Headers[]): Promise<number[]> {
      const statuses: number[] = []
      for (const each of fields) statuses.push((await ask(each)).status)
      return statuses
    }
    const sent = (...values: string[]): Headers => values.map((value) => ['X-Forwarded-For', value] as const)
    const forged: readonly Headers[] = [
      sent('1.1.1.1'),
      sent('1.1.1.2', '1.1.1.3'),
      sent('127.0.0.1'),
      [['Forwarded', 'for=1.1.1.4']],
      [['X-Real-IP', '1.1.1.5']],
      [['CF-Connecting-IP', '1.1.1.6']],
      [['True-Client-IP', '1.1.1.7']],
      [['X-Client-IP', '1.1.1.8']],
    ]

    it('no header makes another one of a peer who is no proxy', async () => {
      await start(routes, { trustedProxies: 'none' })
      expect(await statusesOf(forged)).toEqual([200, 200, 200, 429, 429, 429, 429, 429])
      await server?.close()
      await start(routes, { trustedProxies: ['10.0.0.0/8', 'unix'] })
      expect(await statusesOf(forged)).toEqual([200, 200, 200, 429, 429, 429, 429, 429])
    })

    it('what a caller writes before the proxy does not make another one of him', async () => {
      await start(routes)
      const tries = ['1.1.1.1', '127.0.0.1', '10.0.0.1, 127.0.0.1', '::1', 'x', '"', '1.1.1.1,'].map((own) =>
        sent(`${own}, 203.0.113.66`),
      )
      expect(await statusesOf(tries)).toEqual([200, 200, 200, 429, 429, 429, 429])
      expect(await statusesOf([sent('203.0.113.66', '198.51.100.1')])).toEqual([200])
    })

    it.each([
      [
        'IPv4',
        [
          '203.0.113.66',
          '203.0.113.66:4711',
          '::ffff:203.0.113.66',
          '[::FFFF:cb00:7142]:80',
          '0:0:0:0:0:ffff:203.0.113.66',
          '::ffff:203.0.113.66%eth0',
        ],
        '203.0.113.67',
      ],
      [
        'IPv6',
        [
          '2001:db8::1',
          '[2001:DB8:0::2]:443',
          '2001:0db8:0000:0000:0000:0000:0000:0003%eth0',
          '2001:db8::ffff:ffff:ffff:ffff',
          '[2001:db8::1%25a]',
          '2001:db8::1%b',
        ],
        '2001:db8:0:1::1',
      ],
    ])('the forms of one %s address are one', async (_name, forms, other) => {
      await start(routes)
      expect(await statusesOf(forms.map((form) => sent(form)))).toEqual([200, 200, 200, 429, 429, 429])
      expect(await statusesOf([sent(other)])).toEqual([200])
    })

    it('what is no address counts with the proxy that named it, and with nobody else', async () => {
      await start(routes)
      const junk = ['x', '', '0x7f.0.0.1', '010.0.0.1', '2130706433', '1.1.1.1 2.2.2.2'].map((form) => sent(form))
      expect(await statusesOf(junk)).toEqual([200, 200, 200, 429, 429, 429])
      expect(await statusesOf([[...elsewhere]])).toEqual([200])
    })
  })

  describe('where it stands', () => {
    it('by client it counts whom a policy has identified, and is a fault before one', async () => {
      const control: ControlSpikesOptions = { by: 'client', limit: { requests: 2, windowSeconds: 3600 } }
      await start({
        'ALL /': (on) => [on.enforceClientId(), on.controlSpikes(control)],
        'ALL /before': (on) => [on.controlSpikes(control), on.enforceClientId()],
      })
      const fields = Object.entries({ ...wrong(), ...attacker })
      for (let index = 0; index < 5; index += 1) expectRefusal(await ask(fields), 401, 'client_invalid')
      const statuses = [await good(), await good([['X-Forwarded-For', '198.51.100.2']]), await good()]
      expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
      expect((await good(elsewhere, '/before')).json).toMatchObject({ code: 'ERR_CLIENTELE_NOT_PROTECTED' })
    })

    it('by route it counts everybody who comes to its handler, once each', async () => {
      let shared: object | undefined
      await start({
        'ALL /': (on) => [(shared ??= on.controlSpikes({ by: 'route', limit })), shared],
        'ALL /same': () => [shared ?? {}],
        'ALL /other': (on) => [on.controlSpikes({ by: 'route', limit })],
      })
      const statuses: number[] = []
      for (let index = 0; index < 12; index += 1) {
        const from: Headers = [['X-Forwarded-For', `198.51.100.${index}`]]
        statuses.push((await ask(from, index % 2 === 0 ? '/' : '/same')).status)
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429])
      expect((await ask([], '/other')).status).toBe(200)
    })

    it('is no branch of anyOf', async () => {
      let error: unknown
      await start({
        'ALL /': (on) => {
          try {
            on.anyOf(on.enforceClientId(), on.controlSpikes(guessing) as never)
          } catch (thrown) {
            error = thrown
          }
          return []
        },
      })
      expect(error).toMatchObject({
        code: 'ERR_CLIENTELE_OPTIONS',
        message: expect.stringContaining('not controlSpikes') as string,
      })
    })
  })
})
