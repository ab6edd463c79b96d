import { cachedStore, memoryStore, type CachedStoreOptions, type Client } from 'clientele'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { testContractStore } from '../../src/testing/contract-store.js'
import {
  clientRecord,
  contractRecord,
  known,
  linkRecord,
  putClient,
  putContract,
  putLink,
  putTier,
  tierRecord,
} from '../../src/testing/contract-store-fixtures.js'
import { client, contract, countingStore, HeldReader, one, turn } from './cached-support.js'

testContractStore('cachedStore over memoryStore', () => cachedStore(memoryStore()), { describe, it })

const storeFault = expect.objectContaining({ code: 'ERR_CLIENTELE_STORE', status: 503 }) as Error
const busyFault = expect.objectContaining({ code: 'ERR_CLIENTELE_BUSY', status: 503 }) as Error
const times = { freshForMs: 5000, staleForMs: 60_000, timeoutMs: 800 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function held(options: CachedStoreOptions = {}) {
  const reader = new HeldReader()
  return { reader, cached: cachedStore(reader, { ...times, ...options }) }
}

async function warmed(options: CachedStoreOptions = {}) {
  const { reader, cached } = held(options)
  const first = cached.findClient(one)
  await reader.answer(client(1))
  expect(await first).toMatchObject({ version: 1 })
  return { reader, cached }
}

/** What is answered at once; a promise is a failure of the test. */
const atOnce = (answer: unknown): unknown => {
  expect(answer).not.toBeInstanceOf(Promise)
  return answer
}

describe('an answer', () => {
  it('serves at once and without asking while it is fresh, the same object each time', async () => {
    const { reader, cached } = await warmed()
    const before = atOnce(cached.findClient(one))
    vi.advanceTimersByTime(4999)
    expect(atOnce(cached.findClient(one))).toBe(before)
    expect(reader.questions).toEqual([])
  })

  it('serves once more when it is old, while it is read again behind', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(5000)
    expect(atOnce(cached.findClient(one))).toMatchObject({ version: 1 })
    expect(atOnce(cached.findClient(one))).toMatchObject({ version: 1 })
    expect(reader.questions).toEqual(['client local one'])
    await reader.answer(client(2))
    expect(atOnce(cached.findClient(one))).toMatchObject({ version: 2 })
  })

  it('does not serve when it is a second older than that: a client that was away waits for what is true now', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const waiting = cached.findClient(one)
    expect(waiting).toBeInstanceOf(Promise)
    await reader.answer(client(2, { state: 'disabled' }))
    expect(await waiting).toMatchObject({ state: 'disabled' })
  })

  it('stays the same object when the store hands over an equal one', async () => {
    const { reader, cached } = await warmed()
    const before = cached.findClient(one)
    vi.advanceTimersByTime(6000)
    const again = cached.findClient(one)
    await reader.answer(client(1))
    expect(await again).toBe(before)
  })

  it('is taken over when it differs under the same version, as with a store that does not count', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const again = cached.findClient(one)
    await reader.answer(client(1, { state: 'disabled' }))
    expect(await again).toMatchObject({ state: 'disabled' })
  })

  it('is asked for once by all who wait for it', async () => {
    const { reader, cached } = held()
    const waiting = [cached.findClient(one), cached.findClient(one), cached.findClient({ ...one })]
    expect(reader.questions).toEqual(['client local one'])
    await reader.answer(client(1))
    const first = await waiting[0]
    for (const other of waiting) expect(await other).toBe(first)
  })

  it('counts its age from the asking, not from the arrival', async () => {
    const { reader, cached } = held()
    const waiting = cached.findClient(one)
    vi.advanceTimersByTime(700)
    await reader.answer(client(1))
    await waiting
    vi.advanceTimersByTime(4300)
    void cached.findClient(one)
    expect(reader.questions).toHaveLength(1)
  })

  it('is forgotten when there are too many, the one that was read longest ago first', async () => {
    const { store, asked } = countingStore()
    const ids = ['a', 'b', 'c']
    for (const id of ids) await store.commit(known(id))
    const cached = cachedStore(store, { ...times, maxEntries: 2 })
    for (const clientId of ids) await cached.findClient({ issuer: 'local', clientId })
    for (const clientId of ['b', 'c']) await cached.findClient({ issuer: 'local', clientId })
    expect(asked()).toBe(3)
    await cached.findClient({ issuer: 'local', clientId: 'a' })
    expect(asked()).toBe(4)
  })

  it('keeps pairs apart that would be one when joined', async () => {
    const { reader, cached } = held()
    const pairs = [
      ['a', 'b c'],
      ['a b', 'c'],
    ] as const
    for (const [name, api] of pairs) {
      const waiting = Promise.all([cached.findTier(api, name), cached.findContract(name, api)])
      const questions = reader.questions
      await reader.answer(undefined)
      await reader.answer(undefined)
      await waiting
      expect(questions).toEqual([`tier ${api} ${name}`, `contract ${name} ${api}`])
    }
    const strangers = [
      { issuer: 'x y', clientId: 'z' },
      { issuer: 'x', clientId: 'y z' },
    ]
    for (const identity of strangers) {
      const waiting = cached.findClient(identity)
      expect(reader.held).toHaveLength(1)
      await reader.answer(undefined)
      await waiting
    }
  })
})

