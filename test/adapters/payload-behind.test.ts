import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { headers, payload, type ContractStore } from 'clientele'
import { clientele } from 'clientele/express'
import { clientele as forKoa } from 'clientele/koa'
import express5 from 'express'
import express4 from 'express4'
import fc from 'fast-check'
import Koa from 'koa'
import koaBodyParser from 'koa-bodyparser'
import multer from 'multer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Clients } from '../conversations/client-id.js'
import { callWithBody, form, json, type BodyCall } from '../support/body-call.js'
import { parsingFrameworks, readers, type Parsed } from '../support/body-apps.js'
import { listen, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

let store: ContractStore
let clients: Clients
const running: Running[] = []

beforeAll(async () => {
  const seeded = await seededStore()
  store = seeded.store
  clients = seeded.clients
})
afterAll(() => Promise.all(running.map((each) => each.close())))

async function serve(listener: RequestListener): Promise<string> {
  const server = await listen(listener)
  running.push(server)
  return server.url
}

const guard = (strip: 'secret' | 'all' | 'none' = 'secret') =>
  clientele({ api: 'orders', store }).enforceClientId({ from: [headers(), payload()], strip })

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom('', '__proto__', 'constructor', 'client_secret', 'client_id', 'a.b', 'a[b]', '\ud800', '"}],'),
)
const spelt = fc.tuple(text, fc.boolean()).map(([value, escaped]) => (escaped ? unicode(value) : JSON.stringify(value)))
const bare = fc.constantFrom('1e400', '-1e400', '12345678901234567890', '-0', '0.1e-7', 'true', 'null', '[]', '{}')
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    bare,
    spelt,
    fc.array(tie('value'), { maxLength: 3 }).map((items) => `[ ${items.join(' ,')}]`),
    fc.array(fc.tuple(spelt, tie('value')), { maxLength: 3 }).map((members) => objectOf(members)),
  ),
}))
const space = fc.constantFrom('', ' ', '\r\n\t')

function unicode(value: string): string {
  const codes = [...Array(value.length).keys()].map((at) => value.charCodeAt(at).toString(16).padStart(4, '0'))
  return `"${codes.map((code) => `\\u${code}`).join('')}"`
}

function objectOf(members: readonly (readonly [string, string])[], between = ''): string {
  return `{${between}${members.map(([name, content]) => `${name}${between}:${between}${content}`).join(`${between},${between}`)}${between}}`
}

/** Members of the body other than the credentials, and where those stand among them. */
const jsonBodies = fc.record({
  members: fc.array(
    fc.tuple(spelt, value).filter(([name]) => !/^client_(id|secret)$/.test(JSON.parse(name) as string)),
    { maxLength: 5 },
  ),
  idAt: fc.nat(5),
  secretAt: fc.nat(6),
  space,
  mark: fc.constantFrom('', '\ufeff'),
  escaped: fc.boolean(),
})

const formParts = fc.constantFrom('a', '%zz', '+', '%20', 'ä', '%C3%A4', ';', '%', '%00', '~', '[', ']', '=')
const formName = fc.array(fc.oneof(formParts, fc.constantFrom('b[c]', 'b[]', 'd.e')), { minLength: 1, maxLength: 3 })
const formBodies = fc.record({
  pairs: fc.array(fc.tuple(formName, fc.array(formParts, { maxLength: 3 })), { maxLength: 5 }),
  idAt: fc.nat(5),
  secretAt: fc.nat(6),
})

function inserted<T>(list: readonly T[], at: number, item: T): T[] {
  const place = Math.min(at, list.length)
  return [...list.slice(0, place), item, ...list.slice(place)]
}

