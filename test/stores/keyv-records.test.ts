import KeyvRedis from '@keyv/redis'
import { setTimeout as sleep } from 'node:timers/promises'
import { registerClient, requestContract, removeClient, type Contract, type ContractStore } from 'clientele'
import { keyvStore, type KeyvLike } from 'clientele/keyv'
import { Keyv as Keyv5 } from 'keyv'
import { describe, expect, it } from 'vitest'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { FailingAdapter, FailingAdapterForMany } from './failing-adapter.js'
import { describeEachMajor } from './keyv-majors.js'

const actor = 'test'
const soleWriter = { soleWriter: true } as const
const acme = { issuer: 'local', clientId: 'acme' }
const outage = { code: 'ERR_CLIENTELE_STORE' }

describeEachMajor('records of keyvStore', (Keyv, major) => {
  it('have no lifetime, whatever that of the Keyv is', async () => {
    const rows = new Map<string, unknown>()
    const adapter = new FailingAdapter('throws', rows)
    const store = keyvStore(new Keyv({ store: adapter, ttl: 20 }), soleWriter)
    await store.commit(known('acme'))
    await sleep(50)
    expect(await store.findClient(acme)).toMatchObject({ id: 'acme' })
    for (const row of rows.values()) expect(JSON.parse(String(row))).not.toHaveProperty('expires')
  })

  it('stand in the namespace of the Keyv, and are not found from another', async () => {
    const rows = new Map<string, unknown>()
    const inNamespace = (namespace: string) =>
      keyvStore(new Keyv({ store: new FailingAdapter('throws', rows), namespace }), soleWriter)
    const [one, two] = [inNamespace('one'), inNamespace('two')]
    await one.commit(known('acme'))
    await two.commit(known('other'))
    expect(await two.findClient(acme)).toBeUndefined()
    expect((await one.list({ kind: 'client' })).records).toHaveLength(1)
    const separator = major === 5 ? ':' : '::'
    for (const key of rows.keys()) expect(key).toMatch(new RegExp(`^(one|two)${separator}clientele/`))
  })

  it('are not taken for lost by the other major, which looks elsewhere', async () => {
    const rows = new Map<string, unknown>()
    const options = () => ({ store: new FailingAdapter('throws', rows), namespace: 'contracts' })
    await keyvStore(new Keyv5(options()), soleWriter).commit(known('acme'))
    const store = keyvStore(new Keyv(options()))
    if (major === 5) expect(await store.findClient(acme)).toMatchObject({ id: 'acme' })
    else await expect(Promise.resolve(store.findClient(acme))).rejects.toMatchObject(outage)
  })

  // What both majors let a user do to values and keys, under the names of both.
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const plain = (text: string) => Buffer.from(text, 'base64').toString()
  it.each<[string, object]>([
    ['compression', { compression: { compress: base64, decompress: plain } }],
    ['encryption', { encryption: { encrypt: base64, decrypt: plain } }],
    ['no serialization', { serialization: false, serialize: undefined, deserialize: undefined }],
    ['keys that are sanitized', { sanitize: { keys: true, namespace: true } }],
    ['statistics', { stats: true }],
    ['no namespace', { namespace: '' }],
    ['a key prefix that is left to the adapter', { useKeyPrefix: false }],
  ])('stand a Keyv with %s', async (_, options) => {
    const rows = new Map<string, unknown>()
    const over = () => new Keyv({ store: new FailingAdapterForMany('throws', rows), ...options })
    const store = keyvStore(over(), soleWriter)
    const ids = ['acme', '../acme', 'ac--me', 'acme/../acme', 'ac/me']
    for (const id of ids) await store.commit([...known(id), putContract(contractRecord(`${id}..`, 'orders'))])
    const reader = keyvStore(over())
    for (const id of ids) expect(await reader.findContract(`${id}..`, 'orders')).toMatchObject({ client: `${id}..` })
    for (const id of ids) expect(await reader.findClient({ issuer: 'local', clientId: id })).toMatchObject({ id })
    expect(await reader.findClient({ issuer: 'local', clientId: 'nobody' })).toBeUndefined()
    expect((await reader.list({ kind: 'client' })).records).toHaveLength(ids.length)
  })

  it('leave what else is in the Keyv alone', async () => {
    const keyv = new Keyv({ store: new FailingAdapter('throws') })
    await keyv.set('client/acme', 'mine')
    const store = keyvStore(keyv, soleWriter)
    await store.commit(known('acme'))
    expect(await keyv.get('client/acme')).toBe('mine')
    expect(await store.find('client', { id: 'acme' })).toMatchObject({ id: 'acme' })
  })

  it('leave nothing behind when they are removed but what has to be known', async () => {
    const rows = new Map<string, unknown>()
    const store = keyvStore(new Keyv({ store: new FailingAdapter('throws', rows) }), soleWriter)
    const { client } = await registerClient(store, { name: 'acme', clientId: 'acme', actor })
    await requestContract(store, { client: client.id, api: 'orders', actor })
    expect(JSON.stringify([...rows])).toContain(client.id)
    await removeClient(store, { client: client.id, actor })
    // The log of who did what keeps its name.
    const others = [...rows].filter(([key]) => !key.includes('audit'))
    expect(others.length).toBeGreaterThan(0)
    expect(JSON.stringify(others)).not.toContain(client.id)
    expect(await store.find('identity', acme)).toMatchObject({ client: null })
  })

  it('are ASCII, so that no column can turn them into something else', async () => {
    const rows = new Map<string, unknown>()
    const store = keyvStore(new Keyv({ store: new FailingAdapter('throws', rows) }), soleWriter)
    const name = 'Bäckerei 🥐 \u2028 \ud800'
    await registerClient(store, { name, clientId: 'acme', actor })
    expect(await store.findClient(acme)).toMatchObject({ name })
    for (const [key, row] of rows) expect(`${key} ${String(row)}`).toMatch(/^[ -~]*$/)
  })

  it('are not found where the adapter hands over those of another', async () => {
    const adapter = new FailingAdapter('throws')
    const store = keyvStore(new Keyv({ store: adapter }), soleWriter)
    await store.commit([...known('acme'), putContract(contractRecord('acme', 'orders'))])
    const rowOf = (part: string) => [...adapter.rows.keys()].find((key) => key.includes(part))!
    const loose = adapter.get.bind(adapter)
    adapter.get = (key) => loose(key.replace(/clientele\/(client|contract)\/[a-z]+/, 'clientele/$1/acme'))
    expect(rowOf('clientele/contract/acme')).toBeDefined()
    expect(await store.find('client', { id: 'other' })).toBeUndefined()
    expect(await store.findContract('other', 'orders')).toBeUndefined()
    await expect(store.commit([putContract(contractRecord('other', 'orders'))])).rejects.toMatchObject(outage)
    expect(await store.findContract('acme', 'orders')).toMatchObject({ client: 'acme' })
  })

  it('are decoded once, as long as the same text stands there', async () => {
    const rows = new Map<string, unknown>()
    const store = keyvStore(new Keyv({ store: new FailingAdapter('throws', rows) }), {
      ...soleWriter,
      cachedRecords: 2,
    })
    const contracts = ['a', 'b', 'c'].map((client) => contractRecord(client, 'orders'))
    await store.commit(contracts.map((contract) => putContract(contract)))
    const first = await store.findContract('a', 'orders')
    expect(await store.findContract('a', 'orders')).toBe(first)
    const [, row] = [...rows].find(([key]) => key.includes('contract/a/'))!
    for (const [key] of rows) if (key.includes('contract/a/')) rows.set(key, String(row).replace('approved', 'revoked'))
    expect(await store.findContract('a', 'orders')).toMatchObject({ state: 'revoked' })
    const again = await store.findContract('a', 'orders')
    await store.findContract('b', 'orders')
    await store.findContract('c', 'orders')
    expect(await store.findContract('a', 'orders')).not.toBe(again)
    expect(await store.findContract('a', 'orders')).toEqual(again)
  })

  it('are listed page by page, also by the thousand', async () => {
    const store = keyvStore(new Keyv({ store: new FailingAdapter('throws') }), soleWriter)
    const clients = Array.from({ length: 2500 }, (_, at) => `client${String(at)}`)
    for (let start = 0; start < clients.length; start += 500) {
      const some = clients.slice(start, start + 500)
      await store.commit(some.map((client) => putContract(contractRecord(client, 'orders'))))
    }
    for (const pageSize of [1000, 777]) {
      const listed = await everyContract(store, pageSize)
      expect(listed.map(({ client }) => client).sort()).toEqual(clients.toSorted())
    }
    const { records } = await store.list<'contract'>({ kind: 'contract', client: 'client2499' })
    expect(records).toHaveLength(1)
  })
})

