import { createHash } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { approveContract, basicAuth, headers, payload, query, registerClient, requestContract } from 'clientele'
import type { ContractStore } from 'clientele'
import { clientele } from 'clientele/express'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Clients } from '../conversations/client-id.js'
import { callWithBody, exchangeBytes, form, json, type BodyCall } from '../support/body-call.js'
import { parsingFrameworks, type Parsed } from '../support/body-apps.js'
import type { Answer } from '../support/call.js'
import type { Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'

const actor = 'test'
const attacked = parsingFrameworks.filter(({ name }) => !/keeps|koa-body$/.test(name))
const bomb = gzipSync(Buffer.alloc(30_000_000))
const from = [payload(), headers(), query(), basicAuth()]

describe.each(attacked)('$name', (framework) => {
  let store: ContractStore
  let clients: Clients
  let guarded: Running
  let open: Running
  const events: unknown[] = []

  beforeAll(async () => {
    const seeded = await seededStore()
    store = seeded.store
    clients = seeded.clients
    const onDecision = (event: unknown): void => void events.push(event)
    guarded = await framework.start(
      { api: 'orders', store, onDecision },
      { guards: (on) => [on.enforceClientId({ from })] },
    )
    open = await framework.start({ api: 'orders', store }, { guards: () => [] })
  })
  afterAll(() => Promise.all([guarded.close(), open.close()]))

  const id = (): string => clients.approved.clientId
  const secret = (): string => clients.approved.clientSecret
  const filled = (body: string): string => body.replaceAll('ID', id()).replaceAll('SECRET', secret())
  const fields = (): [string, string][] => [
    ['client_id', id()],
    ['client_secret', secret()],
  ]

  /** The answer, from a process that serves the next good request. */
  async function attack(call: BodyCall): Promise<Answer> {
    const answer = await callWithBody(guarded.url, call)
    const good: BodyCall = { headers: [json], pieces: [filled('{"client_id":"ID","client_secret":"SECRET"}')] }
    expect((await callWithBody(guarded.url, good)).status).toBe(200)
    return answer
  }

  const codeOf = ({ status, json: document }: Answer): unknown => [
    status,
    (document as { code?: string } | undefined)?.code,
  ]

  describe('#22 exactly one string per value', () => {
    it.each([
      '{"client_id":["ID"],"client_secret":"SECRET"}',
      '{"client_id":{"$ne":null},"client_secret":{"$ne":null}}',
      '{"client_id":"ID","client_secret":["SECRET"]}',
      '{"client_id":"ID","client_secret":{"$gt":""}}',
      '{"client_id":"ID","client_secret":null}',
      '{"client_id":"ID","client_secret":true}',
      '{"client_id":1,"client_secret":2}',
      '{"client_id":"ID","client_secret":"SECRET","client_id":"ID"}',
      '{"client_id":"other","client_id":"ID","client_secret":"SECRET"}',
      '{"client_id":"ID","client_secret":"SECRET","client\\u005fsecret":"SECRET"}',
      '{"client_id":"ID","client_secret":"SECRET","\\u0063lient_id":{}}',
      '{"client_secret":"SECRET"}',
      '{"client_id":"","client_secret":"SECRET"}',
      '{"client_id":"ID","client_secret":""}',
      '{"client_id":"\\ud800","client_secret":"SECRET"}',
      '{"client_id":"ID","client_secret":"\\udc00\\ud800"}',
    ])('JSON: %s', async (body) => {
      expect(codeOf(await attack({ headers: [json], pieces: [filled(body)] }))).toEqual([400, 'credentials_malformed'])
    })

    it.each([
      'client_id=ID&client_id=ID&client_secret=SECRET',
      'client_id[]=ID&client_secret=SECRET',
      'client_id%5B%5D=ID&client_secret=SECRET',
      'client_id[0]=ID&client_secret=SECRET',
      'client_id[a]=ID&client_secret=SECRET',
      'client_id.a=ID&client_secret=SECRET',
      'client_id[$ne]=&client_secret[$ne]=',
      '[client_id]=ID&client_secret=SECRET',
      'client_id=ID&client_secret=SECRET&client_secret[]=x',
      'client_id=ID&client_secret=SECRET&client%5Fsecret=x',
      'client_id=ID&client_secret=%zz',
      'client_id=ID&client_secret=%E4',
      'client_id=ID&client_secret',
      'client_id=ID&client_secret=a]=SECRET',
    ])('form: %s', async (body) => {
      expect(codeOf(await attack({ headers: [form], pieces: [filled(body)] }))).toEqual([400, 'credentials_malformed'])
    })

    it.each([
      '{"__proto__":{"client_id":"ID","client_secret":"SECRET"}}',
      '{"constructor":{"prototype":{"client_id":"ID","client_secret":"SECRET"}}}',
      '{"a":{"client_id":"ID","client_secret":"SECRET"}}',
      '[{"client_id":"ID","client_secret":"SECRET"}]',
      '{"Client_Id":"ID","CLIENT_SECRET":"SECRET"}',
    ])('nobody by a place that is not listed: %s', async (body) => {
      expect(codeOf(await attack({ headers: [json], pieces: [filled(body)] }))).toEqual([401, 'credentials_missing'])
      expect(({} as Record<string, unknown>).client_id).toBeUndefined()
    })

    it('strange texts are nobody', async () => {
      const strange = ['__proto__', 'constructor', '\u0000\u2028', 'x'.repeat(10_240), '../*']
      for (const text of strange) {
        const body = JSON.stringify({ client_id: text, client_secret: text })
        expect(codeOf(await attack({ headers: [json], pieces: [body] }))).toEqual([401, 'client_invalid'])
        const asForm = new URLSearchParams({ client_id: text, client_secret: text }).toString()
        expect(codeOf(await attack({ headers: [form], pieces: [asForm] }))).toEqual([401, 'client_invalid'])
      }
    })
  })

  describe('#23 halves and disagreements', () => {
    it('is refused where the body says another than a field, whoever is right', async () => {
      const { pending } = clients
      const other = JSON.stringify({ client_id: pending.clientId, client_secret: pending.clientSecret })
      expect(codeOf(await attack({ headers: [json, ...fields()], pieces: [other] }))).toEqual([
        400,
        'credentials_ambiguous',
      ])
      const half = filled('{"client_id":"ID"}')
      expect(codeOf(await attack({ headers: [json, ...fields()], pieces: [half] }))).toEqual([
        400,
        'credentials_ambiguous',
      ])
      const broken = '{"client_id":'
      expect(codeOf(await attack({ headers: [json, ...fields()], pieces: [broken] }))).toEqual([
        400,
        'credentials_malformed',
      ])
    })
  })

  describe('#26 bombs', () => {
    const members = (): string => filled('"client_id":"ID","client_secret":"SECRET"')

    it('of depth are handed on, or unreadable', async () => {
      for (const [open_, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const depth = Math.floor(60_000 / (open_.length + close.length))
        const deep = `${open_.repeat(depth)}1${close.repeat(depth)}`
        const answer = await attack({ headers: [json], pieces: [`{"x":${deep},${members()}}`] })
        expect(answer.status).toBe(
          (await callWithBody(open.url, { headers: [json], pieces: [`{"x":${deep}}`] })).status,
        )
        expect((await attack({ headers: [json], pieces: [deep] })).status).toBe(401)
        const half = open_.repeat(65_536 / open_.length)
        expect(codeOf(await attack({ headers: [json], pieces: [half] }))).toEqual([400, 'credentials_malformed'])
      }
    })

    it('of breadth cost little', async () => {
      const start = performance.now()
      for (const part of ['"a":1,', '"\\u0061":1,', '"client_secre":1,', '"":"\\\\\\"",']) {
        const wide = part.repeat(Math.floor(65_000 / part.length))
        expect((await attack({ headers: [json], pieces: [`{${wide}${members()}}`] })).status).toBe(200)
      }
      for (const part of ['&', 'a&', '%zz&', '%ff=&', 'client%=&']) {
        const wide = part.repeat(Math.floor(65_000 / part.length))
        const answer = await attack({ headers: [form], pieces: [`${wide}client_id=${id()}&client_secret=wrong`] })
        expect(codeOf(answer)).toEqual([401, 'client_invalid'])
      }
      expect(performance.now() - start).toBeLessThan(5000)
    })

    it('of size are not taken, packed or not', async () => {
      const calls: BodyCall[] = [
        { headers: [json], pieces: [Buffer.alloc(200_000, ' ')] },
        { headers: [json], pieces: [Buffer.alloc(200_000, ' ')], chunked: true },
        { headers: [json, ['Content-Encoding', 'gzip']], pieces: [bomb] },
        {
          headers: [json, ['Content-Encoding', 'gzip, gzip']],
          pieces: [gzipSync(bomb)],
        },
      ]
      for (const call of calls) expect(codeOf(await attack(call))).toEqual([413, 'body_too_large'])
    })

    it('of layers, and what is packed otherwise, are unreadable', async () => {
      let layered = Buffer.from('{}')
      for (let layer = 0; layer < 20; layer += 1) layered = gzipSync(layered)
      const packed = gzipSync(filled('{"client_id":"ID","client_secret":"SECRET"}'))
      const calls: [string, Uint8Array | string][] = [
        [Array(20).fill('gzip').join(), layered],
        ['gzip', '{}'],
        ['gzip', packed.subarray(0, -9)],
        ['deflate', packed],
        ['br', packed],
        ['zstd', packed],
        ['compress', packed],
        ['__proto__', packed],
        ['aes128gcm', packed],
        ['gzip', gzipSync(Buffer.from([0xff, 0xfe]))],
      ]
      for (const [coding, bytes] of calls) {
        const answer = await attack({ headers: [json, ['Content-Encoding', coding]], pieces: [bytes] })
        expect([coding, codeOf(answer)]).toEqual([coding, [400, 'credentials_malformed']])
      }
    })
  })

  it('survives callers that hang up in the middle, and those that never send', async () => {
    const { port } = new URL(guarded.url)
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
    const before = events.length
    for (const rest of [
      'Content-Length: 100\r\n\r\n{"a"',
      'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n',
      'Content-Length: 9\r\n\r\n',
    ]) {
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(head + rest)
      await sleep(20)
      socket.destroy()
    }
    await attack({ headers: [json], pieces: ['{}'] })
    const told = events.slice(before) as { verdict: string; code?: string }[]
    expect(told.filter(({ verdict }) => verdict === 'fault')).toEqual([])
  })

  describe('#45 types on which reader and parser could disagree', () => {
    const types = [
      'application/json',
      'APPLICATION/JSON',
      'application/json;charset=utf-8',
      'application/json ;charset="UTF-8"',
      'application/json\t;charset=utf-8',
      'application/json;\tcharset=utf-8',
      'application/json;',
      'application/json; charset=',
      'application/json; charset=utf8',
      'application/json; charset=utf-16',
      'application/json; charset=utf-16le',
      'application/json; charset=utf-32',
      'application/json; charset=utf-7',
      'application/json; charset=us-ascii',
      'application/json; charset=utf-8; charset=utf-16',
      'application/json; charset=utf-16; charset=utf-8',
      'application/json, text/plain',
      'text/plain, application/json',
      'application/json application/json',
      '"application/json"',
      'application /json',
      'application/json\u00e9',
      'application/vnd.api+json',
      'text/plain',
      'text/json',
      'application/jsonx',
      'application/json+x',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded; charset=iso-8859-1',
      'application/x-www-form-urlencoded, application/json',
    ]

    it.each(types.map((type) => [type]))('%j', async (type) => {
      const body = type.includes('urlencoded')
        ? filled('a=1&client_id=ID&client_secret=SECRET')
        : filled('{"a":1,"client_id":"ID","client_secret":"SECRET"}')
      const bytes = Buffer.from(
        type.includes('utf-16') ? `\ufeff${body}` : body,
        type.includes('utf-16') ? 'utf16le' : 'utf8',
      )
      for (const pieces of [[body], [bytes]]) {
        const call: BodyCall = { headers: [['Content-Type', Buffer.from(type).toString('latin1')]], pieces }
        const answer = await attack(call)
        if (answer.status === 400) continue
        const parsed = parsedOrNot(await callWithBody(open.url, call))
        // Neither saw anything, or both saw the same.
        if (answer.status === 401) expect([type, parsed?.client_id]).toEqual([type, undefined])
        else {
          expect([type, answer.status]).toEqual([type, 200])
          const { client_secret: _secret, ...rest } = parsed ?? {}
          expect(parsedOrNot(answer) ?? {}).toEqual(rest)
        }
      }
    })

    it.each([
      ['application/json', 'text/plain'],
      ['text/plain', 'application/json'],
      ['application/json', 'application/json'],
      ['application/x-www-form-urlencoded', 'application/json'],
    ])('two of them: %s and %s', async (...both) => {
      const call: BodyCall = {
        headers: both.map((type) => ['Content-Type', type] as const),
        pieces: [filled('{"client_id":"ID","client_secret":"SECRET"}')],
      }
      expect(codeOf(await attack(call))).toEqual([400, 'credentials_malformed'])
    })

    it.each([
      '{client_id:"ID",client_secret:"SECRET"}',
      "{'client_id':'ID','client_secret':'SECRET'}",
      '{"client_id":"ID","client_secret":"SECRET",}',
      '{"client_id":"ID","client_secret":"SECRET"}//',
      '{"client_id":"ID","client_secret":"SECRET"}{"a":1}',
      '/* */{"client_id":"ID","client_secret":"SECRET"}',
      '{"client_id":"ID","client_secret":"SECRET","a":NaN}',
      '{"client_id":"ID","client_secret":"SECRET","a":01}',
      '{"client_id":"ID","client_secret":"SEC\nRET"}',
      '{"client_id":"ID","client_secret":"SECRET\\x41"}',
      '{"\\x41":1,"client_id":"ID","client_secret":"SECRET"}',
      '\u00a0{"client_id":"ID","client_secret":"SECRET"}',
      '\ufeff\ufeff{"client_id":"ID","client_secret":"SECRET"}',
      'client_id=ID&client_secret=SECRET',
    ])('what is only JSON to the lenient: %s', async (body) => {
      expect(codeOf(await attack({ headers: [json], pieces: [filled(body)] }))).toEqual([400, 'credentials_malformed'])
    })

    it('bytes that are not UTF-8', async () => {
      const bytes = Buffer.from(filled('{"client_id":"ID","client_secret":"SECRET","a":"\u00e4"}'), 'latin1')
      expect(codeOf(await attack({ headers: [json], pieces: [bytes] }))).toEqual([400, 'credentials_malformed'])
      const asForm = Buffer.from(filled('client_id=ID&client_secret=SECRET&a=\u00e4'), 'latin1')
      expect(codeOf(await attack({ headers: [form], pieces: [asForm] }))).toEqual([400, 'credentials_malformed'])
    })
  })

  describe('#48 a non-ASCII secret', () => {
    it('is the same one in every body, and in every other place', async () => {
      const clientSecret = 'p\u00e4ssw\u00f6rd: 100% +1 \u20ac \ud83d\ude00'
      const { client, clientId } = await registerClient(store, {
        name: `umlaut ${framework.name}`,
        clientSecret,
        actor,
      })
      await requestContract(store, { client: client.id, api: 'orders', tier: 'gold', actor })
      await approveContract(store, { client: client.id, api: 'orders', actor, ownRequest: true })
      const members = { client_id: clientId, client_secret: clientSecret }
      const plain = JSON.stringify(members)
      const escaped = plain.replace(/[^\x20-\x7e]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
      const encoded = encodeURIComponent(clientSecret)
      const ways: BodyCall[] = [
        { headers: [json], pieces: [plain] },
        { headers: [json], pieces: [escaped] },
        { headers: [json], pieces: [`\ufeff${plain}`] },
        { headers: [json, ['Content-Encoding', 'gzip']], pieces: [gzipSync(plain)] },
        { headers: [form], pieces: [new URLSearchParams(members).toString()] },
        { headers: [form], pieces: [`client_id=${clientId}&client_secret=${encoded.toLowerCase()}`] },
        {
          headers: [form],
          pieces: [`client_id=${clientId}&client_secret=${clientSecret.replace('%', '%25').replace('+', '%2B')}`],
        },
        {
          path: `/?client_id=${clientId}&client_secret=${encoded}`,
          headers: [json, ['client_id', clientId], ['client_secret', Buffer.from(clientSecret).toString('latin1')]],
          pieces: [plain],
        },
      ]
      for (const [index, way] of ways.entries()) {
        const answer = await callWithBody(guarded.url, way)
        expect([index, answer.status], answer.text).toEqual([index, 200])
      }
    })
  })

  describe('#49 canaries', () => {
    it('come out in no answer, event or request that the handler sees', async () => {
      const canary = `canary${createHash('sha256').update(framework.name).digest('hex')}`
      const bodies: BodyCall[] = [
        { headers: [json], pieces: [JSON.stringify({ client_id: id(), client_secret: canary })] },
        { headers: [json], pieces: [JSON.stringify({ client_id: canary, client_secret: canary })] },
        { headers: [json], pieces: [JSON.stringify({ client_id: [canary], client_secret: canary })] },
        { headers: [json], pieces: [`{"client_id":"${canary}`] },
        { headers: [form], pieces: [`client_id=${canary}&client_secret=${canary}&client_secret=${canary}`] },
        { headers: [json], pieces: [JSON.stringify({ a: canary.repeat(1000) })] },
      ]
      for (const call of bodies) {
        const answer = await callWithBody(guarded.url, call)
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toContain(canary)
      }
      const good = filled('{"client_id":"ID","client_secret":"SECRET"}')
      expect((await callWithBody(guarded.url, { headers: [json], pieces: [good] })).text).not.toContain(secret())
      expect(inspect(events, { depth: 10, maxStringLength: null, maxArrayLength: null })).not.toMatch(
        new RegExp(`${canary}|${secret()}`),
      )
    })
  })

  /** What a parser has made of a body: an object, a text that is none of ours, or nothing. */
  function parsedOrNot(answer: Answer): Record<string, unknown> | undefined {
    const { body, type } = answer.json as Partial<Parsed>
    return type === 'object' ? (body as Record<string, unknown>) : undefined
  }
})

it('leaves a caller that drips to the time limit of the server', async () => {
  const { store } = await seededStore()
  const { enforceClientId } = clientele({ api: 'orders', store })
  const app = express().use(enforceClientId({ from: [payload()] }))
  const limits = { requestTimeout: 200, headersTimeout: 200, connectionsCheckingInterval: 20 }
  const server = createServer(limits, app as unknown as RequestListener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{'
  expect(await exchangeBytes(url, head)).toMatch(/^HTTP\/1\.1 408 /)
  server.close()
})
