import Router from '@koa/router'
import { ClienteleFault, query, RefusalError, type ContractReader, type ContractStore } from 'clientele'
import { clientele } from 'clientele/koa'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import bodyParser from 'koa-bodyparser'
import mount from 'koa-mount'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Outcome, Policy } from '../../src/decisions/policy.js'
import { withHeaders, type Clients } from '../conversations/client-id.js'
import { call, type Answer, type Call } from '../support/call.js'
import { listen, listenerOf, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

describe.each([
  ['Koa 3', Koa3],
  ['Koa 2', Koa2],
])('%s', (_name, Koa) => {
  let store: ContractStore
  let clients: Clients
  let app: Koa3
  let running: Running[]

  beforeEach(async () => {
    const seeded = await seededStore(undefined, 2)
    store = seeded.store
    clients = seeded.clients
    app = new Koa()
    app.silent = true
    running = []
  })

  afterEach(() => Promise.all(running.map((each) => each.close())))

  async function ask(request: Call): Promise<Answer> {
    const server = running[0] ?? (await listen(listenerOf(app)))
    running[0] = server
    return call(server.url, request)
  }
  const good = (path: string, more: Partial<Call> = {}): Promise<Answer> =>
    ask({ path, headers: withHeaders(clients.approved.clientId, clients.approved.clientSecret) ?? [], ...more })
  const ok = (ctx: Koa3.Context): void => {
    ctx.body = { ok: true }
  }

  it('charges once, however often its router matches', async () => {
    const { enforceClientId, limitBySla } = clientele({ api: 'orders', store })
    const [identify, limit] = [enforceClientId(), limitBySla()]
    app.use(identify).use(limit).use(identify).use(limit).use(ok)
    const answers = [await good('/'), await good('/'), await good('/')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  it('keeps the admissions of several APIs apart', async () => {
    const orders = clientele({ api: 'orders', store })
    const stock = clientele({ api: 'stock', store })
    const router = new Router()
    router.get('/both', orders.enforceClientId(), stock.limitBySla(), ok)
    router.get('/orders', orders.enforceClientId(), (ctx) => {
      ctx.body = { orders: orders.admissionOf(ctx).api }
    })
    router.get('/stock', stock.enforceClientId(), ok)
    app.use(router.routes())
    expect((await good('/orders')).json).toEqual({ orders: 'orders' })
    expect((await good('/both')).status).toBe(500)
    expect(await good('/stock')).toMatchObject({ status: 403, json: { code: 'contract_missing' } })
  })

  it('strips the secret below a mount path, whatever Koa has parsed before', async () => {
    const { enforceClientId } = clientele({ api: 'orders', store })
    const seen: unknown[] = []
    const look = (ctx: Koa3.Context): void => {
      seen.push([
        ctx.url,
        ctx.originalUrl,
        ctx.querystring,
        ctx.search,
        ctx.href,
        ctx.URL.search,
        { ...ctx.query },
        ctx.request.originalUrl,
      ])
    }
    app.use(async (ctx, next) => {
      look(ctx)
      seen.length = 0
      await next()
      look(ctx)
    })
    const inner = new Koa()
    inner.use(enforceClientId({ from: [query()] })).use((ctx) => {
      look(ctx)
      ctx.body = 'done'
    })
    app.use(mount('/a', inner))
    const { clientId, clientSecret } = clients.approved
    const answer = await ask({ path: `/a/deep?client_id=${clientId}&client_secret=${clientSecret}&q=1` })
    expect(answer.text).toBe('done')
    expect(seen).toHaveLength(2)
    expect(JSON.stringify(seen)).not.toContain(clientSecret)
    expect(JSON.stringify(seen[1])).toContain(`/a/deep?client_id=${clientId}&q=1`)
  })

  it.each(['before', 'after'])('lets a body parser stand %s the policy', async (where) => {
    const { enforceClientId } = clientele({ api: 'orders', store })
    if (where === 'before') app.use(bodyParser())
    app.use(enforceClientId())
    if (where === 'after') app.use(bodyParser())
    app.use((ctx) => {
      ctx.body = (ctx.request as unknown as { body: unknown }).body
    })
    const { clientId, clientSecret } = clients.approved
    const headers = withHeaders(clientId, clientSecret, [['content-type', 'application/json']]) ?? []
    expect((await ask({ method: 'POST', headers, body: '{"a":1}' })).json).toEqual({ a: 1 })
  })

  it("throws refusals to the application's own error handler, on request", async () => {
    const { enforceClientId } = clientele({ api: 'orders', store, onRefusal: 'forward' })
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        if (!(error instanceof RefusalError)) throw error
        ctx.status = error.status
        ctx.set(error.headers as Record<string, string>)
        ctx.body = { mine: error.code }
      }
    })
    app.use(enforceClientId())
    const answer = await ask({})
    expect([answer.status, answer.json, answer.headers['www-authenticate']]).toEqual([
      401,
      { mine: 'credentials_missing' },
      'Client-ID realm="orders"',
    ])
  })

  it('answers an outage with a 503 of its own, and lets what stands before it see the answer', async () => {
    const down: ContractReader = {
      findClient: () => Promise.reject(new Error('connection refused')),
      findContract: () => undefined,
      findTier: () => undefined,
    }
    const statuses: number[] = []
    app.use(async (ctx, next) => {
      await next()
      statuses.push(ctx.status)
    })
    app.use(clientele({ api: 'orders', store: down }).enforceClientId()).use(ok)
    const answer = await good('/')
    expect([answer.status, (answer.json as { code: string }).code, answer.headers['retry-after']]).toEqual([
      503,
      'ERR_CLIENTELE_STORE',
      '5',
    ])
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(statuses).toEqual([503])
  })

  it('reports a limit that nobody identified for', async () => {
    const faults: unknown[] = []
    app.on('error', (error) => faults.push(error))
    app.use(clientele({ api: 'orders', store }).limitBySla()).use(ok)
    expect((await ask({})).status).toBe(500)
    expect(faults).toEqual([expect.any(ClienteleFault)])
  })

  it('says so when a factory stands where its handler should', async () => {
    const { enforceClientId } = clientele({ api: 'orders', store })
    const messages: string[] = []
    app.on('error', (error: Error) => messages.push(error.message))
    app.use(enforceClientId as never).use(ok)
    expect((await ask({})).status).toBe(500)
    expect(messages).toEqual(['enforceClientId(): was mounted without being called; write enforceClientId()'])
  })

  it('counts the 401 that a handler throws after its caller has hung up', async () => {
    const { controlSpikes } = clientele({ api: 'orders', store, trustedProxies: 'none' })
    let looked = 0
    app.use(controlSpikes({ by: 'address', limit: { requests: 2, windowSeconds: 3600 }, count: 'failures' }))
    app.use(async (ctx) => {
      looked += 1
      await sleep(150)
      ctx.throw(401)
    })
    const server = await listen(listenerOf(app))
    running.push(server)
    for (let guess = 0; guess < 6; guess += 1) {
      await fetch(server.url, { signal: AbortSignal.timeout(40) }).catch(() => undefined)
      await sleep(200)
    }
    expect(looked).toBe(2)
  })

  it('settles when handler and response are both over', async () => {
    const outcomes: Outcome[] = []
    const own: Policy = {
      name: 'own',
      decide: () => ({
        kind: 'admitted',
        admission: Object.freeze({ api: 'orders', authenticated: false }),
        settle: (outcome) => outcomes.push(outcome),
      }),
    }
    app.use(clientele({ api: 'orders', store }).enforce(own)).use(ok)
    await ask({})
    await sleep(20)
    expect(outcomes).toEqual([{ status: 200, bytes: expect.any(Number) as number, aborted: false }])
  })
})