async function everyContract(store: ContractStore, pageSize: number): Promise<Contract[]> {
  const page = await store.list<'contract'>({ kind: 'contract', pageSize })
  const records = [...page.records]
  for (let { cursor } = page; cursor !== undefined;) {
    const next = await store.list<'contract'>({ kind: 'contract', pageSize, cursor })
    records.push(...next.records)
    cursor = next.cursor
  }
  return records
}

describeEachMajor('a Keyv that keyvStore is given', (Keyv) => {
  it('is not there for readers before a writer has begun', async () => {
    const map = new Map<string, unknown>()
    const over = () => new Keyv({ store: new FailingAdapter('throws', map) })
    const reader = keyvStore(over())
    const fault = { code: 'ERR_CLIENTELE_STORE', message: expect.stringContaining('soleWriter') as string }
    await expect(Promise.resolve(reader.findClient(acme))).rejects.toMatchObject(fault)
    await expect(reader.list({ kind: 'client' })).rejects.toMatchObject(fault)
    expect(await keyvStore(over(), soleWriter).findClient(acme)).toBeUndefined()
    expect(await reader.findClient(acme)).toBeUndefined()
    expect((await reader.list({ kind: 'client' })).records).toEqual([])
  })

  it('is not empty because it was emptied', async () => {
    const adapter = new FailingAdapter('throws')
    const store = keyvStore(new Keyv({ store: adapter }), soleWriter)
    await store.commit(known('acme'))
    adapter.rows.clear()
    await expect(Promise.resolve(store.findClient(acme))).rejects.toMatchObject(outage)
    await expect(store.list({ kind: 'client' })).rejects.toMatchObject(outage)
    await expect(store.commit(known('acme'))).rejects.toMatchObject(outage)
  })

  it('is disconnected by close, after what is being written', async () => {
    const order: string[] = []
    class Adapter extends FailingAdapter {
      override async set(key: string, value: unknown) {
        const done = await super.set(key, value)
        if (key.includes('clientele/client/')) order.push('written')
        return done
      }
      disconnect(): Promise<void> {
        order.push('disconnected')
        return Promise.resolve()
      }
    }
    const store = keyvStore(new Keyv({ store: new Adapter('throws') }), soleWriter)
    const writing = store.commit(known('acme'))
    await Promise.all([store.close(), store.close(), writing])
    expect(order).toEqual(['written', 'disconnected'])
  })

  it('keeps its own ways for whoever else uses it', async () => {
    const adapter = new FailingAdapter('throws')
    const keyv = new Keyv({ store: adapter })
    keyvStore(keyv, soleWriter)
    adapter.fail('get', 'set', 'delete')
    expect(await keyv.get('mine')).toBeUndefined()
    expect(await keyv.set('mine', 'x')).toBe(false)
    expect(await keyv.delete('mine')).toBe(false)
  })
})

describe('options of keyvStore', () => {
  const keyv = {
    get() {},
    getMany() {},
    set() {},
    delete() {},
    disconnect() {},
    on() {},
    store: {},
  } as unknown as KeyvLike

  it('are checked when it is built', () => {
    const wrong: [unknown, unknown, string][] = [
      [undefined, {}, 'an instance of Keyv'],
      [new Map(), {}, 'a method disconnect'],
      [new KeyvRedis('redis://127.0.0.1:1'), {}, 'this is an adapter'],
      [keyv, { soleWriter: 'yes' }, 'soleWriter'],
      [keyv, { solewriter: true }, 'did you mean "soleWriter"?'],
      [keyv, { timeoutMs: 0 }, 'timeoutMs'],
      [keyv, { timeoutMs: Infinity }, 'timeoutMs'],
      [keyv, { cachedRecords: 0 }, 'cachedRecords'],
    ]
    for (const [given, options, words] of wrong) {
      expect(() => keyvStore(given as KeyvLike, options as object)).toThrow(
        expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringContaining(words) as string }),
      )
    }
  })
})
