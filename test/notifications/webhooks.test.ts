import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { disableClient, memoryStore, readAuditLog, registerClient, type ContractStore } from 'clientele'
import {
  addWebhook,
  deliveries,
  enableWebhook,
  removeWebhook,
  rotateWebhookKey,
  sendWebhooks,
  verifyWebhook,
  type FollowerEvent,
  type KeyedWebhook,
  type SendWebhooksOptions,
} from 'clientele/notifications'
import { signatureOf } from '../../src/notifications/webhook-signature.js'
import { selfSigned } from '../support/certificate.js'
import { faultOf } from '../support/fault-of.js'
import { until } from '../support/until.js'
import { startReceiver, type Received } from './receiver.js'

const actor = 'ann'
const sealingKeys = randomBytes(32).toString('base64url')
const inside = { allowHttp: true, allowPrivate: true }

function sending(store: ContractStore, options: Partial<SendWebhooksOptions> = inside) {
  const events: FollowerEvent[] = []
  const onEvent = (event: FollowerEvent) => events.push(event)
  const times = { pollMs: 200, timeoutMs: 1000, claimMs: 2000 }
  const sender = sendWebhooks(store, { sealingKeys, onEvent, ...times, ...options })
  onTestFinished(() => sender.close())
  return { sender, events }
}

function add(store: ContractStore, url: string, options: object = {}): Promise<KeyedWebhook> {
  return addWebhook(store, { url, allowHttp: true, sealingKeys, actor, ...options })
}

const registered = (store: ContractStore, name: string) => registerClient(store, { name, actor })

function verified(key: string | readonly string[], { headers, body }: Received) {
  return verifyWebhook({ key, headers, body })
}

