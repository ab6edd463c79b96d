import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { basicAuth, headers, memoryStore, payload, query } from 'clientele'
import { clientele as forExpress } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5 from 'express'
import express4 from 'express4'
import Koa3 from 'koa'
import Koa2 from 'koa2'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { callWithBody, exchangeBytes } from '../support/body-call.js'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { rsaKey } from '../support/signed-jwt.js'
import { seededStore } from '../support/seeded-store.js'

const seeded = await seededStore(memoryStore())
const from = [headers(), query(), basicAuth(), payload()]

/** All that a log which is written when the answer is over can say of a request. */
const log: string[] = []
function note(...about: unknown[]): void {
  log.push(inspect(about, { depth: 4 }))
}

/** One request uses it up. */
const shut = { by: 'route', limit: { requests: 1, windowSeconds: 3600 } } as const

function expressApp(make: typeof express5, options: { strip?: 'none' } = {}) {
  const { enforceClientId, validateJwt, controlSpikes } = forExpress({ api: 'orders', store: seeded.store })
  const app = make()
  app.use((req, res, next) => {
    res.on('close', () => note(req.url, req.originalUrl, req.query, req.headers, req.rawHeaders, req.headersDistinct))
    next()
  })
  const jwt = validateJwt({ issuer: 'https://issuer.example', audience: 'orders', jwks: { keys: [rsaKey('one').jwk] } })
  app.use('/spiked', controlSpikes(shut), (_req, res) => void res.json({}))
  app.use('/token', jwt)
  app.use(enforceClientId({ from, ...options }))
  app.use((_req, res) => void res.json({}))
  return app
}

function koaApp(Make: typeof Koa3) {
  const { enforceClientId, validateJwt, controlSpikes } = forKoa({ api: 'orders', store: seeded.store })
  const app = new Make()
  app.use(async (ctx, next) => {
    await next()
    const { req, request } = ctx
    note(ctx.url, ctx.originalUrl, ctx.query, ctx.href, ctx.headers, request.originalUrl, req.rawHeaders, req.url)
  })
  const jwt = validateJwt({ issuer: 'https://issuer.example', audience: 'orders', jwks: { keys: [rsaKey('one').jwk] } })
  const spikes = controlSpikes(shut)
  app.use((ctx, next) => (ctx.path.startsWith('/spiked') ? spikes(ctx, () => Promise.resolve()) : next()))
  app.use((ctx, next) => (ctx.path.startsWith('/token') ? jwt(ctx, next) : next()))
  app.use(enforceClientId({ from }))
  app.use((ctx) => {
    ctx.body = {}
  })
  return app.callback() as RequestListener
}

describe.each<[string, () => RequestListener]>([
  ['Express 5', () => expressApp(express5)],
  ['Express 4', () => expressApp(express4)],
  ['Koa 3', () => koaApp(Koa3)],
  ['Koa 2', () => koaApp(Koa2)],
])('what is left of a request that is turned away, on %s', (_name, app) => {
  let server: Running
  beforeAll(async () => {
    server = await listen(app())
  })
  afterAll(async () => {
    await server.close()
  })
  beforeEach(() => {
    log.length = 0
  })

  const { clientId, clientSecret } = seeded.clients.pending

  it.each<[string, number, string, readonly (readonly [string, string])[]]>([
    ['a right secret whose contract is pending', 403, `/?client_id=${clientId}&client_secret=${clientSecret}`, []],
    ['a wrong secret', 401, `/?client_id=${clientId}&client_secret=${clientSecret}x`, []],
    ['a secret twice', 400, `/?client_id=a&client_secret=${clientSecret}&client_secret=${clientSecret}`, []],
    ['a secret without its ID', 400, `/?client_secret=${clientSecret}`, []],
    [
      'two secrets that disagree',
      400,
      `/?client_id=a&client_secret=${clientSecret}`,
      [
        ['client_id', 'a'],
        ['client_secret', 'b'],
      ],
    ],
    [
      'a secret in a field',
      403,
      '/',
      [
        ['client_id', clientId],
        ['client_secret', clientSecret],
      ],
    ],
    ['Basic', 403, '/', [['authorization', `Basic ${btoa(`${clientId}:${clientSecret}`)}`]]],
    ['a token', 401, '/token', [['authorization', `Bearer ${clientSecret}`]]],
  ])('shows a log nothing of %s', async (_title, status, path, fields) => {
    const answer = await call(server.url, { path: `${path}${path.includes('?') ? '&' : '?'}q=1`, headers: fields })
    expect(answer.status).toBe(status)
    await expect.poll(() => log.length).toBe(1)
    expect(log[0]).not.toContain(clientSecret)
    expect(log[0]).not.toContain(btoa(`${clientId}:${clientSecret}`))
    expect(log[0]).toContain('q=1')
  })

  it('shows a log nothing of what a spike control in front turns away', async () => {
    await call(server.url, { path: '/spiked' })
    await expect.poll(() => log.length).toBe(1)
    const path = `/spiked?client_id=${clientId}&client_secret=${clientSecret}&q=1`
    const answer = await call(server.url, { path, headers: [['authorization', `Bearer ${clientSecret}`]] })
    expect(answer.status).toBe(429)
    await expect.poll(() => log.length).toBe(2)
    expect(log[1]).not.toContain(clientSecret)
    expect(log[1]).toContain('q=1')
  })
})

