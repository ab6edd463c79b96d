import { cachedStore, memoryStore, registerClient } from 'clientele'
import { clientele } from 'clientele/express'
import { replicate } from 'clientele/replica'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { faultOf } from '../support/fault-of.js'
import { secretOf, seededStore } from '../support/seeded-store.js'
import {
  approved,
  bound,
  kinds,
  names,
  ownDirectory,
  removeContract,
  replica,
  serve,
  setState,
  storeWith,
} from './replica-support.js'
import { until } from '../support/until.js'

/** A store that can be taken away, as a database behind a network can. */
function breakable(store: ReturnType<typeof memoryStore>) {
  let isBroken = false
  const failing = new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        if (isBroken && name !== 'watch') throw new Error('out of reach')
        return (member as (...all: unknown[]) => unknown).apply(target, given)
      }
    },
  })
  return { store: failing, breakOff: (broken = true) => (isBroken = broken) }
}

describe.each(['memory', 'disk'] as const)('a replica in %s', (kind) => {
  const into = () => (kind === 'memory' ? ('memory' as const) : { path: ownDirectory() })

  it('has what its source has, and soon what changes there', async () => {
    const source = await storeWith('one', 'two')
    const copy = replica({ from: source, into: into(), everyMs: 60_000 })
    await until(() => copy.ready().ready)
    expect(copy.findClient({ issuer: 'local', clientId: 'one' })).toEqual(
      source.findClient({ issuer: 'local', clientId: 'one' }),
    )
    await setState(source, 'one', 'revoked')
    await until(async () => (await copy.findContract('one', 'orders'))?.state === 'revoked')
    await source.commit(approved('three'))
    await until(() => copy.findContract('three', 'orders') !== undefined)
    await removeContract(source, 'two')
    await until(() => copy.findContract('two', 'orders') === undefined)
    const { records, lastSuccessAt, lastError } = copy.ready()
    expect({ records, lastError }).toEqual({ records: 8, lastError: undefined })
    expect(Date.parse(lastSuccessAt ?? '')).not.toBeNaN()
    expect(kinds(copy.events).slice(0, 2)).toEqual(['replaced', 'updated'])
    expect((await copy.list({ kind: 'contract' })).records).toEqual((await source.list({ kind: 'contract' })).records)
  })

  it('finds what no hint has told, by reading the whole store again', async () => {
    const source = await storeWith('one', ...names(30))
    const { watch: _, ...mute } = bound(source)
    const copy = replica({ from: mute, into: into(), scanEveryMs: 1000 })
    await until(() => copy.ready().ready)
    await setState(source, 'one', 'revoked')
    await removeContract(source, 'client-1')
    await until(async () => (await copy.findContract('one', 'orders'))?.state === 'revoked')
    await until(() => copy.findContract('client-1', 'orders') === undefined)
    expect(kinds(copy.events)).not.toContain('held')
  })

  it('answers nothing before it has heard from its source, and says so', async () => {
    const { store, breakOff } = breakable(await storeWith('one'))
    breakOff()
    const copy = replica({ from: store, into: into(), timeoutMs: 100 })
    expect(await faultOf(() => copy.findContract('one', 'orders'))).toMatchObject({
      code: 'ERR_CLIENTELE_NOT_READY',
      status: 503,
      reason: 'waiting',
    })
    await until(() => copy.events.some(({ kind: each }) => each === 'failed'))
    expect(copy.ready()).toMatchObject({ ready: false, records: 0, ageMs: undefined })
    expect(copy.ready().lastError?.message).toMatch(/contract store failed/)
    breakOff(false)
    await until(() => copy.ready().ready)
    expect(copy.ready().lastError).toBeUndefined()
  })

  it('goes on while its source is out of reach, and ends with a fault of its own past maxAgeMs', async () => {
    const { store, breakOff } = breakable(await storeWith('one'))
    const copy = replica({ from: store, into: into(), maxAgeMs: 1500, scanEveryMs: 1000 })
    const cached = cachedStore(copy)
    await until(() => copy.ready().ready)
    breakOff()
    const begunAt = performance.now()
    await until(async () => {
      const fault = await faultOf(() => copy.findContract('one', 'orders')).catch(() => undefined)
      // As long as the copy answers, so does the cache over it; and not a moment longer.
      const ofCache = await faultOf(() => cached.findContract('one', 'orders')).catch(() => undefined)
      if (fault !== undefined) expect(ofCache).toMatchObject({ code: 'ERR_CLIENTELE_STALE' })
      return (fault as { code?: string } | undefined)?.code === 'ERR_CLIENTELE_STALE'
    })
    expect(performance.now() - begunAt).toBeLessThan(1500 + 1000)
    expect(copy.ready()).toMatchObject({ ready: false, records: 3 })
    expect(() => copy.freshness?.()).toThrow(expect.objectContaining({ reason: 'too_old' }))
    breakOff(false)
    await until(() => copy.ready().ready)
    expect(await cached.findContract('one', 'orders')).toMatchObject({ state: 'approved' })
  })

  it('holds an empty snapshot back until a person accepts it', async () => {
    const source = memoryStore()
    const copy = replica({ from: source, into: into() })
    await until(() => copy.ready().held !== undefined)
    expect(copy.ready()).toMatchObject({ ready: false, held: { records: 0, dropped: 0, older: 0 } })
    expect(await faultOf(() => copy.accept('another'))).toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
    await copy.accept(copy.ready().held?.digest ?? '')
    expect(copy.ready()).toMatchObject({ ready: true, held: undefined })
    expect(copy.findContract('one', 'orders')).toBeUndefined()
    await source.commit(approved('one'))
    await until(() => copy.findContract('one', 'orders') !== undefined)
  })

  it('holds one back that is empty but for the log of who did what', async () => {
    const source = memoryStore()
    await registerClient(source, { name: 'app', actor: 'ada' })
    const [clients, identities] = [await source.list({ kind: 'client' }), await source.list({ kind: 'identity' })]
    await source.commit([
      ...clients.records.map(
        ({ id, version }) => ({ kind: 'client', key: { id }, expect: version, value: null }) as const,
      ),
      ...identities.records.map(
        ({ issuer, clientId, version }) =>
          ({ kind: 'identity', key: { issuer, clientId }, expect: version, value: null }) as const,
      ),
    ])
    expect((await source.list({ kind: 'audit' })).records).toHaveLength(1)
    const copy = replica({ from: source, into: into() })
    await until(() => copy.ready().held !== undefined)
    expect(copy.ready()).toMatchObject({ ready: false, held: { records: 0 } })
  })

  it('holds a snapshot back that drops more than a tenth, and serves the old one meanwhile', async () => {
    let current = await storeWith(...names(40))
    const copy = replica({ from: switching(() => current), into: into(), scanEveryMs: 1000 })
    await until(() => copy.ready().ready)
    current = await storeWith(...names(35))
    await until(() => copy.ready().held !== undefined)
    const { held, ready, records } = copy.ready()
    expect({ ready, records, held }).toMatchObject({ ready: true, records: 120, held: { dropped: 15, records: 105 } })
    expect(copy.findContract('client-39', 'orders')).toBeDefined()
    expect(copy.events.filter(({ kind: each }) => each === 'held')).toHaveLength(1)
    await copy.accept(held?.digest ?? '')
    expect(copy.findContract('client-39', 'orders')).toBeUndefined()
    expect(copy.findContract('client-1', 'orders')).toBeDefined()
    await setState(current, 'client-1', 'revoked')
    await until(async () => (await copy.findContract('client-1', 'orders'))?.state === 'revoked')
  })

  it('takes a whole source again without a person', async () => {
    const whole = await storeWith(...names(20))
    let current = whole
    const copy = replica({ from: switching(() => current), into: into(), scanEveryMs: 1000 })
    await until(() => copy.ready().ready)
    current = await copyOf(whole, 5)
    await until(() => copy.ready().held !== undefined)
    current = whole
    await until(() => copy.ready().held === undefined)
    expect(copy.ready()).toMatchObject({ ready: true, records: 60 })
  })

  it('holds older records back, as a source has them that was set back to a backup', async () => {
    const before = await storeWith(...names(20))
    const source = await copyOf(before)
    await setState(source, 'client-3', 'revoked')
    let current = source
    const copy = replica({ from: switching(() => current), into: into(), scanEveryMs: 1000 })
    await until(() => copy.ready().ready)
    await until(async () => (await copy.findContract('client-3', 'orders'))?.state === 'revoked')
    current = before
    await until(() => copy.ready().held !== undefined)
    expect(copy.ready().held).toMatchObject({ dropped: 0, older: 1 })
    expect(copy.findContract('client-3', 'orders')).toMatchObject({ state: 'revoked' })
    await copy.accept(copy.ready().held?.digest ?? '')
    expect(copy.findContract('client-3', 'orders')).toMatchObject({ state: 'approved' })
  })

  it('is nobody’s to write to, and closed says so', async () => {
    const copy = replica({ from: await storeWith('one'), into: into() })
    await until(() => copy.ready().ready)
    expect(await faultOf(() => copy.commit(approved('two')))).toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
    await copy.close()
    expect(await faultOf(() => copy.findContract('one', 'orders'))).toMatchObject({ code: 'ERR_CLIENTELE_STORE' })
    expect(copy.ready().ready).toBe(false)
  })
})

