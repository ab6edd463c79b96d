import { connect } from 'node:net'
import Router from '@koa/router'
import {
  basicAuth,
  defineTier,
  headers,
  memoryStore,
  query,
  registerClient,
  requestContract,
  type ContractStore,
} from 'clientele'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5, { type Express } from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Admission } from '../../src/decisions/admission.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, listen, listenerOf, type Running } from '../support/frameworks.js'
import { between, clienteleFor, codeOf, expectRefusal, type Headers, type Routes } from './attacked.js'

const actor = 'test'

interface Registered {
  readonly id: string
  readonly fields: Headers
}

/** A client with approved contracts for the APIs named, each on a tier of its own with `requests` a minute. */
async function registered(store: ContractStore, apis: Readonly<Record<string, number>>): Promise<Registered> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  for (const [api, requests] of Object.entries(apis)) {
    const limits = [{ requests, windowSeconds: 60, algorithm: 'fixed' as const }]
    const name = `tier-${requests}`
    await defineTier(store, { api, name, approval: 'automatic', limits, actor })
    await requestContract(store, { client: client.id, api, tier: name, actor })
  }
  return {
    id: client.id,
    fields: [
      ['client_id', clientId],
      ['client_secret', clientSecret],
    ],
  }
}

const admissionOf = (answer: Answer): Admission | undefined => (answer.json as { admission?: Admission }).admission