describe('while the store fails', () => {
  it('the last good answer serves until it is too old, then there is a fault', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const waiting = cached.findClient(one)
    await reader.fail()
    expect(await waiting).toMatchObject({ version: 1 })
    vi.advanceTimersByTime(53_900)
    const late = cached.findClient(one)
    await reader.fail()
    expect(await late).toMatchObject({ version: 1 })
    vi.advanceTimersByTime(100)
    const tooLate = Promise.resolve(cached.findClient(one))
    tooLate.catch(() => undefined)
    await reader.fail()
    await expect(tooLate).rejects.toThrow(storeFault)
  })

  it('nobody waits for it again at once, and it is asked again after a while', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const waiting = cached.findClient(one)
    await reader.fail()
    await waiting
    for (let index = 0; index < 100; index += 1) expect(atOnce(cached.findClient(one))).toMatchObject({ version: 1 })
    expect(reader.questions).toEqual([])
    vi.advanceTimersByTime(1000)
    const again = cached.findClient(one)
    expect(reader.questions).toHaveLength(1)
    await reader.answer(client(2))
    expect(await again).toMatchObject({ version: 2 })
  })

  it('the pauses grow, but never past freshForMs', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    for (let round = 0; round < 10; round += 1) {
      const waiting = cached.findClient(one)
      expect(reader.questions).toHaveLength(1)
      await reader.fail()
      await waiting
      vi.advanceTimersByTime(500)
      atOnce(cached.findClient(one))
      vi.advanceTimersByTime(4500)
    }
  })

  it('silence is a failure too', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const waiting = cached.findClient(one)
    await vi.advanceTimersByTimeAsync(800)
    expect(await waiting).toMatchObject({ version: 1 })
    const stranger = Promise.resolve(cached.findClient({ issuer: 'local', clientId: 'two' }))
    stranger.catch(() => undefined)
    await vi.advanceTimersByTimeAsync(800)
    await expect(stranger).rejects.toThrow(storeFault)
    expect(reader.held).toHaveLength(2)
  })

  it('nonsense is a failure too', async () => {
    const { reader, cached } = await warmed()
    for (const nonsense of [{ ...client(2), state: 'gone' }, 'one', 7, {}] as unknown as Client[]) {
      vi.advanceTimersByTime(6000)
      const waiting = cached.findClient(one)
      await reader.answer(nonsense)
      expect(await waiting).toMatchObject({ version: 1 })
    }
  })

  it('a client that was never seen is a fault, and never remembered as unknown', async () => {
    const { reader, cached } = held()
    for (let round = 0; round < 3; round += 1) {
      const waiting = Promise.resolve(cached.findClient(one))
      waiting.catch(() => undefined)
      expect(reader.questions).toHaveLength(1)
      await reader.fail()
      await expect(waiting).rejects.toThrow(storeFault)
    }
    const waiting = cached.findClient(one)
    await reader.answer(client(1))
    expect(await waiting).toMatchObject({ version: 1 })
  })

  it('a store that throws at once counts the same', async () => {
    const { store, fail } = countingStore()
    await store.commit(known('one'))
    const cached = cachedStore(store, times)
    await cached.findClient(one)
    fail(true)
    vi.advanceTimersByTime(6000)
    expect(atOnce(cached.findClient(one))).toMatchObject({ id: 'one' })
    expect(() => cached.findClient({ issuer: 'local', clientId: 'two' })).toThrow(storeFault)
  })
})