/** One name behind which somebody puts another database; nothing tells of it. */
function switching(current: () => ReturnType<typeof memoryStore>) {
  const { watch: _, ...parts } = bound(memoryStore())
  return {
    ...parts,
    find: ((kind: 'contract', key: { client: string; api: string }) => current().find(kind, key)) as typeof parts.find,
    list: ((query: { kind: 'contract' }) => current().list(query)) as typeof parts.list,
  }
}

async function copyOf(store: ReturnType<typeof memoryStore>, mostOfEach = 1000) {
  const other = memoryStore()
  for (const kind of ['client', 'identity', 'contract'] as const) {
    for (const value of (await store.list({ kind, pageSize: mostOfEach })).records) {
      await other.commit([{ kind, key: keyOf(value), expect: null, value } as never])
    }
  }
  return other
}

function keyOf(record: object): object {
  const { id, issuer, clientId, client, api } = record as Record<string, unknown>
  if (id !== undefined) return { id }
  return issuer === undefined ? { client, api } : { issuer, clientId }
}

describe('a replica of a replica', () => {
  it('is as old as all of its layers together', async () => {
    const { store, breakOff } = breakable(await storeWith('one'))
    const first = replica({ from: store, maxAgeMs: 3_600_000, scanEveryMs: 1000 })
    const second = replica({ from: first, maxAgeMs: 2500, scanEveryMs: 1000 })
    await until(() => second.ready().ready)
    await setState(store, 'one', 'revoked')
    await until(async () => (await second.findContract('one', 'orders'))?.state === 'revoked')
    breakOff()
    // The first one answers on, and tells the second again and again what it knows: that makes it no younger.
    await until(() => !second.ready().ready)
    expect(first.ready().ready).toBe(true)
    expect(second.ready().lastError).toBeUndefined()
    const { ageMs = Infinity } = first.ready()
    expect(second.ready().ageMs).toBeGreaterThanOrEqual(ageMs)
  })
})

