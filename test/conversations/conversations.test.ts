import { basicAuth, custom, headers, memoryStore, payload, query } from 'clientele'
import { clientele } from 'clientele/express'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Policy } from 'clientele'
import { call, type Answer } from '../support/call.js'
import { frameworks, type App, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { basic, clientIdConversations, seen, withHeaders, type Clients } from './client-id.js'

const cookie = custom(
  (request) => {
    const [pair] = request.headerValues('cookie')
    const [clientId, clientSecret] = pair?.replace('key=', '').split('.') ?? []
    return clientId === undefined ? undefined : { clientId, ...(clientSecret && { clientSecret }) }
  },
  { headers: ['cookie'] },
)

const any = [headers(), query(), basicAuth()]

const app: App = {
  routes: {
    'ALL /headers': (on) => [on.enforceClientId()],
    'ALL /any': (on) => [on.enforceClientId({ from: any })],
    'ALL /basic': (on) => [on.enforceClientId({ from: [basicAuth()] })],
    'ALL /all': (on) => [on.enforceClientId({ from: any, strip: 'all' })],
    'ALL /keep': (on) => [on.enforceClientId({ from: any, strip: 'none' })],
    'ALL /payload': (on) => [on.enforceClientId({ from: [payload({ maxBytes: 1000 })] })],
    'ALL /custom': (on) => [on.enforceClientId({ from: [cookie] })],
    'ALL /optional': (on) => [on.enforceClientId({ secret: 'optional' })],
    'ALL /limited': (on) => [on.enforceClientId(), on.limitBySla({ fields: ['ratelimit', 'x-ratelimit'] })],
    'ALL /twice': (on) => [
      on.enforceClientId(),
      on.enforceClientId({ from: [headers({ id: 'x-id', secret: 'x-secret' })] }),
    ],
    'ALL /open': () => [],
  },
}

/** With what the policies of a route say that they turn requests away. */
function describedCodes(target: string): readonly (string | undefined)[] {
  const [path] = target.split('?')
  const handlers = app.routes[`ALL ${path ?? ''}`]?.(clientele({ api: 'orders', store: memoryStore() })) ?? []
  return handlers.flatMap((handler) => (handler as { policy?: Policy }).policy?.description?.refusals ?? [])
}

/** What holds for every refusal, whatever it is. */
function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: (answer.json as { code?: string } | undefined)?.code }).toEqual({
    status,
    code,
  })
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.json).toMatchObject({ status, code })
  if (status === 401) expect(answer.fields('www-authenticate').length).toBeGreaterThan(0)
}