describe('what does not exist', () => {
  it('is remembered briefly', async () => {
    const { reader, cached } = held({ unknownForMs: 1000 })
    const waiting = cached.findClient(one)
    await reader.answer(undefined)
    expect(await waiting).toBeUndefined()
    vi.advanceTimersByTime(999)
    expect(atOnce(cached.findClient(one))).toBeUndefined()
    expect(reader.questions).toEqual([])
    vi.advanceTimersByTime(1)
    const again = cached.findClient(one)
    await reader.answer(client(1))
    expect(await again).toMatchObject({ version: 1 })
  })

  it('is not taken for unknown any longer once the store fails: a fault', async () => {
    const { reader, cached } = held({ unknownForMs: 1000 })
    const waiting = cached.findClient(one)
    await reader.answer(undefined)
    await waiting
    vi.advanceTimersByTime(1000)
    const again = Promise.resolve(cached.findClient(one))
    again.catch(() => undefined)
    await reader.fail()
    await expect(again).rejects.toThrow(storeFault)
  })

  it('pushes out nothing that is known, and is bounded itself', async () => {
    const { store, asked } = countingStore()
    await store.commit(known('one'))
    const cached = cachedStore(store, { ...times, maxEntries: 1, maxUnknown: 3, missesPerSecond: 1000 })
    await cached.findClient(one)
    for (let index = 0; index < 10; index += 1) await cached.findClient({ issuer: 'local', clientId: `none-${index}` })
    expect(asked()).toBe(11)
    await cached.findClient(one)
    await cached.findClient({ issuer: 'local', clientId: 'none-9' })
    expect(asked()).toBe(11)
    await cached.findClient({ issuer: 'local', clientId: 'none-0' })
    expect(asked()).toBe(12)
  })

  it('is asked for no more than the budget allows: then unknown IDs get a 503, and known ones go on', async () => {
    const { store, asked } = countingStore()
    await store.commit(known('one'))
    const cached = cachedStore(store, { ...times, missesPerSecond: 10 })
    await cached.findClient(one)
    const outcomes: unknown[] = []
    for (let index = 0; index < 100; index += 1) {
      const clientId = `none-${index}`
      outcomes.push(
        await Promise.resolve()
          .then(() => cached.findClient({ issuer: 'local', clientId }))
          .catch((e: unknown) => e),
      )
      expect(atOnce(cached.findClient(one))).toMatchObject({ id: 'one' })
    }
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(10)
    expect(outcomes.filter((outcome) => outcome !== undefined)).toEqual(Array.from({ length: 90 }, () => busyFault))
    expect(asked()).toBe(11)
    vi.advanceTimersByTime(500)
    for (let index = 0; index < 5; index += 1) await cached.findClient({ issuer: 'local', clientId: `late-${index}` })
    await expect(async () => cached.findClient({ issuer: 'local', clientId: 'late-5' })).rejects.toThrow(busyFault)
  })

  it('costs clients that do exist nothing of the budget', async () => {
    const { store } = countingStore()
    const ids = Array.from({ length: 50 }, (_, index) => `app-${index}`)
    for (const id of ids) await store.commit(known(id))
    const cached = cachedStore(store, { ...times, missesPerSecond: 2 })
    for (const clientId of ids)
      expect(await cached.findClient({ issuer: 'local', clientId })).toMatchObject({ id: clientId })
  })
})

