import { ClienteleFault, RefusalError, type ContractReader, type ContractStore, type HttpRequest } from 'clientele'
import { clientele } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5, { type Express, type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Outcome, Policy } from '../../src/decisions/policy.js'
import { withHeaders, type Clients } from '../conversations/client-id.js'
import { call, type Answer, type Call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s', (_name, express) => {
  let store: ContractStore
  let clients: Clients
  let app: Express
  let running: Running[]

  beforeEach(async () => {
    const seeded = await seededStore(undefined, 2)
    store = seeded.store
    clients = seeded.clients
    app = express()
    running = []
  })

  afterEach(() => Promise.all(running.map((each) => each.close())))

  async function ask(request: Call): Promise<Answer> {
    const server = running[0] ?? (await listen(app))
    running[0] = server
    return call(server.url, request)
  }
  const good = (path: string, more: Partial<Call> = {}): Promise<Answer> =>
    ask({ path, headers: withHeaders(clients.approved.clientId, clients.approved.clientSecret) ?? [], ...more })
  const ok = (_req: Request, res: Response): void => {
    res.json({ ok: true })
  }

  it('charges once, however often its router matches', async () => {
    const { enforceClientId, limitBySla } = clientele({ api: 'orders', store })
    const guards = express.Router().use(enforceClientId(), limitBySla())
    app.use('/orders', guards)
    app.use('/orders', guards)
    app.use('/', guards)
    app.get('/orders', ok)
    const answers = [await good('/orders'), await good('/orders'), await good('/orders')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  it('keeps the admissions of several APIs apart', async () => {
    const orders = clientele({ api: 'orders', store })
    const stock = clientele({ api: 'stock', store })
    app.get('/both', orders.enforceClientId(), stock.limitBySla(), ok)
    app.get('/orders', orders.enforceClientId(), (req, res) => {
      res.json({ orders: orders.admissionOf(req).api, stock: attempt(() => stock.admissionOf(req)) })
    })
    app.get('/stock', stock.enforceClientId(), ok)
    app.use(faultsAsJson)
    expect((await good('/orders')).json).toEqual({ orders: 'orders', stock: 'ERR_CLIENTELE_NOT_PROTECTED' })
    // The limit of one API takes no admission of another.
    expect(await good('/both')).toMatchObject({ status: 500, json: { code: 'ERR_CLIENTELE_NOT_PROTECTED' } })
    expect(await good('/stock')).toMatchObject({ status: 403, json: { code: 'contract_missing' } })
  })

  it('shares one admission between two instances for one API, and charges each its own limit', async () => {
    const first = clientele({ api: 'orders', store })
    const second = clientele({ api: 'orders', store })
    app.get('/', first.enforceClientId(), second.limitBySla(), (req, res) => {
      res.json({
        same: first.admissionOf(req) === second.admissionOf(req),
        frozen: Object.isFrozen(first.admissionOf(req)),
      })
    })
    expect((await good('/')).json).toEqual({ same: true, frozen: true })
  })

  it('strips the secret below a mount path, and puts the URL together again above it', async () => {
    const { enforceClientId } = clientele({ api: 'orders', store })
    const { query } = await import('clientele')
    const router = express.Router().get('/deep', enforceClientId({ from: [query()] }), (req, _res, next) => {
      Object.assign(req, { below: [req.url, req.originalUrl, req.baseUrl] })
      next()
    })
    app.use('/a', router)
    app.use((req, res) => {
      res.json({ below: (req as unknown as { below: string[] }).below, above: [req.url, req.originalUrl] })
    })
    const { clientId, clientSecret } = clients.approved
    const answer = await ask({ path: `/a/deep?client_id=${clientId}&client_secret=${clientSecret}&q=1` })
    const kept = `?client_id=${clientId}&q=1`
    expect(answer.json).toEqual({
      below: [`/deep${kept}`, `/a/deep${kept}`, '/a'],
      above: [`/a/deep${kept}`, `/a/deep${kept}`],
    })
  })

  it.each(['before', 'after'])('lets a body parser stand %s the policy', async (where) => {
    const { enforceClientId } = clientele({ api: 'orders', store })
    if (where === 'before') app.use(express.json())
    app.use(enforceClientId())
    if (where === 'after') app.use(express.json())
    app.post('/', (req, res) => {
      res.json(req.body)
    })
    const { clientId, clientSecret } = clients.approved
    const headers = withHeaders(clientId, clientSecret, [['content-type', 'application/json']]) ?? []
    expect((await ask({ method: 'POST', headers, body: '{"a":1}' })).json).toEqual({ a: 1 })
    const refused = await ask({ method: 'POST', headers: [['content-type', 'application/json']], body: '{"a":1}' })
    expect(refused.status).toBe(401)
  })

  it("forwards refusals to the application's own error handler, on request", async () => {
    const { enforceClientId } = clientele({ api: 'orders', store, onRefusal: 'forward' })
    app.get('/', enforceClientId(), ok)
    app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
      if (!(error instanceof RefusalError)) {
        next(error)
        return
      }
      res
        .status(error.status)
        .set(error.headers as Record<string, string>)
        .json({ mine: error.code })
    })
    const answer = await ask({})
    expect([answer.status, answer.json, answer.headers['www-authenticate']]).toEqual([
      401,
      { mine: 'credentials_missing' },
      'Client-ID realm="orders"',
    ])
  })

  it('answers an outage with a 503 of its own, or forwards it on request', async () => {
    const down: ContractReader = {
      findClient: () => Promise.reject(new Error('connection refused')),
      findContract: () => undefined,
      findTier: () => undefined,
    }
    app.get('/reply', clientele({ api: 'orders', store: down }).enforceClientId(), ok)
    app.get('/forward', clientele({ api: 'orders', store: down, faults: 'forward' }).enforceClientId(), ok)
    app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      res.status(503).json({ fault: error instanceof ClienteleFault ? error.code : 'other' })
    })
    const reply = await good('/reply')
    expect([reply.status, (reply.json as { code: string }).code, reply.headers['retry-after']]).toEqual([
      503,
      'ERR_CLIENTELE_STORE',
      '5',
    ])
    expect(reply.headers['content-type']).toContain('application/problem+json')
    expect((await good('/forward')).json).toEqual({ fault: 'ERR_CLIENTELE_STORE' })
  })

  it('waits no longer than told for a store that hangs', async () => {
    const hanging: ContractReader = {
      findClient: () => new Promise(() => undefined),
      findContract: () => undefined,
      findTier: () => undefined,
    }
    app.get('/', clientele({ api: 'orders', store: hanging, storeTimeoutMs: 50 }).enforceClientId(), ok)
    expect((await good('/')).status).toBe(503)
  })

  it('skips what it is told to, and reshapes replies', async () => {
    const { enforceClientId } = clientele({
      api: 'orders',
      store,
      skip: ({ url, method }) => method === 'OPTIONS' || url === '/health',
      answer: (refusal, reply) => ({ ...reply, body: JSON.stringify({ error: refusal.code }) }),
    })
    app.use(enforceClientId())
    app.all('/{*any}'.replace('{*any}', express === express4 ? '*' : '{*any}'), ok)
    expect((await ask({ path: '/health' })).status).toBe(200)
    expect((await ask({ path: '/orders', method: 'OPTIONS' })).status).toBe(200)
    // A rule on the raw target is not fooled by other spellings of another one.
    for (const path of [
      '/health/',
      '/%68ealth',
      '/health/../orders',
      '//health',
      '/orders?/health',
      '/health%2f..%2forders',
    ]) {
      expect([path, (await ask({ path })).status]).toEqual([path, 401])
    }
    expect((await ask({ path: '/orders' })).json).toEqual({ error: 'credentials_missing' })
  })

  it('keeps to the options it was built with, whatever becomes of the object', async () => {
    const options = { api: 'orders', store }
    const { enforceClientId, limitBySla } = clientele(options)
    app.get('/', enforceClientId(), limitBySla(), ok)
    options.api = 'stock'
    expect((await good('/')).status).toBe(200)
  })

  it('names the place and the remedy of mistakes that types would have caught', async () => {
    const { anyOf, enforceClientId, limitBySla, enforce } = clientele({ api: 'orders', store })
    const wrong =
      (...branches: unknown[]) =>
      () =>
        anyOf(...(branches as Parameters<typeof anyOf>))
    expect(wrong(enforceClientId(), limitBySla())).toThrow(/argument 2: expected what .* returned, not limitBySla/)
    expect(wrong([enforceClientId()])).toThrow(/argument 1: .* not a list; write anyOf\(a, b\)/)
    expect(wrong(() => undefined)).toThrow(/argument 1: .* not something else/)
    const koa = forKoa({ api: 'orders', store })
    app.get('/koa', koa.enforceClientId() as never, ok)
    app.get('/nonsense', enforce({ name: 'own', decide: () => ({}) as never }), ok)
    app.use(faultsAsJson)
    expect((await ask({ path: '/nonsense' })).status).toBe(500)
  })

  it('says so when a factory stands where its handler should', async () => {
    const factories = [
      'enforceClientId',
      'validateJwt',
      'introspectToken',
      'anyOf',
      'limitBySla',
      'controlSpikes',
      'enforce',
    ] as const
    const handlers = clientele({ api: 'orders', store })
    for (const name of factories) app.get(`/${name}`, handlers[name] as never, ok)
    app.use(faultsAsJson)
    for (const name of factories) {
      const { status, text } = await ask({ path: `/${name}` })
      expect([status, text]).toEqual([500, expect.stringContaining('ERR_CLIENTELE_OPTIONS')])
      expect(() => (handlers[name] as (given: unknown) => unknown)({ rawHeaders: [] })).toThrow(
        `${name}(): was mounted without being called; write ${name}()`,
      )
    }
  })

  it('names three unknown options, and how many more there are', () => {
    const options = { a1: 1, b2: 2, c3: 3, d4: 4, e5: 5 } as object
    const build = () => clientele({ api: 'orders', store }).enforceClientId(options)
    expect(build).toThrow(/unknown option "a1".*"c3".*, and 2 more$/s)
    expect(build).not.toThrow(/d4|e5/)
  })

  it("hands the request to onDecision, for an ID of one's own", async () => {
    const seen: unknown[] = []
    const onDecision = (_event: unknown, { raw, url }: HttpRequest): void =>
      void seen.push([(raw as Request).path, url])
    app.get('/', clientele({ api: 'orders', store, onDecision }).enforceClientId(), ok)
    await ask({ path: '/?a=1' })
    expect(seen).toEqual([['/', '/?a=1']])
  })

  it('contains what hooks throw', async () => {
    const throwing = (): never => {
      throw new Error('hook')
    }
    const { enforceClientId } = clientele({ api: 'orders', store, answer: throwing, onDecision: throwing })
    app.get('/', enforceClientId(), ok)
    expect((await ask({})).status).toBe(401)
    expect((await good('/')).status).toBe(200)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'no'],
    ['a promise', Promise.resolve({})],
  ])('sends the reply as it was when answer() gives %s', async (_name, given) => {
    const { enforceClientId } = clientele({ api: 'orders', store, answer: () => given as never })
    app.get('/', enforceClientId(), ok)
    expect(await ask({})).toMatchObject({ status: 401, json: { code: 'credentials_missing' } })
  })

  it('gives a reply that cannot be written to the application', async () => {
    const slow: ContractReader = {
      findClient: () => sleep(1).then(() => undefined),
      findContract: () => undefined,
      findTier: () => undefined,
    }
    const answer = (): { status: number; fields: Record<string, string>; body: string } => ({
      status: 401,
      fields: { 'x-bad': 'a\nb' },
      body: '',
    })
    app.get('/', clientele({ api: 'orders', store: slow, answer }).enforceClientId(), ok)
    app.use(faultsAsJson)
    expect((await good('/')).status).toBe(500)
  })

  it('tells of every verdict', async () => {
    const events: unknown[] = []
    const { enforceClientId, limitBySla } = clientele({
      api: 'orders',
      store,
      onDecision: (event) => events.push(event),
    })
    app.get('/', enforceClientId(), limitBySla(), ok)
    await ask({})
    await good('/')
    expect(events).toEqual([
      { api: 'orders', policy: 'enforceClientId', verdict: 'refused', code: 'credentials_missing' },
      { api: 'orders', policy: 'enforceClientId', verdict: 'admitted', client: clients.approved.id },
      { api: 'orders', policy: 'limitBySla', verdict: 'admitted', client: clients.approved.id },
    ])
  })

  it('refuses two identifying policies in a row that name different clients', async () => {
    const { headers, basicAuth } = await import('clientele')
    const { enforceClientId } = clientele({ api: 'orders', store })
    app.get(
      '/',
      enforceClientId({ from: [headers()] }),
      enforceClientId({ from: [basicAuth()], secret: 'optional' }),
      ok,
    )
    const { approved, public: other } = clients
    const both = (id: string, secret: string) =>
      ask({
        headers:
          withHeaders(approved.clientId, approved.clientSecret, [
            ['Authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`],
          ]) ?? [],
      })
    expect((await both(approved.clientId, approved.clientSecret)).status).toBe(200)
    expect(await both(other.clientId, '')).toMatchObject({ status: 400, json: { code: 'credentials_ambiguous' } })
  })

  it("runs a policy of one's own, and settles when the response is over", async () => {
    const outcomes: Outcome[] = []
    const own: Policy = {
      name: 'own',
      decide: () => ({
        kind: 'admitted',
        admission: Object.freeze({ api: 'orders', authenticated: false }),
        fields: { 'X-Own': 'yes' },
        settle: (outcome) => outcomes.push(outcome),
      }),
    }
    const { enforce } = clientele({ api: 'orders', store })
    app.get('/', enforce(own), ok)
    expect((await ask({})).headers['x-own']).toBe('yes')
    await sleep(20)
    expect(outcomes).toEqual([{ status: 200, bytes: expect.any(Number) as number, aborted: false }])
  })

  it('leaves an answer alone that somebody else has begun', async () => {
    const slow: ContractReader = {
      findClient: () => sleep(60).then(() => undefined),
      findContract: () => undefined,
      findTier: () => undefined,
    }
    app.use((_req, res, next) => {
      setTimeout(() => res.status(504).end('timeout'), 20)
      next()
    })
    app.get('/', clientele({ api: 'orders', store: slow }).enforceClientId(), ok)
    expect([(await good('/')).text, (await ask({ path: '/none' })).status]).toEqual(['timeout', 404])
    await sleep(60)
  })
})

function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error instanceof ClienteleFault ? error.code : error
  }
}

function faultsAsJson(
  error: { status?: number; code?: string },
  _req: Request,
  res: Response,
  _next: NextFunction,
): void {
  res.status(error.status ?? 500).json({ code: error.code })
}