describe('webhooks', () => {
  it('are told of each step they want, signed, with an ID, a time, and who did it', async () => {
    const store = memoryStore()
    const receiver = await startReceiver()
    await registered(store, 'Before')
    const { webhook, key } = await add(store, receiver.url, { events: ['registerClient'] })
    sending(store)
    const { client } = await registered(store, 'Shop')
    await disableClient(store, { client: client.id, actor })
    await registered(store, 'Other')
    await until(() => receiver.received.length === 2)
    expect(receiver.steps()).toEqual(['registerClient', 'registerClient'])
    const [first] = receiver.received
    if (first === undefined) throw new Error('nothing came')
    const found = verified(key, first)
    expect(found).toMatchObject({
      kind: 'verified',
      event: { type: 'registerClient', data: { entry: '000000000003', actor, client: client.id } },
    })
    expect(first.headers['webhook-id']).toContain(webhook.id)
    expect(first.body).not.toMatch(/hash|previous|secret/)
  })

  it('get their messages through TLS, from who trusts their certificate', async () => {
    const store = memoryStore()
    const { certificate, privateKey } = selfSigned('hooks.example.com')
    const receiver = await startReceiver(undefined, { key: privateKey, cert: certificate })
    const { key } = await add(store, `https://hooks.example.com:${String(receiver.port)}/`)
    const resolve = () => Promise.resolve(['127.0.0.1'])
    const stranger = sending(store, { allowPrivate: true, resolve })
    await registered(store, 'Shop')
    await until(() => stranger.events.some(({ kind }) => kind === 'retrying'))
    expect(receiver.received).toEqual([])
    await stranger.sender.close()
    sending(store, { allowPrivate: true, resolve, ca: certificate })
    await until(() => receiver.received.length === 1)
    expect(receiver.received.map((each) => verified(key, each).kind)).toEqual(['verified'])
  })

  it('are sent the same again, under the same ID and a new time, until they take it', async () => {
    const store = memoryStore()
    const receiver = await startReceiver((response, count) => response.writeHead(count === 1 ? 500 : 200).end())
    const { key } = await add(store, receiver.url)
    const { events } = sending(store)
    await registered(store, 'Shop')
    await registered(store, 'Other')
    await until(() => receiver.received.length === 3)
    const [first, second, third] = receiver.received.map(({ headers }) => headers['webhook-id'])
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body)
    expect(receiver.received.map((each) => verified(key, each).kind)).toEqual(['verified', 'verified', 'verified'])
    expect(events[0]).toMatchObject({ kind: 'retrying', reason: 'HTTP_500', attempts: 1 })
  })

  it('that are slow, or never end, hold up themselves alone', async () => {
    const store = memoryStore()
    const slow = await startReceiver(() => undefined)
    const endless = await startReceiver((response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'.repeat(1000)), 5)
      response.on('close', () => clearInterval(timer))
    })
    const quick = await startReceiver()
    for (const { url } of [slow, endless, quick]) await add(store, url, { events: ['registerClient'] })
    const { events } = sending(store, { ...inside, timeoutMs: 3000, claimMs: 5000 })
    for (const name of ['One', 'Two', 'Three']) await registered(store, name)
    await until(() => quick.received.length === 3 && endless.received.length === 3)
    expect(events.filter(({ kind }) => kind !== 'delivered')).toEqual([])
    await until(() => events.some((event) => event.kind === 'retrying' && event.reason === 'TIMEOUT'))
    expect(slow.received).toHaveLength(1)
  })

  it('that say they are gone are disabled, and go on from there when somebody enables them', async () => {
    const store = memoryStore()
    const receiver = await startReceiver((response, count) => response.writeHead(count === 1 ? 410 : 200).end())
    const { webhook } = await add(store, receiver.url, { events: ['registerClient'] })
    sending(store)
    await registered(store, 'Shop')
    await until(() => store.find('webhook', { id: webhook.id })?.state === 'disabled')
    await until(async () => (await deliveries(store))[0]?.failed[0]?.reason === 'HTTP_410')
    await registered(store, 'Meanwhile')
    expect(receiver.received).toHaveLength(1)
    await enableWebhook(store, { webhook: webhook.id, actor })
    await until(() => receiver.received.length === 2)
  })

  it('that are removed are told nothing more, and leave nothing behind', async () => {
    const store = memoryStore()
    const receiver = await startReceiver((response) => response.writeHead(500).end())
    const { webhook } = await add(store, receiver.url)
    sending(store)
    await registered(store, 'Shop')
    await until(() => receiver.received.length > 0)
    await removeWebhook(store, { webhook: webhook.id, actor })
    expect((await store.list({ kind: 'webhook' })).records).toEqual([])
    expect((await store.list({ kind: 'follower' })).records).toEqual([])
  })

  it('with a new key are signed with both until the old one ends', async () => {
    const store = memoryStore()
    const receiver = await startReceiver()
    const { webhook, key } = await add(store, receiver.url, { events: ['registerClient'] })
    const rotated = await rotateWebhookKey(store, { webhook: webhook.id, overlapSeconds: 60, sealingKeys, actor })
    sending(store)
    await registered(store, 'Shop')
    await until(() => receiver.received.length === 1)
    const last = await rotateWebhookKey(store, { webhook: webhook.id, overlapSeconds: 0, sealingKeys, actor })
    await registered(store, 'Other')
    await until(() => receiver.received.length === 2)
    const kinds = [key, rotated.key, last.key].map((each) => receiver.received.map((one) => verified(each, one).kind))
    expect(kinds).toEqual([
      ['verified', 'refused'],
      ['verified', 'refused'],
      ['refused', 'verified'],
    ])
  })

  it('leave no key in the store, the audit log or an event, nor an address in the log', async () => {
    const store = memoryStore()
    const receiver = await startReceiver()
    const { webhook, key } = await add(store, `${receiver.url}?token=hidden`)
    const other = await rotateWebhookKey(store, { webhook: webhook.id, overlapSeconds: 60, sealingKeys, actor })
    const { events } = sending(store)
    await registered(store, 'Shop')
    await until(() => events.filter(({ kind }) => kind === 'delivered').length === 2)
    const entries: unknown[] = []
    for await (const entry of readAuditLog(store)) entries.push(entry)
    const stored = (await store.list({ kind: 'webhook' })).records
    for (const each of [key, other.key]) {
      for (const text of [each, each.slice('whsec_'.length)]) {
        expect(JSON.stringify([entries, stored, events, receiver.received])).not.toContain(text)
      }
    }
    expect(JSON.stringify([entries, events, await deliveries(store)])).not.toMatch(/hidden|127\.0\.0\.1/)
  })

  it('are not signed by who has another sealing key, nor by a key that was moved there from another webhook', async () => {
    const store = memoryStore()
    const receiver = await startReceiver()
    const [one, other] = [await add(store, receiver.url), await add(store, receiver.url)]
    const { id, version } = one.webhook
    const moved = { ...one.webhook, version: version + 1, keys: other.webhook.keys }
    await store.commit([{ kind: 'webhook', key: { id }, expect: version, value: moved }])
    const { sender, events } = sending(store, { ...inside, attempts: 1 })
    await registered(store, 'Shop')
    await until(() => events.some((event) => event.kind === 'failed' && event.reason === 'KEY_SEALED'))
    await sender.close()
    const stranger = sending(store, { ...inside, attempts: 1, sealingKeys: randomBytes(32).toString('hex') })
    await registered(store, 'Other')
    await until(() => stranger.events.filter(({ kind }) => kind === 'failed').length >= 2)
    expect(receiver.received.length).toBeLessThanOrEqual(3)
    expect(receiver.received.map((each) => verified(one.key, each).kind)).not.toContain('verified')
  })
})