describe.each(frameworks)('$name', (framework) => {
  let server: Running
  let clients: Clients

  beforeAll(async () => {
    const seeded = await seededStore()
    clients = seeded.clients
    server = await framework.start({ api: 'orders', store: seeded.store }, app)
  })

  afterAll(() => server.close())

  const good = (path: string, more: readonly (readonly [string, string])[] = []) =>
    call(server.url, {
      path,
      headers: withHeaders(clients.approved.clientId, clients.approved.clientSecret, more) ?? [],
    })

  it.each(clientIdConversations)('$name → $status $code', async ({ send, status, code, also }) => {
    const answer = await call(server.url, send(clients))
    if (code === undefined) expect(answer.status, answer.text).toBe(status)
    else {
      expectProblem(answer, status, code)
      expect(describedCodes(send(clients).path ?? '/')).toContain(code)
    }
    also?.(answer, clients)
    // The process is alive and serves the next one.
    expect((await good('/headers')).status).toBe(200)
  })

  it('hands over an admission that holds no secret', async () => {
    const { approved } = clients
    const answer = await good('/limited')
    expect(seen(answer).admission).toMatchObject({
      api: 'orders',
      authenticated: true,
      client: { id: approved.id, name: 'approved', identity: { issuer: 'local', clientId: approved.clientId } },
      contract: { client: approved.id, api: 'orders', tier: 'gold' },
      tier: { name: 'gold' },
      usage: { remaining: expect.any(Number) as number },
    })
    expect(seen(answer).view).toEqual(seen(answer).admission)
    expect(answer.text).not.toContain(approved.clientSecret)
    expect(answer.text).not.toContain('hash')
  })

  it('says "unauthenticated" of an ID alone', async () => {
    const answer = await call(server.url, { path: '/optional', headers: withHeaders(clients.public.clientId) ?? [] })
    expect(seen(answer).admission).toMatchObject({ authenticated: false, client: { type: 'public' } })
  })

  it('answers unknown, wrong and disabled with the same bytes', async () => {
    const { approved, disabled, none } = clients
    const answers = await Promise.all(
      [
        ['unknown', approved.clientSecret],
        [approved.clientId, none.clientSecret],
        [disabled.clientId, disabled.clientSecret],
        [clients.public.clientId, approved.clientSecret],
      ].map(([id = '', secret = '']) => call(server.url, { path: '/any', headers: withHeaders(id, secret) ?? [] })),
    )
    const [first, ...others] = answers.map(({ status, text, headers: { date: _date, ...fields } }) => ({
      status,
      text,
      fields,
    }))
    for (const other of others) expect(other).toEqual(first)
  })

  it('sends a Basic challenge only where basicAuth() is listed', async () => {
    expect((await call(server.url, { path: '/headers' })).fields('www-authenticate')).toEqual([
      'Client-ID realm="orders"',
    ])
    expect((await call(server.url, { path: '/any' })).fields('www-authenticate')).toEqual([
      'Client-ID realm="orders"',
      'Basic realm="orders", charset="UTF-8"',
    ])
  })

  describe('what the handler sees', () => {
    it('no longer holds the secret, in whatever form the framework keeps it', async () => {
      const { clientId, clientSecret } = clients.approved
      const path = `/any?a=%20b&client_id=${clientId}&x=1&x=2&client%5Fsecret=${clientSecret}&z`
      const answer = await call(server.url, {
        path,
        headers: [['Client_Secret', clientSecret], ['client_id', clientId], basic(clientId, clientSecret)],
      })
      expect(answer.status, answer.text).toBe(200)
      expect(answer.text).not.toContain(clientSecret)
      expect(answer.text).not.toContain(Buffer.from(`${clientId}:${clientSecret}`).toString('base64'))
      expect(seen(answer).url).toBe(`/any?a=%20b&client_id=${clientId}&x=1&x=2&z`)
      expect(seen(answer).originalUrl).toBe(seen(answer).url)
      expect(seen(answer).query).toEqual({ a: ' b', client_id: clientId, x: ['1', '2'], z: '' })
      expect(seen(answer).headers).toMatchObject({ client_id: clientId })
    })

    it('holds neither with strip: "all"', async () => {
      const { clientId, clientSecret } = clients.approved
      const query = `client_id=${clientId}&client_secret=${clientSecret}`
      for (const call_ of [
        { path: `/all?${query}` },
        { path: '/all', headers: withHeaders(clientId, clientSecret) ?? [] },
      ]) {
        const answer = await call(server.url, call_)
        const { admission: _admission, view: _view, ...rest } = seen(answer)
        expect(JSON.stringify(rest)).not.toContain(clientId)
        expect(seen(answer).url).toBe('/all')
      }
    })

    it('is untouched with strip: "none"', async () => {
      const { clientId, clientSecret } = clients.approved
      const path = `/keep?client_id=${clientId}&client_secret=${clientSecret}`
      const answer = await call(server.url, { path, headers: withHeaders(clientId, clientSecret) ?? [] })
      expect(seen(answer)).toMatchObject({ url: path, originalUrl: path, headers: { client_secret: clientSecret } })
    })
  })

  it('keeps answers to credentials outside of Authorization out of shared caches', async () => {
    const answer = await good('/headers')
    expect(answer.headers['cache-control']).toBe('private')
    expect(answer.headers.vary).toContain('client_id')
    const { clientId, clientSecret } = clients.approved
    const basicAnswer = await call(server.url, { path: '/any', headers: [basic(clientId, clientSecret)] })
    expect(basicAnswer.headers['cache-control']).toBeUndefined()
  })

  it('names the fields of every policy that the answer depends on', async () => {
    const { clientId, clientSecret } = clients.approved
    const own: [string, string][] = [
      ['x-id', clientId],
      ['x-secret', clientSecret],
    ]
    const answer = await call(server.url, { path: '/twice', headers: withHeaders(clientId, clientSecret, own) ?? [] })
    expect(answer.status).toBe(200)
    expect(answer.headers.vary).toMatch(/client_id.*x-id/)
  })

  it('leaves an unprotected route alone', async () => {
    const answer = await call(server.url, { path: '/open' })
    expect(answer.status).toBe(200)
    expect(seen(answer).admission).toBeUndefined()
  })
})

describe.each(frameworks.slice(0, 2))('$name, with a handler that passes its fields to writeHead()', (framework) => {
  it('is private all the same', async () => {
    const { store, clients } = await seededStore()
    const writesHead: Policy = {
      name: 'writesHead',
      decide: ({ raw }) => {
        const { res } = raw as { res: ServerResponse }
        res.writeHead(202, 'Accepted', { 'cache-control': 'public', vary: 'accept' }).end()
        return { kind: 'admitted', admission: { api: 'orders', authenticated: false } }
      },
    }
    const routes: App['routes'] = { 'ALL /': (on) => [on.enforceClientId(), on.enforce(writesHead)] }
    const server = await framework.start({ api: 'orders', store }, { routes })
    const { clientId, clientSecret } = clients.approved
    const answer = await call(server.url, { path: '/', headers: withHeaders(clientId, clientSecret) ?? [] })
    await server.close()
    expect([answer.status, answer.headers['cache-control']]).toEqual([202, 'private'])
    expect(answer.headers.vary).toMatch(/accept.*client_id/)
  })
})

describe.each(frameworks)('$name, with a handler that calls its answer public', (framework) => {
  it('is private all the same', async () => {
    const { store, clients } = await seededStore()
    const touch = (set: (name: string, value: string) => void): void => {
      set('Cache-Control', 'public, max-age=60, s-maxage=600')
      set('Vary', 'Accept')
    }
    const server = await framework.start({ api: 'orders', store }, { ...app, touch })
    const { clientId, clientSecret } = clients.approved
    const answer = await call(server.url, { path: '/headers', headers: withHeaders(clientId, clientSecret) ?? [] })
    await server.close()
    expect(answer.headers['cache-control']).toBe('private, max-age=60')
    expect(answer.headers.vary).toMatch(/Accept.*client_id/)
  })
})
