import type { IncomingMessage } from 'node:http'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5, { type RequestHandler } from 'express'
import express4 from 'express4'
import Koa3, { type Middleware } from 'koa'
import { koaBody } from 'koa-body'
import koaBodyParser from 'koa-bodyparser'
import Koa2 from 'koa2'
import type { Handlers } from '../../src/adapters/handlers.js'
import type { ClienteleOptions } from '../../src/clientele.js'
import { listen, listenerOf, type Running } from './frameworks.js'

/** What a handler behind a parser has in hand. */
export interface Parsed {
  /** `undefined` and `null` are not told apart by JSON: the type of what was there. */
  readonly type: string
  readonly body: unknown
  readonly rawBody: unknown
  readonly headers: Record<string, string | undefined>
  readonly rawHeaders: readonly string[]
  readonly distinct: Record<string, readonly string[] | undefined>
}

export interface BodyApp<H extends object = object> {
  readonly guards: (handlers: Handlers<H>) => readonly H[]
  /** Where the parser stands. @default 'behind' */
  readonly parser?: 'behind' | 'before' | 'between' | 'none'
  /** Instead of the answer that says what was parsed. */
  readonly read?: (request: IncomingMessage) => Promise<unknown>
}

/** A framework with one of the parsers that people mount in it. */
export interface ParsingFramework {
  readonly name: string
  start(options: ClienteleOptions, app: BodyApp): Promise<Running>
}

type ExpressParsers = (express: typeof express5) => RequestHandler[]

const usual: ExpressParsers = (express) => [express.json(), express.urlencoded({ extended: true })]

/** Keeps the bytes for whoever wants to check a signature over them, as many do. */
const keeping: ExpressParsers = (express) => {
  const verify = (request: IncomingMessage, _response: unknown, bytes: Buffer): void =>
    void Object.assign(request, { rawBody: bytes })
  return [express.json({ verify }), express.urlencoded({ extended: true, verify })]
}

const asBytes: ExpressParsers = (express) => [express.raw({ type: () => true })]
const asText: ExpressParsers = (express) => [express.text({ type: () => true })]

export const parsingFrameworks: readonly ParsingFramework[] = [
  expressWith('Express 5', express5, usual),
  expressWith('Express 4', express4, usual),
  expressWith('Express 5 that keeps the bytes too', express5, keeping),
  koaWith('Koa 3 with koa-bodyparser', Koa3, koaBodyParser()),
  koaWith('Koa 2 with koa-bodyparser', Koa2, koaBodyParser()),
  koaWith('Koa 3 with koa-body', Koa3, koaBody({ includeUnparsed: true, patchNode: true })),
]

export const unparsingFrameworks: readonly ParsingFramework[] = [
  expressWith('Express 5 with express.raw()', express5, asBytes),
  expressWith('Express 4 with express.text()', express4, asText),
]

function expressWith(name: string, express: typeof express5, parsers: ExpressParsers): ParsingFramework {
  return {
    name,
    start: (options, { guards, parser = 'behind', read }) => {
      const made = guards(forExpress(options)) as RequestHandler[]
      const app = express().disable('x-powered-by')
      for (const handler of inOrder(made, parsers(express), parser)) app.use(handler)
      app.use((request, response, next) => {
        const answer = read?.(request) ?? Promise.resolve(viewOf(request, request.body, request))
        answer.then((value) => void response.type('json').send(textOf(value)), next)
      })
      app.use(((error: Error & { status?: number }, _request, response, _next) => {
        response.status(error.status ?? 500).json({ handler: 'error', name: error.name, message: error.message })
      }) as express5.ErrorRequestHandler)
      return listen(app)
    },
  }
}

function koaWith(name: string, Koa: typeof Koa3, parser: Middleware): ParsingFramework {
  return {
    name,
    start: (options, { guards, parser: place = 'behind', read }) => {
      const made = guards(forKoa(options)) as Middleware[]
      const app = new Koa()
      app.silent = true
      app.use(async (context, next) => {
        try {
          await next()
        } catch (thrown) {
          const error = thrown as Error & { status?: number }
          context.status = error.status ?? 500
          context.body = { handler: 'error', name: error.name, message: error.message }
        }
      })
      for (const handler of inOrder(made, [parser], place)) app.use(handler)
      app.use(async (context) => {
        const { body, rawBody } = context.request as { body?: unknown; rawBody?: unknown }
        context.type = 'json'
        context.body = textOf((await read?.(context.req)) ?? viewOf(context.req, body, { rawBody }))
      })
      return listen(listenerOf(app))
    },
  }
}

function inOrder<H>(guards: readonly H[], parsers: readonly H[], place: NonNullable<BodyApp['parser']>): readonly H[] {
  if (place === 'none') return guards
  if (place === 'before') return [...parsers, ...guards]
  return place === 'behind' ? [...guards, ...parsers] : [...guards.slice(0, 1), ...parsers, ...guards.slice(1)]
}

function viewOf(request: IncomingMessage, body: unknown, holder: { rawBody?: unknown }): Parsed {
  const { headers, rawHeaders, headersDistinct } = request
  const rawBody = plain(holder.rawBody)
  const type = body instanceof Uint8Array ? 'bytes' : body === null ? 'null' : typeof body
  return {
    type,
    body: plain(body),
    rawBody,
    headers: headers as Parsed['headers'],
    rawHeaders,
    distinct: headersDistinct,
  }
}

/** Where a body was nested too deeply for `JSON.stringify`, only that it was there. */
function textOf(answer: unknown): string {
  try {
    return JSON.stringify(answer)
  } catch {
    return '{"type":"too deep to show"}'
  }
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : value
}

/** Ways to read a request that is not parsed. Each gives the bytes as base64. */
export const readers: Readonly<Record<string, (request: IncomingMessage) => Promise<string>>> = {
  'for await': async (request) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('base64')
  },
  "on('data')": (request) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => resolve(Buffer.concat(chunks).toString('base64')))
      request.on('error', reject)
    }),
  "on('readable')": (request) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      request.on('readable', () => {
        for (;;) {
          const chunk = (request.read(7) ?? request.read()) as Buffer | null
          if (chunk === null) return
          chunks.push(chunk)
        }
      })
      request.on('end', () => resolve(Buffer.concat(chunks).toString('base64')))
      request.on('error', reject)
    }),
}