it('leaves a body without the secret to an error handler', async () => {
  const { enforceClientId } = forExpress({ api: 'orders', store: seeded.store, onRefusal: 'forward' })
  const handleError: express5.ErrorRequestHandler = (error: { status: number }, req, res, _next) => {
    void text(req).then((left) => res.status(error.status).send(left))
  }
  const server = await listen(express5().use(enforceClientId({ from }), handleError))
  const { clientId, clientSecret } = seeded.clients.pending
  const body = JSON.stringify({ client_id: clientId, client_secret: clientSecret })
  const answer = await call(server.url, { method: 'POST', headers: [['Content-Type', 'application/json']], body })
  expect([answer.status, answer.json]).toEqual([403, { client_id: clientId }])
  await server.close()
})

describe('of a body that cannot be read', () => {
  const { clientId, clientSecret } = seeded.clients.pending
  const pair = JSON.stringify({ client_id: clientId, client_secret: clientSecret })
  const typed = (type: string, ...more: [string, string][]): [string, string][] => [['Content-Type', type], ...more]
  const closing: Running[] = []
  afterAll(() => Promise.all(closing.map((each) => each.close())))

  const serve = async (before: express5.RequestHandler[], handleError: express5.ErrorRequestHandler) => {
    const { enforceClientId } = forExpress({ api: 'orders', store: seeded.store, onRefusal: 'forward' })
    const app = express5()
    for (const each of before) app.use(each)
    const server = await listen(app.use(enforceClientId({ from }), handleError))
    closing.push(server)
    return server.url
  }

  it.each<[string, [string, string][], (string | Uint8Array)[]]>([
    ['of an unclear type', typed('application/json; charset=latin1'), [pair.slice(0, 20), pair.slice(20)]],
    ['of a broken type', typed('application/json;'), [pair.slice(0, 20), pair.slice(20)]],
    ['that is broken', typed('application/json'), [pair.slice(0, 20), `${pair.slice(20, -1)},}`]],
    ['that is not UTF-8', typed('application/json'), [pair.slice(0, -1), Buffer.from([0x2c, 0x22, 0xff])]],
    ['that is packed by nothing known', typed('application/json', ['Content-Encoding', 'zstd']), [pair]],
    ['that is not packed at all', typed('application/x-www-form-urlencoded', ['Content-Encoding', 'gzip']), [pair]],
  ])('nothing is left for a parser of an error handler: %s', async (_title, headers, pieces) => {
    const url = await serve([], (error: { status: number }, req, res, _next) => {
      const { 'content-length': length, 'content-encoding': coding } = req.headers
      void text(req).then((left) => res.status(error.status).json({ left, length, coding }))
    })
    for (const pauseMs of [0, 20]) {
      for (const chunked of [false, true]) {
        const answer = await callWithBody(url, { headers, pieces, chunked, pauseMs })
        expect([answer.status, answer.json]).toEqual([400, chunked ? { left: '' } : { left: '', length: '0' }])
      }
    }
  })

  it('leaves the connection to the next request', async () => {
    const url = await serve([], (error: { status: number }, req, res, _next) => {
      req.resume().once('end', () => res.status(error.status).end('over'))
    })
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json;\r\n'
    const one = `${head}Content-Length: ${pair.length}\r\n\r\n${pair}`
    const last = `${head}Connection: close\r\nContent-Length: ${pair.length}\r\n\r\n${pair}`
    expect((await exchangeBytes(url, one + one + last)).match(/HTTP\/1\.1 400/g)).toHaveLength(3)
  })

  it.each(['application/json; charset=latin1', 'text/json', 'application/json'])(
    'nothing stays in what a parser has made of %s',
    async (type) => {
      const parse: express5.RequestHandler = (req, _res, next) => {
        void text(req).then((rawBody) => {
          Object.assign(req, {
            body: JSON.parse(rawBody) as unknown,
            rawBody: type === 'text/json' ? undefined : rawBody,
          })
          next()
        })
      }
      const url = await serve([parse], (error: { status: number }, req, res, _next) => {
        const { rawBody } = req as { rawBody?: string }
        res.status(error.status).json({ body: req.body as unknown, rawBody })
      })
      const answer = await callWithBody(url, { headers: typed(type), pieces: [pair] })
      expect(answer.text).not.toContain(clientSecret)
      expect(answer.json).toMatchObject({ body: { client_id: clientId } })
    },
  )

  it('something frozen is replaced, and what cannot be goes to nobody', async () => {
    const freeze: express5.RequestHandler = (req, _res, next) => {
      Object.freeze(req.body)
      if (req.path === '/held') Object.defineProperty(req, 'body', { writable: false, configurable: false })
      next()
    }
    const url = await serve([express5.json(), freeze], (error: Error & { status?: number }, req, res, _next) => {
      const status = error.status ?? 500
      res.status(status).json({ body: status === 500 ? 'kept' : (req.body as unknown), message: error.message })
    })
    const replaced = await callWithBody(url, { headers: typed('application/json'), pieces: [pair] })
    expect([replaced.status, replaced.json]).toMatchObject([403, { body: { client_id: clientId } }])
    expect(replaced.text).not.toContain(clientSecret)
    const held = await callWithBody(url, { path: '/held', headers: typed('application/json'), pieces: [pair] })
    expect([held.status, held.text]).toEqual([500, expect.stringContaining('can be neither changed nor replaced')])
  })
})

it('is all there for whoever wrote strip: none', async () => {
  const server = await listen(expressApp(express5, { strip: 'none' }))
  log.length = 0
  await call(server.url, { path: '/?client_id=a&client_secret=planted' })
  await expect.poll(() => log.length).toBe(1)
  expect(log[0]).toContain('planted')
  await server.close()
})
