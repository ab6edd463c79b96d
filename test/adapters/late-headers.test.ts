import { headers, query, type ContractStore, type Policy } from 'clientele'
import { clientele } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5, { type NextFunction, type Request, type Response } from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import onHeaders from 'on-headers'
import { createServer, connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withHeaders, type Clients } from '../conversations/client-id.js'
import { call, type Answer } from '../support/call.js'
import { listen, listenerOf, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

let store: ContractStore
let clients: Clients
let running: Running[]

beforeEach(async () => {
  const seeded = await seededStore()
  store = seeded.store
  clients = seeded.clients
  running = []
})

afterEach(() => Promise.all(running.map((each) => each.close())))

async function good(app: Parameters<typeof listen>[0], path = '/'): Promise<Answer> {
  const server = await listen(app)
  running.push(server)
  const { clientId, clientSecret } = clients.approved
  return call(server.url, { path, headers: withHeaders(clientId, clientSecret) ?? [] })
}

const publicly = (_req: Request, res: Response): void => {
  res.set('Cache-Control', 'public, max-age=60').json({})
}

function expectPrivate(answer: Answer): void {
  expect(answer.status, answer.text).toBe(200)
  expect(answer.headers['cache-control']).toMatch(/^private/)
  expect(answer.headers.vary).toContain('client_id')
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s: an answer stays private', (_name, express) => {
  it('to the very first request, behind somebody who has wrapped writeHead before', async () => {
    const app = express()
    app.use((_req, res, next) => {
      onHeaders(res, () => undefined)
      next()
    })
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), publicly)
    expectPrivate(await good(app))
  })

  it('when somebody puts another list of raw fields in the place of the first', async () => {
    const app = express()
    const { enforceClientId, admissionOf } = clientele({ api: 'orders', store })
    app.get('/', enforceClientId(), (req, res) => {
      req.rawHeaders = [...req.rawHeaders]
      admissionOf(req, 'client')
      publicly(req, res)
    })
    expectPrivate(await good(app))
  })

  it('when the policy stands in an application that hands the request back', async () => {
    const guard = express()
    guard.use(clientele({ api: 'orders', store }).enforceClientId())
    const app = express()
    app.use(guard)
    const views: unknown[] = []
    app.get('/', (req, res) => {
      views.push(req.clientele?.client?.name, Object.keys(req.headersDistinct))
      publicly(req, res)
    })
    const answer = await good(app)
    expectPrivate(answer)
    expect(views[0]).toBe('approved')
    expect(views[1]).not.toContain('client_secret')
  })

  it('when an application is called as a function', async () => {
    const inner = express()
    inner.get('/', publicly)
    const app = express()
    app.use(clientele({ api: 'orders', store }).enforceClientId())
    app.use((req: Request, res: Response, next: NextFunction) => {
      inner(req, res, next)
    })
    expectPrivate(await good(app))
  })

  it('when the handler names fields to writeHead, in each of their forms', async () => {
    for (const fields of [{ 'Cache-Control': 'public' }, ['Cache-Control', 'public'], [['Cache-Control', 'public']]]) {
      const app = express()
      app.get('/', clientele({ api: 'orders', store }).enforceClientId(), (_req, res) => {
        res.writeHead(200, 'Fine', fields as never).end()
      })
      expectPrivate(await good(app))
    }
  })

  it('when the application has a writeHead of its own, which is still called, once', async () => {
    const app = express()
    let times = 0
    Object.assign(app.response, {
      writeHead(this: Response, ...parameters: [number]) {
        times += 1
        const own = Object.getPrototypeOf(app.response) as Response
        return own.writeHead.apply(this, parameters)
      },
    })
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), (_req, res) => {
      res.writeHead(200, { 'Cache-Control': 'public' }).end()
    })
    expectPrivate(await good(app))
    expect(times).toBe(1)
  })

  it('when writing failed once and an error page comes instead', async () => {
    const app = express()
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), (_req, res) => {
      res.statusCode = 99_999
      res.set('Cache-Control', 'public').end()
    })
    app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
      res.statusCode = 200
      res.set('Cache-Control', 'public').end()
    })
    expectPrivate(await good(app))
  })

  it('for caches with fields and exceptions of their own', async () => {
    const app = express()
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), (_req, res) => {
      res.set('CDN-Cache-Control', 'max-age=60').set('Cache-Control', 'must-understand, no-store').end()
    })
    const answer = await good(app)
    expect(answer.headers['cache-control']).toBe('private, no-store')
    expect(answer.headers['cdn-cache-control']).toBe('no-store')
  })
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('%s: a secret is gone', (_name, express) => {
  it('from what Node remembers when somebody has looked at headersDistinct before', async () => {
    const app = express()
    app.use((req, _res, next) => {
      req.app.set('seen', req.headersDistinct.host)
      next()
    })
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), (req, res) => {
      res.send(inspect(req, { depth: 6, showHidden: true }))
    })
    const answer = await good(app)
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain(clients.approved.clientSecret)
  })

  it('or the request is not handed on, where its fields are frozen', async () => {
    const app = express()
    app.use((req, _res, next) => {
      Object.freeze(req.headers)
      next()
    })
    app.get('/', clientele({ api: 'orders', store }).enforceClientId(), publicly)
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).send(error.message)
    })
    const answer = await good(app)
    expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('delete')])
  })

  it('where a second question mark would hide its name', async () => {
    const app = express()
    app.get('/', clientele({ api: 'orders', store }).enforceClientId({ from: [query()] }), publicly)
    const server = await listen(app)
    running.push(server)
    const { clientId, clientSecret } = clients.approved
    const answer = await call(server.url, { path: `/??client_secret=${clientSecret}&client_id=${clientId}` })
    expect(answer.status).toBe(401)
    const nested = await call(server.url, { path: `/?client_secret=${clientSecret}&[client_id]=${clientId}` })
    expect(nested.status).toBe(400)
  })
})

