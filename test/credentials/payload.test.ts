import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { custom, payload, type CustomOptions, type PayloadOptions } from 'clientele'
import { clientele } from 'clientele/express'
import express from 'express'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Policy } from '../../src/decisions/policy.js'
import { readCredentials } from '../../src/credentials/read-credentials.js'
import type { CredentialsSource } from '../../src/credentials/source.js'
import { CapturedRequest } from '../../src/http/capture.js'
import type { Clients } from '../conversations/client-id.js'
import { callWithBody, form, json, type BodyCall } from '../support/body-call.js'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { accessToken, attackedIssuer } from '../support/token-attacks.js'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** What comes of a request that arrives over a socket. */
async function found(
  look: (request: CapturedRequest, response: ServerResponse) => unknown,
  request: BodyCall,
  before: (raw: IncomingMessage) => unknown = () => undefined,
): Promise<unknown> {
  const server = createServer((raw, response) => {
    const answer = async (): Promise<unknown> => {
      await before(raw)
      return look(new CapturedRequest(raw, response, raw.url ?? '/'), response)
    }
    answer().then(
      (value) => response.end(JSON.stringify(value)),
      (error: unknown) => response.end(JSON.stringify(String(error))),
    )
  })
  closing.push(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return (await callWithBody(url, request)).json
}

const read = (source: CredentialsSource, request: BodyCall): Promise<unknown> =>
  found((captured) => source.read(captured), request)
const pair = '{"client_id":"a","client_secret":"s"}'
const presented = { kind: 'presented', clientId: 'a', readings: ['s'] }

describe('payload()', () => {
  it('finds a pair in JSON and in a form, by the names it is given', async () => {
    expect(await read(payload(), { headers: [json], pieces: [pair] })).toEqual(presented)
    expect(await read(payload(), { headers: [form], pieces: ['client_id=a&client_secret=s'] })).toEqual(presented)
    const own = payload({ id: 'auth.id', secret: ['auth', 'the.secret'] })
    const members = '{"auth":{"id":"a","the.secret":"s"}}'
    expect(await read(own, { headers: [json], pieces: [members] })).toEqual(presented)
    const fields = 'auth[id]=a&auth%5Bthe.secret%5D=s'
    expect(await read(own, { headers: [form], pieces: [fields] })).toEqual(presented)
    const plain = payload({ id: 'auth.id', secret: 'auth.secret' })
    expect(await read(plain, { headers: [form], pieces: ['auth[id]=a&auth[secret]=s'] })).toEqual(presented)
  })

  it('says what a path is to somebody who writes another language, and takes the signs of those in a list', async () => {
    const said = /names with dots between them \(no JSONPath, no JSON pointer\).*written as a list: \['\$\.x'\]/
    for (const secret of ['$.auth.secret', '/auth/secret', 'auth[0]', 'auth]']) {
      expect(() => payload({ secret })).toThrow(said)
      expect(() => custom(() => undefined, { body: [secret] })).toThrow(said)
    }
    const own = payload({ id: ['$.x'], secret: ['/y', '[0]'] })
    const members = '{"$.x":"a","/y":{"[0]":"s"}}'
    expect(await read(own, { headers: [json], pieces: [members] })).toEqual(presented)
  })

  it.each<[string, BodyCall]>([
    ['no body', { headers: [json], pieces: [] }],
    ['an empty one in chunks', { headers: [json], pieces: [], chunked: true }],
    ['no type', { pieces: [pair] }],
    ['another type', { headers: [['Content-Type', 'text/plain']], pieces: [pair] }],
    ['a multipart body', { headers: [['Content-Type', 'multipart/form-data; boundary=x']], pieces: [pair] }],
    ['members of other names', { headers: [json], pieces: ['{"id":"a","secret":"s"}'] }],
  ])('is absent with %s', async (_name, request) => {
    expect(await read(payload(), request)).toEqual({ kind: 'absent' })
  })

  it('is absent at once, without waiting, for a request without a body', async () => {
    const url = await listen((raw, response) => {
      const outcome = payload().read(new CapturedRequest(raw, response, '/'))
      response.end(JSON.stringify({ outcome, waits: outcome instanceof Promise }))
    })
    closing.push(() => url.close())
    for (const headers of [[json], []]) {
      expect((await call(url.url, { headers })).json).toEqual({ outcome: { kind: 'absent' }, waits: false })
    }
  })

  it('does not wait either where the body is there', async () => {
    const before = async (raw: IncomingMessage): Promise<void> => {
      while (!raw.complete) await new Promise((resolve) => setImmediate(resolve))
    }
    const look = (captured: CapturedRequest): unknown => [payload().read(captured) instanceof Promise]
    expect(await found(look, { headers: [json], pieces: [pair] }, before)).toEqual([false])
  })

  it('cannot read what somebody has read and kept nowhere', async () => {
    const consume = async (raw: IncomingMessage): Promise<void> => {
      await once(raw.resume(), 'end')
    }
    const look = (captured: CapturedRequest): unknown => payload().read(captured)
    expect(await found(look, { headers: [json], pieces: [pair] }, consume)).toEqual({ kind: 'malformed' })
    const keep = (raw: IncomingMessage): Promise<void> =>
      consume(raw).then(() => void Object.assign(raw, { rawBody: pair }))
    expect(await found(look, { headers: [json], pieces: [pair] }, keep)).toEqual(presented)
  })

  it('takes nothing inherited for what a parser has left', async () => {
    const forge = (raw: IncomingMessage): void => {
      Object.setPrototypeOf(
        raw,
        Object.create(Object.getPrototypeOf(raw) as object, { body: { value: JSON.parse(pair) } }),
      )
      raw.resume()
    }
    const look = (captured: CapturedRequest): unknown => payload().read(captured)
    expect(await found(look, { headers: [json], pieces: [pair] }, forge)).toEqual({ kind: 'malformed' })
  })

  it.each<[string, unknown]>([
    ['an unknown option', { field: 'a' }],
    ['an empty name', { id: '' }],
    ['an empty path', { id: [] }],
    ['an empty step', { id: 'auth..id' }],
    ['a step at the end', { secret: 'auth.' }],
    ['half a character', { id: '\ud800' }],
    ['a JSONPath', { id: '$.auth.id' }],
    ['a JSON pointer', { id: '/auth/id' }],
    ['an index', { id: 'auth[0].id' }],
    ['a name that is none', { id: 1 }],
    ['one name for both', { id: 'a', secret: 'a' }],
    ['one name for both, written otherwise', { id: 'a.b', secret: ['a', 'b'] }],
    ['one inside of the other', { id: 'auth', secret: 'auth.secret' }],
    ['no bytes', { maxBytes: 0 }],
    ['half a byte', { maxBytes: 1.5 }],
    ['all bytes there are', { maxBytes: Infinity }],
    ['bytes as text', { maxBytes: '100' }],
  ])('is not built with %s', (_name, options) => {
    const fault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as unknown
    expect(() => payload(options as PayloadOptions)).toThrow(fault)
  })

  it('has no headers that an answer could depend on, and keeps it private all the same', () => {
    expect(payload().vary).toEqual([])
  })
})

describe('the body of a captured request', () => {
  it('is read once, however many ask for however much', async () => {
    let pushes = 0
    let own: unknown
    const before = (raw: IncomingMessage): void => {
      const push = raw.push.bind(raw)
      raw.push = (chunk: unknown) => {
        pushes += 1
        return push(chunk)
      }
      own = raw.push
    }
    const sources = [10, 100, 30, 1000, 36].map((maxBytes) => payload({ maxBytes }))
    const look = async (captured: CapturedRequest): Promise<unknown> => {
      const atOnce = await Promise.all(sources.map(async (source) => source.read(captured)))
      expect(captured.raw.push).toBe(own)
      const later = await Promise.all(sources.map(async (source) => source.read(captured)))
      return [atOnce, later].map((all) => all.map(({ kind }) => kind))
    }
    const kinds = ['too_large', 'presented', 'too_large', 'presented', 'too_large']
    const pieces = [pair.slice(0, 20), pair.slice(20)]
    const request: BodyCall = { headers: [json], pieces, chunked: true, pauseMs: 10 }
    expect(await found(look, request, before)).toEqual([kinds, kinds])
    expect(pushes).toBe(3)
  })

  it('is as large as it is unpacked, for whoever asks', async () => {
    const look = async (captured: CapturedRequest): Promise<unknown> => {
      const kinds: string[] = []
      for (const maxBytes of [10_000, 200, 10_000]) kinds.push((await captured.body(maxBytes)).kind)
      return kinds
    }
    const packed = gzipSync(JSON.stringify({ a: 'x'.repeat(5000) }))
    const request: BodyCall = { headers: [json, ['Content-Encoding', 'gzip']], pieces: [packed] }
    expect(await found(look, request)).toEqual(['content', 'too_large', 'content'])
  })

  it('is one of several places, and too large in one is too large', async () => {
    const sources = [payload({ maxBytes: 10 }), payload({ id: 'x', secret: 'y', maxBytes: 1000 })]
    const look = (captured: CapturedRequest): unknown => readCredentials(sources, captured)
    expect(await found(look, { headers: [json], pieces: [pair] })).toEqual({ kind: 'too_large' })
  })
})

describe('beside other ways in', () => {
  let running: Running
  let clients: Clients
  let handlers: ReturnType<typeof clientele>
  const target = attackedIssuer('https://issuer.example', 'https://trap.example')
  let asked = 0
  const counting: [Parameters<typeof custom>[0], CustomOptions] = [
    (request) => {
      asked += 1
      const [clientId] = request.headerValues('x-id')
      const [clientSecret] = request.headerValues('x-secret')
      return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret }
    },
    { headers: ['x-secret'] },
  ]

  beforeAll(async () => {
    const seeded = await seededStore()
    clients = seeded.clients
    handlers = clientele({ api: 'orders', store: seeded.store })
  })

  async function start(policy: Policy): Promise<void> {
    const app = express()
    app.use(handlers.enforce(policy), express.json(), (request, response) => response.json(request.body ?? null))
    running = await listen(app as never)
    closing.push(() => running.close())
  }

  const either = (maxBytes: number): Policy => {
    const { anyOf, validateJwt, enforceClientId } = handlers
    const { issuer, audience, key } = target
    const jwt = validateJwt({ issuer, audience, jwks: { keys: [key.jwk] }, contract: 'skip' })
    return anyOf(jwt, enforceClientId({ from: [payload({ maxBytes }), custom(...counting)] })).policy
  }
  const bearer = (token: string): [string, string] => ['Authorization', `Bearer ${token}`]
  const body = (): string =>
    JSON.stringify({ a: 1, client_id: clients.approved.clientId, client_secret: clients.approved.clientSecret })

  it('lets each in by anyOf, and hands on the body either way', async () => {
    await start(either(1000))
    const byBody = await callWithBody(running.url, { headers: [json], pieces: [body()] })
    expect([byBody.status, byBody.json]).toEqual([200, { a: 1, client_id: clients.approved.clientId }])
    const byToken = await callWithBody(running.url, {
      headers: [json, bearer(accessToken(target))],
      pieces: ['{"n":1e2}'],
    })
    expect([byToken.status, byToken.json]).toEqual([200, { n: 100 }])
    const nobody = await callWithBody(running.url, { headers: [json], pieces: ['{}'] })
    expect(nobody.json).toMatchObject({ status: 401, code: 'credentials_missing' })
  })

  it('refuses both at once, whatever is wrong with one of them', async () => {
    await start(either(1000))
    for (const token of [accessToken(target), accessToken(target, { exp: 0 }), 'x']) {
      for (const content of [body(), '{"client_id":1}', '{"client_id"']) {
        const answer = await callWithBody(running.url, { headers: [json, bearer(token)], pieces: [content] })
        expect(answer.json).toMatchObject({ status: 400, code: 'credentials_ambiguous' })
      }
    }
  })

  it('says of a body that is too large to look into that it is, whoever comes with it', async () => {
    await start(either(100))
    for (const fields of [[json], [json, bearer(accessToken(target))]]) {
      const answer = await callWithBody(running.url, { headers: fields, pieces: [`{"a":"${'x'.repeat(100)}"}`] })
      expect(answer.json).toMatchObject({ status: 413, code: 'body_too_large' })
    }
  })

  it('asks a function of somebody once per request under anyOf', async () => {
    await start(either(1000))
    asked = 0
    const { clientId, clientSecret } = clients.approved
    const fields: BodyCall['headers'] = [
      ['x-id', clientId],
      ['x-secret', clientSecret],
    ]
    expect((await callWithBody(running.url, { headers: fields, pieces: [] })).status).toBe(200)
    expect(asked).toBe(1)
  })

  it.each(['behind', 'before'] as const)(
    'strips the places that a function of somebody names, parser %s',
    async (where) => {
      const byMember = custom(
        async (request) => {
          const content = await request.body(1000)
          if (content.kind !== 'content') return undefined
          const [[clientId] = [], [clientSecret = ''] = []] = [content.textAt(['who']), content.textAt(['auth', 'key'])]
          return clientId === undefined ? undefined : { clientId, clientSecret }
        },
        { body: ['auth.key', ['a.b']] },
      )
      const guard = handlers.enforceClientId({ from: [byMember] })
      const chain = where === 'behind' ? [guard, express.json()] : [express.json(), guard]
      const app = express()
      app.use(...(chain as express.RequestHandler[]), (request, response) => response.json(request.body))
      running = await listen(app as never)
      closing.push(() => running.close())
      const { clientId, clientSecret } = clients.approved
      const content = JSON.stringify({ who: clientId, auth: { key: clientSecret, n: 1 }, 'a.b': 2, c: 3 })
      const answer = await callWithBody(running.url, { headers: [json], pieces: [content] })
      expect([answer.status, answer.json]).toEqual([200, { who: clientId, auth: { n: 1 }, c: 3 }])
    },
  )

  it('strips what a parser has left for a function of somebody who never asked for the body', async () => {
    const byParsed = custom(
      ({ raw }) => {
        const { who, key } = (raw as { body: { who: string; key: string } }).body
        return { clientId: who, clientSecret: key }
      },
      { body: ['key'] },
    )
    const app = express()
    app.use(express.json(), handlers.enforceClientId({ from: [byParsed] }))
    app.use((request, response) => response.json(request.body))
    running = await listen(app as never)
    closing.push(() => running.close())
    const { clientId, clientSecret } = clients.approved
    const content = JSON.stringify({ who: clientId, key: clientSecret })
    const answer = await callWithBody(running.url, { headers: [json], pieces: [content] })
    expect([answer.status, answer.json]).toEqual([200, { who: clientId }])
  })

  it('lets policies of others look into the body, which is the same for all', async () => {
    const seen: unknown[] = []
    const looks: Policy = {
      name: 'looks',
      decide: async (request, admission = { api: 'orders', authenticated: false }) => {
        const content = await request.body(1000)
        seen.push(content.kind === 'content' ? [content.textAt(['client_id']), content.textAt(['own'])] : content.kind)
        return { kind: 'admitted', admission, strip: { headers: [], query: [], body: [['own']] } }
      },
    }
    const app = express()
    const { enforce, enforceClientId } = handlers
    app.use(enforce({ ...looks }), enforceClientId({ from: [payload()], strip: 'all' }), enforce({ ...looks }))
    app.use(express.json(), (request, response) => response.json(request.body))
    running = await listen(app as never)
    closing.push(() => running.close())
    const content = JSON.stringify({ ...(JSON.parse(body()) as object), own: 'mine' })
    expect((await callWithBody(running.url, { headers: [json], pieces: [content] })).json).toEqual({ a: 1 })
    expect(seen).toEqual([
      [[clients.approved.clientId], ['mine']],
      [[clients.approved.clientId], ['mine']],
    ])
  })
})