describe('a hint', () => {
  const orders = contractRecord('one', 'orders')
  const gold = tierRecord('orders', 'gold')

  async function watched() {
    const counting = countingStore()
    await counting.store.commit([...known('one'), putContract(orders), putTier(gold)])
    const cached = cachedStore(counting.store, times)
    await cached.findClient(one)
    await cached.findContract('one', 'orders')
    await cached.findTier('orders', 'gold')
    return { ...counting, cached }
  }

  it.each([
    ['a client', (store: ReturnType<typeof countingStore>['store']) => edit(store, 'client')],
    ['a contract', (store: ReturnType<typeof countingStore>['store']) => edit(store, 'contract')],
    ['a tier', (store: ReturnType<typeof countingStore>['store']) => edit(store, 'tier')],
  ])('that %s has changed makes the next find read it again, and nothing else', async (_name, change) => {
    const { store, cached, asked } = await watched()
    expect(asked()).toBe(3)
    await change(store)
    expect(
      [
        await cached.findClient(one),
        await cached.findContract('one', 'orders'),
        await cached.findTier('orders', 'gold'),
      ]
        .map((each) => each?.updatedBy)
        .sort(),
    ).toEqual(['editor', 'suite', 'suite'])
    expect(asked()).toBe(4)
    await cached.findClient(one)
    await cached.findContract('one', 'orders')
    await cached.findTier('orders', 'gold')
    expect(asked()).toBe(4)
  })

  async function edit(store: ReturnType<typeof countingStore>['store'], kind: 'client' | 'contract' | 'tier') {
    const by = { updatedBy: 'editor' }
    if (kind === 'contract') {
      await store.commit([putContract({ ...orders, ...by, version: orders.version + 1 }, orders.version)])
    } else if (kind === 'tier') {
      await store.commit([putTier({ ...gold, ...by, version: gold.version + 1 }, gold.version)])
    } else {
      const before = await store.find('client', { id: 'one' })
      if (before) await store.commit([putClient({ ...before, ...by, version: before.version + 1 }, before.version)])
    }
  }

  it('of a commit through the cache itself counts too, where the store has no watch', async () => {
    const { store } = countingStore()
    const { watch, ...unwatched } = store
    expect(watch).toBeDefined()
    const cached = cachedStore(unwatched, times)
    expect(cached.watch).toBeUndefined()
    await cached.commit([putContract(orders)])
    await cached.findContract('one', 'orders')
    await cached.commit([putContract({ ...orders, state: 'revoked', version: orders.version + 1 }, orders.version)])
    expect(await cached.findContract('one', 'orders')).toMatchObject({ state: 'revoked' })
  })

  it('ends the memory of what did not exist', async () => {
    const { store, cached } = await watched()
    expect(await cached.findClient({ issuer: 'local', clientId: 'two' })).toBeUndefined()
    await store.commit(known('two'))
    expect(await cached.findClient({ issuer: 'local', clientId: 'two' })).toMatchObject({ id: 'two' })
    expect(await cached.findContract('two', 'orders')).toBeUndefined()
    await store.commit([putContract(contractRecord('two', 'orders'))])
    expect(await cached.findContract('two', 'orders')).toMatchObject({ client: 'two' })
  })

  it('that was missed, after a lost connection, makes all of them old', async () => {
    const counting = countingStore()
    let missed: (() => void) | undefined
    await counting.store.commit([...known('one'), putContract(orders)])
    const cached = cachedStore(
      { ...counting.store, watch: (_changed, told) => ((missed = told), () => undefined) },
      times,
    )
    await cached.findClient(one)
    await cached.findContract('one', 'orders')
    await counting.store.commit([
      putContract({ ...orders, state: 'revoked', version: orders.version + 1 }, orders.version),
    ])
    expect(await cached.findContract('one', 'orders')).toMatchObject({ state: 'approved' })
    missed?.()
    expect(await cached.findContract('one', 'orders')).toMatchObject({ state: 'revoked' })
    await cached.findClient(one)
    expect(counting.asked()).toBe(4)
    // A connection that comes back to a store that fails takes nothing away yet.
    counting.fail(true)
    missed?.()
    expect(await cached.findClient(one)).toMatchObject({ id: 'one' })
  })

  it('is no admission while the store fails: what is known to have changed is a fault until it can be read', async () => {
    const { store, cached, fail } = await watched()
    fail(true)
    await edit(store, 'contract')
    await expect(async () => cached.findContract('one', 'orders')).rejects.toThrow(storeFault)
    expect(await cached.findClient(one)).toMatchObject({ id: 'one' })
    fail(false)
    expect(await cached.findContract('one', 'orders')).toMatchObject({ updatedBy: 'editor' })
  })

  it('is heeded by look-ups that were under way, also where only the answer tells whose it is', async () => {
    const reader = new HeldReader()
    const inner = memoryStore()
    const cached = cachedStore(
      Object.assign(Object.create(inner) as typeof inner, {
        findClient: reader.findClient,
        watch: inner.watch.bind(inner),
      }),
      times,
    )
    const waiting = cached.findClient(one)
    await inner.commit([putClient(client(2))])
    await reader.answer(client(1))
    expect(reader.questions).toHaveLength(1)
    await reader.answer(client(2))
    expect(await waiting).toMatchObject({ version: 2 })
  })

  it('for more records than are kept apart makes everything old, rather than being forgotten', async () => {
    const { store, cached } = await watched()
    await edit(store, 'contract')
    for (let index = 0; index < 10_100; index += 100) {
      const links = Array.from({ length: 100 }, (_, at) => putContract(contractRecord(`c${index + at}`, 'orders')))
      await store.commit(links)
    }
    expect(await cached.findContract('one', 'orders')).toMatchObject({ updatedBy: 'editor' })
  })
})