/** What a receiver's address, or the receiver itself, could have us do. */
describe('webhooks to bad addresses', () => {
  /** What became of the first message. */
  async function reasonOf(url: string, options: Partial<SendWebhooksOptions>): Promise<string> {
    const store = memoryStore()
    await add(store, url)
    const { events } = sending(store, { attempts: 1, ...options })
    await registered(store, 'Shop')
    await until(() => events.length > 0)
    const [event] = events
    return event !== undefined && 'reason' in event ? event.reason : 'delivered'
  }

  it('reach nothing on this machine or network, by whatever name or number', async () => {
    const inner = await startReceiver()
    const hosts = [
      '127.0.0.1',
      '0x7f.1',
      '2130706433',
      'localhost',
      '0.0.0.0',
      '10.0.0.1',
      '169.254.169.254',
      '168.63.129.16',
      '[::127.0.0.1]',
      '[200::1]',
      '[100:0:0:1::1]',
      '[4000::1]',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '[fe80::1]',
      '[fd00::1]',
      '100.64.0.1',
    ]
    for (const host of hosts) {
      const reason = await reasonOf(`http://${host}:${String(inner.port)}/`, { allowHttp: true })
      expect([host, reason]).toEqual([host, 'PRIVATE_ADDRESS'])
    }
    expect(inner.received).toEqual([])
  })

  it('go to the address that was looked at, though the name leads elsewhere a moment later', async () => {
    const inner = await startReceiver()
    let asked = 0
    const rebinding = () => Promise.resolve([asked++ === 0 ? '192.0.2.1' : '127.0.0.1'])
    const url = `http://rebinding.example:${String(inner.port)}/`
    // 192.0.2.1 is nobody's (RFC 5737), and as such refused; asked once more it would be this machine.
    expect(await reasonOf(url, { allowHttp: true, resolve: rebinding })).toBe('PRIVATE_ADDRESS')
    expect(asked).toBe(1)
    asked = 0
    const publicFirst = () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['203.0.113.1'])
    expect(await reasonOf(url, { ...inside, resolve: publicFirst })).toBe('delivered')
    expect([asked, inner.received.length]).toEqual([1, 1])
    const mixed = () => Promise.resolve(['93.184.215.14', '127.0.0.1'])
    expect(await reasonOf(url, { allowHttp: true, resolve: mixed })).toBe('PRIVATE_ADDRESS')
    expect(inner.received).toHaveLength(1)
  })

  it('are not sent on by a redirect', async () => {
    const inner = await startReceiver()
    for (const status of [301, 302, 303, 307, 308]) {
      const receiver = await startReceiver((response) => response.writeHead(status, { location: inner.url }).end())
      expect(await reasonOf(receiver.url, inside)).toBe(`HTTP_${String(status)}`)
    }
    expect(inner.received).toEqual([])
  })

  it('are not sent in the clear where nobody has allowed it, whatever stands in the store', async () => {
    const receiver = await startReceiver()
    expect(await reasonOf(receiver.url, { allowPrivate: true })).toBe('HTTP_NOT_ALLOWED')
    expect(receiver.received).toEqual([])
  })

  it('are refused when they are added: other schemes, and what would be lost or shown', async () => {
    const store = memoryStore()
    const wrong = ['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd', 'example.com', '/hook']
    for (const url of [...wrong, 'https://user:secret@example.com/', 'https://example.com/#part']) {
      const fault = await faultOf(() => addWebhook(store, { url, sealingKeys, actor }))
      expect([url, fault]).toMatchObject([url, { code: 'ERR_CLIENTELE_INVALID' }])
      expect(String(fault)).not.toContain('secret')
    }
    expect(
      await faultOf(() => addWebhook(store, { url: 'https://example.com/', sealingKeys: 'short', actor })),
    ).toMatchObject({
      code: 'ERR_CLIENTELE_OPTIONS',
    })
  })
})