describe('policies over a replica', () => {
  it('answer 503 until contracts are in, and then as over the source', async () => {
    const { store: source, clients } = await seededStore()
    const { store, breakOff } = breakable(source as ReturnType<typeof memoryStore>)
    breakOff()
    const copy = replica({ from: store, timeoutMs: 100, everyMs: 2000 })
    const { enforceClientId } = clientele({ api: 'orders', store: copy, onDecision: () => undefined })
    const app = express().get('/orders', enforceClientId(), (_req, res) => void res.json({}))
    const { url } = await serve(app)
    const get = (name: 'approved' | 'revoked') =>
      call(url, {
        path: '/orders',
        headers: [
          ['client_id', clients[name].clientId],
          ['client_secret', secretOf(clients[name])],
        ],
      })
    const answer = await get('approved')
    expect(answer).toMatchObject({ status: 503, json: { code: 'ERR_CLIENTELE_NOT_READY' } })
    expect(answer.headers['retry-after']).toBe('2')
    breakOff(false)
    await until(() => copy.ready().ready)
    expect((await get('approved')).status).toBe(200)
    expect((await get('revoked')).status).toBe(403)
  })
})

describe('options of replicate()', () => {
  it.each([
    ['no from', {}, /from: expected httpSource\(\), or a contract store/],
    ['no bound', { from: memoryStore(), into: 'memory' }, /maxAgeMs/],
    ['no place', { from: memoryStore(), maxAgeMs: 1000 }, /into: expected \{ path \}/],
    ['a misspelt one', { from: memoryStore(), into: 'memory', maxAgeMs: 1000, every: 5 }, /did you mean "everyMs"/],
  ])('%s', (_, options, message) => {
    expect(() => replicate(options as never)).toThrow(message)
  })
})