describe('a version', () => {
  it('once seen is never gone back on: a slow older answer changes nothing', async () => {
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(6000)
    const slow = cached.findClient(one)
    // The slow look-up counts as failed; the next one is faster.
    await vi.advanceTimersByTimeAsync(800)
    await slow
    vi.advanceTimersByTime(1000)
    const fast = cached.findClient(one)
    await reader.answer(client(2), 1)
    expect(await fast).toMatchObject({ version: 2 })
    await reader.answer(client(1), 0)
    expect(atOnce(cached.findClient(one))).toMatchObject({ version: 2 })
  })

  it('that is older than what was seen is a failure of the store', async () => {
    const { reader, cached } = held()
    const first = cached.findContract('one', 'orders')
    await reader.answer(contract(7, { state: 'revoked' }))
    await first
    vi.advanceTimersByTime(6000)
    const second = cached.findContract('one', 'orders')
    await reader.answer(contract(6, { state: 'approved' }))
    expect(await second).toMatchObject({ version: 7, state: 'revoked' })
    vi.advanceTimersByTime(60_000)
    const third = Promise.resolve(cached.findContract('one', 'orders'))
    third.catch(() => undefined)
    await reader.answer(contract(6, { state: 'approved' }))
    await expect(third).rejects.toThrow(storeFault)
  })

  it('that was seen under one identity of a client holds for its others', async () => {
    const identities = [one, { issuer: 'https://idp.example', clientId: 'uno' }] as const
    const { store, asked } = countingStore()
    const { watch: _watch, ...unwatched } = store
    const before = clientRecord('one', { identities: [...identities] })
    await store.commit([
      putClient(before),
      putLink(linkRecord('one', 'one')),
      putLink(linkRecord('uno', 'one', 'https://idp.example')),
    ])
    const cached = cachedStore(unwatched, times)
    await cached.findClient(identities[0])
    vi.advanceTimersByTime(3000)
    await cached.findClient(identities[1])
    await store.commit([putClient({ ...before, state: 'disabled', version: before.version + 1 }, before.version)])
    vi.advanceTimersByTime(3000)
    expect(atOnce(cached.findClient(identities[0]))).toMatchObject({ state: 'disabled' })
    expect(await cached.findClient(identities[1])).toMatchObject({ state: 'disabled' })
    expect(asked()).toBe(4)
  })

  it('of a record that was removed does not come back by a look-up that began before', async () => {
    const { reader, cached } = await warmed({ unknownForMs: 5000 })
    vi.advanceTimersByTime(6000)
    const slow = cached.findClient(one)
    await vi.advanceTimersByTimeAsync(800)
    await slow
    vi.advanceTimersByTime(1000)
    const fast = cached.findClient(one)
    await reader.answer(undefined, 1)
    expect(await fast).toBeUndefined()
    await reader.answer(client(1), 0)
    expect(atOnce(cached.findClient(one))).toBeUndefined()
  })
})

describe('options and ends', () => {
  it('refuses options that are none, and a store that is none', () => {
    const refused = [
      { freshForMs: 0 },
      { freshForMs: NaN },
      { freshForMs: Infinity },
      { staleForMs: -1 },
      { freshForMs: 10, staleForMs: 9 },
      { maxEntries: 0 },
      { missesPerSecond: 0.5 },
      { freshForMS: 1 },
    ] as CachedStoreOptions[]
    const fault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error
    for (const options of refused) expect(() => cachedStore(memoryStore(), options)).toThrow(fault)
    expect(() => cachedStore(undefined as never)).toThrow(fault)
    expect(() => cachedStore({ findClient: () => undefined } as never)).toThrow(fault)
    expect(() => cachedStore(memoryStore(), { freshForMS: 1 } as CachedStoreOptions)).toThrow(
      /did you mean "freshForMs"/,
    )
  })

  it('leaves nobody an unhandled rejection behind', async () => {
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    const { reader, cached } = await warmed()
    vi.advanceTimersByTime(5000)
    void cached.findClient(one)
    vi.advanceTimersByTime(60_000)
    await reader.fail()
    await turn()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
})
