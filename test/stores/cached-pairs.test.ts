import { setFlagsFromString } from 'node:v8'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { cachedStore, memoryStore, type ContractReader } from 'clientele'
import { describe, expect, it } from 'vitest'
import { clientRecord, contractRecord, putContract } from '../../src/testing/contract-store-fixtures.js'
import { countingStore } from './cached-support.js'

const times = { freshForMs: 3_600_000, staleForMs: 7_200_000, unknownForMs: 3_600_000 }
const busyFault = expect.objectContaining({ code: 'ERR_CLIENTELE_BUSY', status: 503 }) as Error

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function heldBytes(): Promise<number> {
  collect()
  // Memory outside of the heap is given back in the background.
  await sleep(100)
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Knows nothing, at once, or one client under every ID. */
function readerOf(client: ReturnType<typeof clientRecord> | undefined): ContractReader {
  return { findClient: () => client, findContract: () => undefined, findTier: () => undefined }
}

describe('what is remembered by API or issuer, and name', () => {
  it('is bounded over all APIs together, and what was read longest ago goes first', async () => {
    const { store, asked } = countingStore()
    const apis = ['orders', 'reports', 'stock']
    for (const api of apis) await store.commit([putContract(contractRecord('one', api))])
    const cached = cachedStore(store, { ...times, maxEntries: 2 })
    for (const api of apis) await cached.findContract('one', api)
    for (const api of ['reports', 'stock']) await cached.findContract('one', api)
    expect(asked()).toBe(3)
    expect(await cached.findContract('one', 'orders')).toMatchObject({ api: 'orders' })
    expect(asked()).toBe(4)
    await cached.findContract('one', 'stock')
    expect(asked()).toBe(4)
    expect(await cached.findContract('one', 'reports')).toMatchObject({ api: 'reports' })
    expect(asked()).toBe(5)
  })

  it('has a new place when it is read again', async () => {
    const { store, asked } = countingStore()
    const one = contractRecord('one', 'orders')
    await store.commit([one, { ...one, client: 'two' }, { ...one, client: 'three' }].map((each) => putContract(each)))
    const cached = cachedStore(store, { ...times, maxEntries: 2 })
    for (const client of ['one', 'two']) await cached.findContract(client, 'orders')
    await store.commit([putContract({ ...one, version: one.version + 1 }, one.version)])
    for (const client of ['one', 'two', 'three', 'one']) await cached.findContract(client, 'orders')
    expect(asked()).toBe(4)
    await cached.findContract('two', 'orders')
    expect(asked()).toBe(5)
  })

  it('is read again after a hint about it, and not after one about the same names the other way round', async () => {
    const { store, asked } = countingStore()
    const records = [contractRecord('a', 'b'), contractRecord('b', 'a'), contractRecord('a', 'a')] as const
    await store.commit(records.map((record) => putContract(record)))
    const cached = cachedStore(store, times)
    for (const { client, api } of records) await cached.findContract(client, api)
    const [{ version }] = records
    await store.commit([putContract({ ...records[0], state: 'revoked', version: version + 1 }, version)])
    const states: unknown[] = []
    for (const { client, api } of records) states.push((await cached.findContract(client, api))?.state)
    expect(states).toEqual(['revoked', 'approved', 'approved'])
    expect(asked()).toBe(4)
  })

  it('costs of the budget whatever characters are in an unknown ID', async () => {
    const { store, asked } = countingStore()
    const cached = cachedStore(store, { ...times, missesPerSecond: 1 })
    expect(await cached.findClient({ issuer: 'local', clientId: 'a b' })).toBeUndefined()
    expect(await cached.findClient({ issuer: 'local', clientId: 'a b' })).toBeUndefined()
    const other = async () => cached.findClient({ issuer: 'local', clientId: 'c d \u{1F511} \uD800' })
    await expect(other).rejects.toThrow(busyFault)
    expect(asked()).toBe(1)
  })

  it('is told apart by every character of an ID, also by those that no encoding has', async () => {
    const { store, asked } = countingStore()
    const ids = ['\uD800', '\uD801', '\uFFFD', '\u0100', '\0', 'é', 'e\u0301']
    const cached = cachedStore(store, times)
    for (const clientId of [...ids, ...ids]) await cached.findClient({ issuer: 'local', clientId })
    expect(asked()).toBe(ids.length)
  })
})

describe('memory', () => {
  it.each([
    ['known', clientRecord('one')],
    ['unknown', undefined],
  ])('holds nothing of the text that the ID of a client was cut from: %s', async (_name, client) => {
    const cached = cachedStore(readerOf(client), { ...times, missesPerSecond: 1000 })
    const before = await heldBytes()
    for (let number = 0; number < 100; number += 1) {
      const text = Buffer.alloc(500_000, `client-number-${number}-with-a-secret `).toString('latin1')
      void cached.findClient({ issuer: 'local', clientId: text.slice(0, 36) })
    }
    expect((await heldBytes()) - before).toBeLessThan(10_000_000)
    // What is measured is there until here.
    expect(cached.findClient({ issuer: 'local', clientId: 'another' })).toEqual(client)
  })

  it('holds no table of an API of which nothing is remembered', async () => {
    const cached = cachedStore(memoryStore(), { ...times, maxUnknown: 10 })
    const before = await heldBytes()
    for (let number = 0; number < 20_000; number += 1) {
      void cached.findTier(Buffer.alloc(1000, `api-${number} `).toString('latin1'), 'gold')
    }
    expect((await heldBytes()) - before).toBeLessThan(10_000_000)
    expect(cached.findTier('orders', 'gold')).toBeUndefined()
  })
})