describe('Koa', () => {
  it('forgets the queries that it has parsed, whose keys hold the secret', async () => {
    const app = new Koa3()
    app.use(async (ctx, next) => {
      ctx.state.seen = ctx.query.a
      await next()
    })
    app.use(forKoa({ api: 'orders', store }).enforceClientId({ from: [query()] }))
    app.use((ctx) => {
      ctx.body = inspect(ctx.request, { depth: 6, showHidden: true })
    })
    const server = await listen(listenerOf(app))
    running.push(server)
    const { clientId, clientSecret } = clients.approved
    const answer = await call(server.url, { path: `/?client_id=${clientId}&client_secret=${clientSecret}` })
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain(clientSecret)
  })

  it('admits, strips and stays private over HTTP/2', async () => {
    const app = new Koa3()
    app.use(forKoa({ api: 'orders', store }).enforceClientId({ from: [headers()] })).use((ctx) => {
      ctx.body = JSON.stringify([ctx.headers, ctx.req.rawHeaders])
    })
    const server = createServer(listenerOf(app) as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const { clientId, clientSecret } = clients.approved
    const stream = session.request({ ':path': '/', client_id: clientId, client_secret: clientSecret })
    const [status, cacheControl] = await new Promise<unknown[]>((resolve) => {
      stream.on('response', (fields) => {
        resolve([fields[':status'], fields['cache-control']])
      })
    })
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    session.close()
    server.close()
    expect([status, cacheControl]).toEqual([200, 'private'])
    expect(Buffer.concat(chunks).toString()).toContain(clientId)
    expect(Buffer.concat(chunks).toString()).not.toContain(clientSecret)
  })
})

describe('hooks that give promises', () => {
  it('reject into a warning, not into the process', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    const rejects = (): Promise<never> => Promise.reject(new Error('hook'))
    const own: Policy = {
      name: 'own',
      decide: () => ({
        kind: 'admitted',
        admission: { api: 'orders', authenticated: false },
        settle: rejects,
      }),
    }
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- what a mistaken hook does
    const on = clientele({ api: 'orders', store, onDecision: rejects })
    const app = express5()
    app.get('/', on.enforceClientId(), on.enforce(own), publicly)
    expect((await good(app)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 30))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })

  it('are no answer to skip(), and end no process', async () => {
    const app = express5()
    app.get(
      '/',
      clientele({ api: 'orders', store, skip: (() => Promise.reject(new Error('x'))) as never }).enforceClientId(),
      publicly,
    )
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => {
      res.status(500).send(error.message)
    })
    expect(await good(app)).toMatchObject({ status: 500, text: expect.stringContaining('at once') as string })
  })
})