describe.each(parsingFrameworks)('a parser behind the policy: $name', (framework) => {
  let guarded: Running
  let open: Running

  beforeAll(async () => {
    guarded = await framework.start(
      { api: 'orders', store },
      { guards: (on) => [on.enforceClientId({ from: [payload()] })] },
    )
    open = await framework.start({ api: 'orders', store }, { guards: () => [] })
    running.push(guarded, open)
  })

  let same = 0

  /** Whatever a parser makes of a body, it makes the same of it behind the policy, but for the secret. */
  async function expectSame(call: BodyCall): Promise<void> {
    const [seen, plain] = await Promise.all([callWithBody(guarded.url, call), callWithBody(open.url, call)])
    const [behind, without] = [seen.json as Partial<Parsed>, plain.json as Partial<Parsed>]
    expect([seen.status, behind.type], seen.text).toEqual([plain.status, without.type])
    if (plain.status !== 200) return
    const { client_secret: secret, ...rest } = without.body as Record<string, unknown>
    expect(secret).toBe(clients.approved.clientSecret)
    expect(JSON.stringify(behind.body)).toBe(JSON.stringify(rest))
    same += 1
  }

  afterEach(() => {
    expect(same).toBeGreaterThan(50)
    same = 0
  })

  it('sees the same JSON, with all its odd corners', async () => {
    const { clientId, clientSecret } = clients.approved
    await fc.assert(
      fc.asyncProperty(jsonBodies, async ({ members, idAt, secretAt, space: between, mark, escaped }) => {
        const named = (name: string, content: string): readonly [string, string] => [
          escaped ? unicode(name) : JSON.stringify(name),
          escaped ? unicode(content) : JSON.stringify(content),
        ]
        const withId = inserted(members, idAt, named('client_id', clientId))
        const body = mark + objectOf(inserted(withId, secretAt, named('client_secret', clientSecret)), between)
        const packed = idAt === 0
        const fields: BodyCall['headers'] = packed ? [json, ['Content-Encoding', 'gzip']] : [json]
        await expectSame({ headers: fields, pieces: [packed ? gzipSync(body) : body], chunked: secretAt % 2 === 0 })
      }),
      { numRuns: 150 },
    )
  })

  it('sees the same fields of a form, whatever stands in them', async () => {
    const { clientId, clientSecret } = clients.approved
    await fc.assert(
      fc.asyncProperty(formBodies, async ({ pairs, idAt, secretAt }) => {
        const written = pairs.map(([name, content]) => `${name.join('')}=${content.join('')}`)
        const withId = inserted(written, idAt, `client_id=${clientId}`)
        const body = inserted(withId, secretAt, `client%5Fsecret=${clientSecret}`).join('&')
        await expectSame({ headers: [form], pieces: [body], chunked: secretAt % 2 === 0 })
      }),
      { numRuns: 150 },
    )
  })
})

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('multer behind the policy on %s', (_name, express) => {
  it('reads a multipart body as if nobody had been there, and nobody is let in by it', async () => {
    const app = express()
    app.post('/', guard(), multer({ storage: multer.memoryStorage() }).single('file'), (request, response) => {
      const { body, file } = request as { body: unknown; file?: { buffer: Buffer } }
      response.json({ body, file: file?.buffer.toString() })
    })
    const url = await serve(app)
    const { clientId, clientSecret } = clients.approved
    const parts = new FormData()
    parts.set('client_id', clientId)
    parts.set('client_secret', clientSecret)
    parts.set('file', new Blob(['x'.repeat(100_000)]), 'file.txt')
    expect((await fetch(url, { method: 'POST', body: parts })).status).toBe(401)
    const fields = { client_id: clientId, client_secret: clientSecret }
    const answer = await fetch(url, { method: 'POST', body: parts, headers: fields })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ body: fields, file: 'x'.repeat(100_000) })
  })
})

it('is forwarded by a proxy with a length that is right', async () => {
  const upstream = await serve((request, response) => {
    void readers['for await']?.(request).then((bytes) => {
      response.end(JSON.stringify({ body: Buffer.from(bytes, 'base64').toString(), headers: request.headers }))
    })
  })
  const { hostname, port } = new URL(upstream)
  const app = express5()
  app.use(guard('all'), (request, response) => {
    const { method, headers: fields } = request
    const onward = httpRequest({ hostname, port, method, path: '/', headers: fields }, (answer) =>
      answer.pipe(response),
    )
    request.pipe(onward)
  })
  const url = await serve(app)
  const { clientId, clientSecret } = clients.approved
  const body = JSON.stringify({ client_id: clientId, client_secret: clientSecret, n: 1 })
  for (const chunked of [false, true]) {
    for (const packed of [false, true]) {
      const fields: BodyCall['headers'] = packed ? [json, ['Content-Encoding', 'gzip']] : [json]
      const answer = await callWithBody(url, { headers: fields, pieces: [packed ? gzipSync(body) : body], chunked })
      const seen = answer.json as { body: string; headers: IncomingMessage['headers'] }
      expect(seen.body).toBe('{"n":1}')
      expect(seen.headers['content-encoding']).toBeUndefined()
      expect(seen.headers['content-length']).toBe(chunked ? undefined : '7')
    }
  }
})

it('is forwarded by fetch', async () => {
  const upstream = await serve((request, response) => void request.pipe(response))
  const app = express5()
  app.use(guard(), async (request, response) => {
    const init = { method: 'POST', body: request, duplex: 'half' } as unknown as RequestInit
    response.send(await (await fetch(upstream, init)).text())
  })
  const url = await serve(app)
  const { clientId, clientSecret } = clients.approved
  const whole = await callWithBody(url, {
    headers: [json, ['client_id', clientId], ['client_secret', clientSecret]],
    pieces: ['{"n":1}'],
  })
  expect(whole.text).toBe('{"n":1}')
  const body = JSON.stringify({ client_id: clientId, client_secret: clientSecret })
  const stripped = await callWithBody(url, { headers: [json], pieces: [body] })
  expect(stripped.text).toBe(JSON.stringify({ client_id: clientId }))
})

interface JsonServer {
  create(): express4.Express
  router(path: string): express4.RequestHandler
  defaults(options: { logger: boolean }): express4.RequestHandler[]
}