describe.each(frameworks)('$name', (framework) => {
  let store: ContractStore
  beforeEach(() => {
    store = memoryStore()
  })

  describe('#46 two clientele() in one chain', () => {
    it('#46 the limit of API B after an identification for API A is a fault, whatever contract stands for B', async () => {
      const both = await registered(store, { orders: 5, stock: 5 })
      const only = await registered(store, { orders: 5 })
      const stock = clienteleFor(framework, { api: 'stock', store })
      const routes: Routes = {
        'ALL /crossed': (on) => [on.enforceClientId(), stock.limitBySla()],
        'ALL /late': (on) => [on.enforceClientId(), stock.limitBySla(), stock.enforceClientId()],
        'ALL /good': (on) => [on.enforceClientId(), on.limitBySla()],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      for (const { fields } of [both, only]) {
        for (const path of ['/crossed', '/late']) {
          const answer = await call(server.url, { path, headers: fields })
          expect(codeOf(answer)).toEqual([500, 'ERR_CLIENTELE_NOT_PROTECTED'])
        }
        expect((await call(server.url, { path: '/good', headers: fields })).status).toBe(200)
      }
      await server.close()
    })

    it('#46 each asks for its own contract and charges its own tier', async () => {
      const both = await registered(store, { orders: 3, stock: 2 })
      const only = await registered(store, { orders: 3 })
      const stock = clienteleFor(framework, { api: 'stock', store })
      const routes: Routes = {
        'ALL /both': (on) => [on.enforceClientId(), stock.enforceClientId(), on.limitBySla(), stock.limitBySla()],
        'ALL /orders': (on) => [on.enforceClientId(), on.limitBySla()],
        'ALL /stock': () => [stock.enforceClientId(), stock.limitBySla()],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      const ask = ({ fields }: Registered, path: string) => call(server.url, { path, headers: fields })
      expectRefusal(await ask(only, '/both'), 403, 'contract_missing')
      const answer = await ask(both, '/both')
      expect(admissionOf(answer)).toMatchObject({ api: 'orders', tier: { name: 'tier-3' }, usage: { remaining: 2 } })
      expect((await ask(both, '/stock')).status).toBe(200)
      expectRefusal(await ask(both, '/stock'), 429, 'limit_exceeded')
      expect((await ask(both, '/orders')).status).toBe(200)
      expect((await ask(both, '/orders')).status).toBe(200)
      expectRefusal(await ask(both, '/orders'), 429, 'limit_exceeded')
      // The refusal of one API is final, whatever the other one thinks.
      expectRefusal(await ask(only, '/stock'), 403, 'contract_missing')
      expect((await ask(only, '/orders')).status).toBe(200)
      await server.close()
    })

    it('#46 two for one API, in one chain, want one client and count it once for both', async () => {
      const [first, other] = [await registered(store, { orders: 2 }), await registered(store, { orders: 2 })]
      const second = clienteleFor(framework, { api: 'orders', store })
      const routes: Routes = {
        'ALL /chain': (on) => [
          on.enforceClientId({ from: [headers()] }),
          second.enforceClientId({ from: [basicAuth()] }),
          second.limitBySla(),
        ],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      const basic = ({ fields }: Registered): Headers => [
        ['Authorization', `Basic ${Buffer.from(fields.map(([, value]) => value).join(':')).toString('base64')}`],
      ]
      const ask = (fields: Headers) => call(server.url, { path: '/chain', headers: fields })
      expectRefusal(await ask([...first.fields, ...basic(other)]), 400, 'credentials_ambiguous')
      expectRefusal(await ask(first.fields), 401, 'credentials_missing')
      expectRefusal(await ask(basic(first)), 401, 'credentials_missing')
      const statuses: number[] = []
      for (let index = 0; index < 3; index += 1) statuses.push((await ask([...first.fields, ...basic(first)])).status)
      expect(statuses).toEqual([200, 200, 429])
      expect((await ask([...other.fields, ...basic(other)])).status).toBe(200)
      await server.close()
    })
  })

  describe('#46 a handler that writes to an admission', () => {
    const writes: readonly (readonly [name: string, write: (carrier: { clientele?: unknown }) => void])[] = [
      ['the view, whole', (carrier) => (carrier.clientele = { api: 'orders', client: { id: 'mallory' } })],
      ['the view, taken away', (carrier) => Reflect.deleteProperty(carrier, 'clientele')],
      [
        'the view, defined anew',
        (carrier) => Object.defineProperty(carrier, 'clientele', { value: { api: 'orders', client: 'mallory' } }),
      ],
      ['the client', (carrier) => ((carrier.clientele as { client: unknown }).client = { id: 'mallory' })],
      ['the ID of the client', (carrier) => ((carrier.clientele as { client: { id: string } }).client.id = 'mallory')],
      [
        'the identity of the client',
        (carrier) =>
          ((carrier.clientele as { client: { identity: { clientId: string } } }).client.identity.clientId = 'mallory'),
      ],
      ['the tier', (carrier) => ((carrier.clientele as { tier: unknown }).tier = undefined)],
      [
        'a limit',
        (carrier) =>
          ((carrier.clientele as { tier: { limits: { requests: number }[] } }).tier.limits[0] = { requests: 1e9 }),
      ],
      [
        'the ceiling of a limit',
        (carrier) => {
          const [limit] = (carrier.clientele as { tier: { limits: { requests: number }[] } }).tier.limits
          if (limit !== undefined) limit.requests = 1e9
        },
      ],
      [
        'the contract',
        (carrier) => ((carrier.clientele as { contract: { client: string } }).contract.client = 'victim'),
      ],
    ]

    it.each(writes)('#46 changes nothing: %s', async (_name, write) => {
      const client = await registered(store, { orders: 2 })
      let attempts = 0
      const tamper = between(framework, (carrier) => {
        attempts += 1
        try {
          write(carrier)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      })
      const routes: Routes = {
        'ALL /written': (on) => [on.enforceClientId(), tamper, on.limitBySla(), tamper],
        'ALL /clean': (on) => [on.enforceClientId(), on.limitBySla()],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      const ask = (path: string) => call(server.url, { path, headers: client.fields })
      const answer = await ask('/written')
      expect(answer.status, answer.text).toBe(200)
      expect(admissionOf(answer)).toMatchObject({
        api: 'orders',
        client: { id: client.id },
        contract: { client: client.id },
        tier: { name: 'tier-2', limits: [{ requests: 2 }] },
        usage: { remaining: 1 },
      })
      expect(attempts).toBe(2)
      // Nor for the requests that come after, which share the records.
      const clean = await ask('/clean')
      expect(admissionOf(clean)).toMatchObject({ client: { id: client.id }, usage: { remaining: 0 } })
      expectRefusal(await ask('/written'), 429, 'limit_exceeded')
      await server.close()
    })

    it('#46 an admission made up between two policies is not taken for one', async () => {
      const client = await registered(store, { orders: 2 })
      const made = Object.freeze({ api: 'orders', authenticated: true, client: { id: client.id }, tier: {} })
      const forge = between(framework, (carrier) => {
        Object.assign(carrier, { clientele: made, admission: made })
        for (const key of ['req', 'request', 'state', 'locals']) {
          const inner = (carrier as Record<string, unknown>)[key]
          if (typeof inner === 'object' && inner !== null) Object.assign(inner, { clientele: made })
        }
      })
      const routes: Routes = {
        'ALL /forged': (on) => [forge, on.limitBySla()],
        'ALL /good': (on) => [forge, on.enforceClientId(), on.limitBySla()],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      expect(codeOf(await call(server.url, { path: '/forged' }))).toEqual([500, 'ERR_CLIENTELE_NOT_PROTECTED'])
      expectRefusal(await call(server.url, { path: '/good' }), 401, 'credentials_missing')
      expect((await call(server.url, { path: '/good', headers: client.fields })).status).toBe(200)
      await server.close()
    })
  })

  describe('#44 methods', () => {
    it('#44 HEAD, OPTIONS and every other method are asked for credentials, and are charged', async () => {
      const client = await registered(store, { orders: 100 })
      const routes: Routes = {
        'ALL /all': (on) => [on.enforceClientId({ from: [headers(), query()] }), on.limitBySla()],
      }
      const server = await framework.start({ api: 'orders', store }, { routes })
      let left = 100
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const refused = await call(server.url, { method, path: '/all' })
        expect([method, refused.status]).toEqual([method, 401])
        expect(refused.fields('www-authenticate')).toHaveLength(1)
        if (method === 'HEAD') expect(refused.text).toBe('')
        else expectRefusal(refused, 401, 'credentials_missing')
        const served = await call(server.url, { method, path: '/all', headers: client.fields })
        left -= 1
        expect([method, served.status, served.headers.ratelimit]).toEqual([
          method,
          200,
          expect.stringContaining(`r=${left};`),
        ])
      }
      await server.close()
    })

    it('#44 HEAD on a GET route is guarded, and OPTIONS does not reach its handler', async () => {
      const client = await registered(store, { orders: 100 })
      let reached = 0
      const handler = between(framework, () => (reached += 1))
      const routes: Routes = { 'GET /get': (on) => [on.enforceClientId(), handler] }
      const server = await framework.start({ api: 'orders', store }, { routes })
      const head = await call(server.url, { method: 'HEAD', path: '/get' })
      expect([head.status, head.text]).toEqual([401, ''])
      await call(server.url, { method: 'OPTIONS', path: '/get' })
      for (const method of ['POST', 'PUT', 'DELETE']) await call(server.url, { method, path: '/get' })
      expect(reached).toBe(0)
      expect((await call(server.url, { method: 'HEAD', path: '/get', headers: client.fields })).status).toBe(200)
      expect(reached).toBe(1)
      await server.close()
    })

    it('#44 a method or a protocol that is only claimed changes nothing', async () => {
      const client = await registered(store, { orders: 100 })
      const routes: Routes = { 'ALL /all': (on) => [on.enforceClientId()] }
      // As people write it who forget cors(): and nobody may get in by it.
      const skip = ({ method }: { readonly method: string }): boolean => method === 'OPTIONS'
      const server = await framework.start({ api: 'orders', store, skip }, { routes })
      const claims: Headers[] = [
        [['X-HTTP-Method-Override', 'OPTIONS']],
        [['X-HTTP-Method', 'OPTIONS']],
        [['X-Method-Override', 'OPTIONS']],
        [['X-Original-URL', '/open']],
        [['X-Rewrite-URL', '/open']],
        [
          ['Upgrade', 'websocket'],
          ['Sec-WebSocket-Version', '13'],
          ['Sec-WebSocket-Key', 'eA=='],
        ],
        [['Expect', '100-continue']],
      ]
      for (const claim of claims) {
        for (const method of ['GET', 'POST']) {
          const path = '/all?_method=OPTIONS'
          expectRefusal(await call(server.url, { method, path, headers: claim }), 401, 'credentials_missing')
          expect((await call(server.url, { method, path, headers: [...claim, ...client.fields] })).status).toBe(200)
        }
      }
      await server.close()
    })
  })
})

/** Request targets by which a path may be taken for another one; `/api/orders` is the one that is guarded. */
const targets = [
  '/api/orders',
  '/api/orders/',
  '/api/orders?x=1',
  '/api/orders?',
  '/api/orders#x',
  '/API/orders',
  '/Api/Orders',
  '/%61pi/orders',
  '/api/%6frders',
  '/api/%6Frders/',
  '/%2561pi/orders',
  '//api/orders',
  '/api//orders',
  '///api/orders',
  '/./api/orders',
  '/api/./orders',
  '/api/../api/orders',
  '/x/../api/orders',
  '/x/%2e%2e/api/orders',
  '/api%2forders',
  '/api%2Forders',
  '/api%5corders',
  '\\api\\orders',
  '/api\\orders',
  '/api;x=1/orders',
  '/api/orders;x=1',
  '/api/orders%00',
  '/api/orders%20',
  '/api/orders.',
  '/api/%',
  '/api/orders%',
  '/api/orders%ff',
  'http://127.0.0.1/api/orders',
  'http://elsewhere.example/api/orders',
  'http://elsewhere.example//api/orders',
  '*',
]

const apps: readonly (readonly [name: string, listener: (store: ContractStore) => Parameters<typeof listen>[0]])[] = [
  ...(
    [
      ['Express 5', express5],
      ['Express 4', express4],
    ] as const
  ).flatMap(([name, express]) => {
    const build = (guard: (app: Express, store: ContractStore) => void) => (store: ContractStore) => {
      const app = express()
      guard(app, store)
      app.use((_error: unknown, _req: unknown, res: express5.Response, _next: unknown) => void res.status(500).end())
      return app
    }
    const reached = (_req: unknown, res: express5.Response): void => void res.send('reached')
    return [
      [
        `${name}, a router with its guard`,
        build((app, store) => {
          const router = express.Router()
          router.use(forExpress({ api: 'orders', store }).enforceClientId())
          router.all('/orders', reached)
          app.use('/api', router)
        }),
      ],
      [
        `${name}, guard and handler under one path`,
        build((app, store) => {
          app.use('/api', forExpress({ api: 'orders', store }).enforceClientId())
          app.all('/api/orders', reached)
        }),
      ],
      [
        `${name}, a guard before everything`,
        build((app, store) => {
          app.use(forExpress({ api: 'orders', store }).enforceClientId(), reached)
        }),
      ],
    ] as const
  }),
  ...(
    [
      ['Koa 3', Koa3],
      ['Koa 2', Koa2],
    ] as const
  ).flatMap(([name, Koa]) => {
    const build = (guard: (app: Koa3, store: ContractStore) => void) => (store: ContractStore) => {
      const app = new Koa()
      app.silent = true
      guard(app, store)
      return listenerOf(app)
    }
    const reached = (context: { body: unknown }): void => void (context.body = 'reached')
    return [
      [
        `${name}, a guard on each route of a router`,
        build((app, store) => {
          const router = new Router({ prefix: '/api' })
          router.all('/orders', forKoa({ api: 'orders', store }).enforceClientId() as never, reached)
          app.use(router.routes())
        }),
      ],
      [
        // Without `sensitive`, @koa/router 15 compares the prefix of a guard with regard to case and that of a route
        // without: a guard in `router.use` is then passed by in capital letters.
        `${name}, a router that minds case, with its guard`,
        build((app, store) => {
          const router = new Router({ prefix: '/api', sensitive: true })
          router.use(forKoa({ api: 'orders', store }).enforceClientId() as never)
          router.all('/orders', reached)
          app.use(router.routes())
        }),
      ],
      [
        `${name}, a guard by path in a router`,
        build((app, store) => {
          const router = new Router()
          router.use('/api', forKoa({ api: 'orders', store }).enforceClientId() as never)
          router.all('/api/orders', reached)
          app.use(router.routes())
        }),
      ],
      [
        `${name}, an application mounted with its guard`,
        build((app, store) => {
          const inner = new Koa()
          inner.use(forKoa({ api: 'orders', store }).enforceClientId())
          inner.use(reached)
          app.use(mount('/api', inner))
        }),
      ],
      [
        `${name}, a guard before everything`,
        build((app, store) => {
          app.use(forKoa({ api: 'orders', store }).enforceClientId())
          app.use(reached)
        }),
      ],
    ] as const
  }),
]

/** One request with the target as it stands: `node:http` would refuse some of them. */
function raw({ url }: Running, method: string, target: string, fields: Headers = []): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      resolve(text)
    })
    const lines = [`${method} ${target} HTTP/1.1`, `Host: ${hostname}`, 'Connection: close']
    socket.write([...lines, ...fields.map((field) => field.join(': ')), '', ''].join('\r\n'), 'latin1')
  })
}

describe.each(apps)('%s', (name, listenerFor) => {
  it('#44 no spelling of a path reaches the handler without credentials', async () => {
    const store = memoryStore()
    const client = await registered(store, { orders: 1000 })
    const server = await listen(listenerFor(store))
    const served: string[] = []
    for (const target of targets) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const answer = await raw(server, method, target)
        expect(answer, target).toMatch(/^HTTP\/1\.1 [2-5]\d\d /)
        expect([target, answer.includes('reached')]).toEqual([target, false])
      }
      if ((await raw(server, 'GET', target, client.fields)).includes('reached')) served.push(target)
      expect(await raw(server, 'GET', '/api/orders', client.fields)).toContain('reached')
    }
    // With credentials some spellings do reach it, so that there was something to guard.
    expect(served).toEqual(expect.arrayContaining(['/api/orders', '/api/orders?x=1']))
    expect(served.length).toBeGreaterThan(name.includes('everything') ? 20 : 2)
    await server.close()
  })
})
