import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import Router from '@koa/router'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5 from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import type { Handlers } from '../../src/adapters/handlers.js'
import type { ClienteleOptions } from '../../src/clientele.js'
import type { Admission } from '../../src/decisions/admission.js'

/** What a handler behind the policies sees: every form in which the frameworks keep a request. */
export interface Seen {
  readonly url: string | undefined
  readonly originalUrl: string
  readonly query: unknown
  readonly headers: Record<string, unknown>
  readonly rawHeaders: readonly string[]
  readonly distinct: unknown
  readonly href?: string
  readonly admission: Admission | undefined
  readonly view: unknown
}

/** Routes by "METHOD /path"; each value makes the handlers that stand before the one that answers with `Seen`. */
export interface App<H extends object = object> {
  readonly routes: Record<string, (handlers: Handlers<H>) => readonly H[]>
  /** What the handler does to the response before it answers. */
  readonly touch?: (set: (name: string, value: string) => void) => void
  /** Fields that forge an admission before any policy runs. */
  readonly forge?: unknown
}

export interface Running {
  readonly url: string
  close(): Promise<void>
}

export interface Framework {
  readonly name: string
  /** `tls`: over https, with these settings. */
  start(options: ClienteleOptions, app: App, tls?: ServerOptions): Promise<Running>
}

export const frameworks: readonly Framework[] = [
  { name: 'Express 5', start: (options, app, tls) => start(expressApp(express5, options, app), tls) },
  {
    name: 'Express 4',
    start: (options, app, tls) => start(expressApp(express4, options, app), tls),
  },
  { name: 'Koa 3', start: (options, app, tls) => start(koaApp(Koa3, options, app), tls) },
  { name: 'Koa 2', start: (options, app, tls) => start(koaApp(Koa2, options, app), tls) },
]

export function listen(listener: RequestListener): Promise<Running> {
  return started(createServer(listener), 'http')
}

function start(listener: RequestListener, tls: ServerOptions | undefined): Promise<Running> {
  return tls === undefined ? listen(listener) : started(createTlsServer(tls, listener), 'https')
}

async function started(server: Server, protocol: 'http' | 'https'): Promise<Running> {
  // A line long enough for a thousand callers at once, which some tests send.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 2048, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${protocol}://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function split(route: string): [method: 'get' | 'post' | 'all', path: string] {
  const [method = 'GET', path = '/'] = route.split(' ')
  return [method.toLowerCase() as 'get', path]
}

type ExpressHandlers = Handlers<ReturnType<ReturnType<typeof forExpress>['enforceClientId']>>

function expressApp(
  express: typeof express5,
  options: ClienteleOptions,
  { routes, touch, forge }: App,
): RequestListener {
  const app = express()
  const handlers = forExpress(options)
  if (forge !== undefined) {
    app.use((req, _res, next) => {
      Object.assign(req, { clientele: forge })
      next()
    })
  }
  for (const [route, make] of Object.entries(routes)) {
    const [method, path] = split(route)
    const guards = make(handlers) as unknown as ReturnType<ExpressHandlers['limitBySla']>[]
    app[method](path, ...guards, (req, res) => {
      touch?.((name, value) => res.setHeader(name, value))
      res.json({
        ...nodeView(req),
        originalUrl: req.originalUrl,
        query: req.query,
        admission: admissionOr(() => handlers.admissionOf(req)),
        view: req.clientele,
      })
    })
  }
  app.use(
    (
      error: Error & { status?: number; code?: string },
      _req: unknown,
      res: express5.Response,
      next: (e: unknown) => void,
    ) => {
      if (res.headersSent) {
        next(error)
        return
      }
      res
        .status(error.status ?? 500)
        .json({ handler: 'error', name: error.name, code: error.code, message: error.message })
    },
  )
  return app
}

function koaApp(Koa: typeof Koa3, options: ClienteleOptions, { routes, touch, forge }: App): RequestListener {
  const app = new Koa()
  app.silent = true
  const router = new Router()
  const handlers = forKoa(options)
  app.use(async (ctx, next) => {
    if (forge !== undefined) Object.assign(ctx, { clientele: forge })
    try {
      await next()
    } catch (thrown) {
      const error = thrown as Error & { status?: number; code?: string }
      ctx.status = error.status ?? 500
      ctx.body = { handler: 'error', name: error.name, code: error.code, message: error.message }
    }
  })
  for (const [route, make] of Object.entries(routes)) {
    const [method, path] = split(route)
    const guards = make(handlers) as unknown as Koa3.Middleware[]
    router[method](path, ...(guards as never[]), (ctx: Koa3.Context) => {
      touch?.((name, value) => {
        ctx.set(name, value)
      })
      ctx.body = {
        ...nodeView(ctx.req),
        originalUrl: ctx.originalUrl,
        href: ctx.href,
        query: ctx.query,
        admission: admissionOr(() => handlers.admissionOf(ctx)),
        view: (ctx as { clientele?: unknown }).clientele,
      }
    })
  }
  app.use(router.routes())
  return listenerOf(app)
}

/** Koa's listener gives a promise that nobody awaits: Koa itself sees to what it rejects with. */
export function listenerOf(app: Koa3): RequestListener {
  const handle = app.callback()
  return (request, response) => void handle(request, response)
}

function nodeView(request: IncomingMessage): Pick<Seen, 'url' | 'headers' | 'rawHeaders' | 'distinct'> {
  const { url, headers, rawHeaders, headersDistinct } = request
  return { url, headers, rawHeaders, distinct: headersDistinct }
}

function admissionOr(read: () => Admission): Admission | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