describe('json-server, which reads its bodies itself and knows nothing of us', () => {
  const jsonServer = createRequire(import.meta.url)('json-server') as JsonServer
  let folder: string
  let database: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clientele-json-server-'))
    database = join(folder, 'db.json')
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function behind(strip: 'secret' | 'all', mount: (inner: express4.Express) => RequestListener): Promise<string> {
    await writeFile(database, '{"posts":[]}')
    const inner = jsonServer.create()
    inner.use(jsonServer.defaults({ logger: false }))
    inner.use(guard(strip))
    inner.use(jsonServer.router(database))
    return serve(mount(inner))
  }

  const stored = async (): Promise<unknown> =>
    (JSON.parse(await readFile(database, 'utf8')) as { posts: unknown }).posts

  it.each<[string, (inner: express4.Express) => RequestListener]>([
    ['alone', (inner) => inner],
    ['in an app of Express 5', (inner) => express5().use(inner)],
  ])('keeps records and no secrets, %s', async (_name, mount) => {
    const url = await behind('all', mount)
    const { clientId, clientSecret } = clients.approved
    const pair = { client_id: clientId, client_secret: clientSecret }
    const post = (type: readonly [string, string], body: string, more: Partial<BodyCall> = {}) =>
      callWithBody(url, { path: '/posts', headers: [type], pieces: [body], ...more })
    const created = await post(json, JSON.stringify({ id: 1, title: 'tea', ...pair }))
    expect([created.status, created.json]).toEqual([201, { id: 1, title: 'tea' }])
    expect((await post(form, `id=two&title=coffee&${new URLSearchParams(pair).toString()}`)).status).toBe(201)
    const packed: Partial<BodyCall> = { headers: [json, ['Content-Encoding', 'gzip']], chunked: true }
    const three = gzipSync(JSON.stringify({ ...pair, id: 3, title: 'cocoa' }))
    expect((await post(json, '', { ...packed, pieces: [three] })).status).toBe(201)
    expect((await post(json, JSON.stringify({ title: 'gin' }))).status).toBe(401)
    const patch = JSON.stringify({ ...pair, title: 'green tea' })
    const patched = await callWithBody(url, { method: 'PATCH', path: '/posts/1', headers: [json], pieces: [patch] })
    expect(patched.json).toEqual({ id: 1, title: 'green tea' })
    expect(await stored()).toEqual([
      { id: 1, title: 'green tea' },
      { id: 'two', title: 'coffee' },
      { id: 3, title: 'cocoa' },
    ])
  })

  it('keeps the ID where only the secret is taken out', async () => {
    const url = await behind('secret', (inner) => inner)
    const { clientId, clientSecret } = clients.approved
    const body = JSON.stringify({ client_id: clientId, client_secret: clientSecret, id: 1 })
    expect((await callWithBody(url, { path: '/posts', headers: [json], pieces: [body] })).status).toBe(201)
    expect(await stored()).toEqual([{ client_id: clientId, id: 1 }])
  })
})

it('is the same over HTTP/2', async () => {
  const app = new Koa()
  app.silent = true
  const { enforceClientId } = forKoa({ api: 'orders', store })
  app.use(enforceClientId({ from: [payload({ maxBytes: 30_000 })] }))
  app.use(koaBodyParser({ enableTypes: ['json'] }))
  app.use((context) => {
    context.body = context.request.body
  })
  const server = createHttp2Server(app.callback() as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const post = (body: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': '/', 'content-type': 'application/json' })
      let text = ''
      let status: unknown
      stream.on('response', (fields) => (status = fields[':status']))
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => resolve([status, JSON.parse(text)]))
      stream.on('error', reject)
      stream.write(body.slice(0, 10))
      setTimeout(() => stream.end(body.slice(10)), 5)
    })
  const { clientId, clientSecret } = clients.approved
  const members = { client_id: clientId, note: 'x'.repeat(20_000), client_secret: clientSecret }
  const { client_secret: _secret, ...rest } = members
  expect(await post(JSON.stringify(members))).toEqual([200, rest])
  expect(await post('{"client_id":1}')).toMatchObject([400, { code: 'credentials_malformed' }])
  expect(await post(JSON.stringify({ ...members, more: members }))).toMatchObject([413, { code: 'body_too_large' }])
  expect(await post(JSON.stringify(members))).toEqual([200, rest])
  session.destroy()
  server.close()
})

it('leaves no stream open over HTTP/2 when a body was too large', async () => {
  const app = new Koa()
  app.silent = true
  let closed = 0
  app.use(async (context, next) => {
    context.res.once('close', () => (closed += 1))
    await next()
  })
  app.use(forKoa({ api: 'orders', store }).enforceClientId({ from: [payload({ maxBytes: 1000 })] }))
  const server = createHttp2Server(app.callback() as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const post = (length: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const fields = { ':method': 'POST', ':path': '/', 'content-type': 'application/json', ...length }
      const stream = session.request(fields)
      let status: unknown
      stream.on('response', (answer) => (status = answer[':status']))
      stream.on('end', () => resolve(status)).on('error', reject)
      stream.resume().end('x'.repeat(50_000))
    })
  for (const length of [{}, { 'content-length': '50000' }]) {
    closed = 0
    const statuses = await Promise.all(Array.from({ length: 30 }, () => post(length)))
    expect(statuses).toEqual(statuses.map(() => 413))
    await expect.poll(() => closed).toBe(30)
  }
  session.destroy()
  server.close()
})