describe('a receiver', () => {
  async function message(): Promise<Received & { readonly key: string }> {
    const store = memoryStore()
    const receiver = await startReceiver()
    const { key } = await add(store, receiver.url)
    sending(store)
    await registered(store, 'Shop')
    await until(() => receiver.received.length === 1)
    const [first] = receiver.received
    if (first === undefined) throw new Error('nothing came')
    return { ...first, key }
  }

  it('refuses what was changed, made up, sent for another key, or is old', async () => {
    const { key, headers, body } = await message()
    const other = `whsec_${randomBytes(32).toString('base64')}`
    const later = String(Number(headers['webhook-timestamp']) + 1)
    const check = (changes: object, text = body, by = key) =>
      verifyWebhook({ key: by, headers: { ...headers, ...changes }, body: text })
    expect(check({})).toMatchObject({ kind: 'verified' })
    const refused: [ReturnType<typeof check>, string][] = [
      [check({}, body.replace('ann', 'bob')), 'signature'],
      [check({}, body, other), 'signature'],
      [check({ 'webhook-id': 'msg_other' }), 'signature'],
      [check({ 'webhook-timestamp': later }), 'signature'],
      [check({ 'webhook-timestamp': String(Number(later) - 400) }), 'time'],
      [check({ 'webhook-timestamp': String(Number(later) + 400) }), 'time'],
      [check({ 'webhook-timestamp': 'NaN' }), 'headers'],
      [check({ 'webhook-timestamp': ['1', '2'] }), 'headers'],
      [check({ 'webhook-signature': undefined }), 'headers'],
      [check({ 'webhook-signature': 'v1,' }), 'signature'],
      [check({ 'webhook-signature': String(headers['webhook-signature']).replace('v1,', 'v2,') }), 'signature'],
    ]
    for (const [found, reason] of refused) expect(found).toEqual({ kind: 'refused', reason })
  })

  it('knows by its ID what is sent once more within the tolerance', async () => {
    const { key, headers, body } = await message()
    const seen = new Set<string>()
    const take = (): boolean => {
      const found = verifyWebhook({ key, headers, body: Buffer.from(body) })
      if (found.kind !== 'verified' || seen.has(found.id)) return false
      return seen.add(found.id).size > 0
    }
    expect([take(), take()]).toEqual([true, false])
  })

  it('is told what it gave wrong', async () => {
    for (const options of [{ key: 'secret' }, { key: [] }, { body: { type: 'parsed' } }, { toleranceSeconds: 0 }]) {
      const base = { key: `whsec_${randomBytes(32).toString('base64')}`, headers: {}, body: '' }
      const fault = await faultOf(() => verifyWebhook({ ...base, ...options } as never))
      expect(fault).toMatchObject({ code: 'ERR_CLIENTELE_OPTIONS' })
    }
  })

  it('and a sender sign as the example does that implementations of the specification share', () => {
    const [key, id] = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek']
    const expected = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    expect(signatureOf(key, id, 1_614_265_330, '{"test": 2432232314}')).toBe(expected)
  })
})
