import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore } from 'clientele'
import { migratePostgres, postgresStore } from 'clientele/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contractRecord, known, linkRecord, putContract, putLink } from '../../src/testing/contract-store-fixtures.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'

const storeFault = expect.objectContaining({ code: 'ERR_CLIENTELE_STORE' }) as Error
const optionsFault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error

const suite = await describeWithServer('postgres')

describe('postgresStore and migratePostgres', () => {
  it('refuse what is no pool, and options that are none', async () => {
    const pool = new pg.Pool()
    for (const none of [undefined, null, {}, memoryStore(), 'postgresql://127.0.0.1'] as never[]) {
      expect(() => postgresStore(none)).toThrow(optionsFault)
      await expect(migratePostgres(none)).rejects.toThrow(optionsFault)
    }
    for (const options of [{ schema: '' }, { schema: 'A' }, { schema: 'a"; drop' }, { schema: '1a' }, { shema: 'a' }]) {
      expect(() => postgresStore(pool, options as never)).toThrow(optionsFault)
      await expect(migratePostgres(pool, options as never)).rejects.toThrow(optionsFault)
    }
    expect(() => postgresStore(pool, { timeoutMs: 0 })).toThrow(optionsFault)
  })
})

suite('migratePostgres', () => {
  let place: Place
  let pool: pg.Pool
  beforeAll(async () => {
    place = await ownPlace('postgres')
    pool = new pg.Pool({ connectionString: place.url, max: 20 })
  })
  afterAll(async () => {
    await pool.end()
    await place.remove()
  })

  it('is called for by a fault that says so', async () => {
    const store = postgresStore(pool, { schema: 'none' })
    await expect(store.ready()).rejects.toThrow(/migratePostgres/)
    await expect(store.findContract('one', 'orders')).rejects.toThrow(/migratePostgres/)
    await expect(store.commit(known('one'))).rejects.toThrow(storeFault)
    await store.close()
  })

  it('makes the tables once, however many call it at the same time', { timeout: 60_000 }, async () => {
    const pools = Array.from({ length: 8 }, () => new pg.Pool({ connectionString: place.url, max: 2 }))
    await Promise.all(pools.map((each) => migratePostgres(each, { schema: 'many' })))
    await Promise.all(pools.map((each) => each.end()))
    const store = postgresStore(pool, { schema: 'many' })
    await store.commit(known('one'))
    await migratePostgres(pool, { schema: 'many' })
    expect(await store.find('client', { id: 'one' })).toMatchObject({ id: 'one' })
    const { rows } = await pool.query('select step from many.migrations')
    expect(rows).toEqual([{ step: 1 }])
    await store.close()
  })

  it('needs no right to create anything where there is nothing to do', async () => {
    await migratePostgres(pool, { schema: 'plain' })
    const user = `user_${place.prefix}`
    await pool.query(`create role ${user} login; grant usage on schema plain to ${user};
      grant select, insert, update, delete on all tables in schema plain to ${user}`)
    const own = new pg.Pool({ connectionString: Object.assign(new URL(place.url), { username: user }).href })
    await migratePostgres(own, { schema: 'plain' })
    const store = postgresStore(own, { schema: 'plain' })
    await store.commit(known('one'))
    expect(await store.findClient({ issuer: 'local', clientId: 'one' })).toMatchObject({ id: 'one' })
    await expect(migratePostgres(own, { schema: 'other' })).rejects.toThrow(storeFault)
    await store.close()
    await own.end()
    await pool.query(`drop owned by ${user}; drop role ${user}`)
  })
})

suite('postgresStore', () => {
  let place: Place
  beforeAll(async () => {
    place = await ownPlace('postgres')
    const pool = new pg.Pool({ connectionString: place.url })
    await migratePostgres(pool)
    await pool.end()
  })
  afterAll(() => place.remove())

  async function withPool<T>(settings: pg.PoolConfig, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
    const pool = new pg.Pool({ connectionString: place.url, ...settings })
    try {
      return await work(pool)
    } finally {
      await pool.end()
    }
  }

  it.each(['repeatable read', 'serializable'])('commits right where the role asks for %s', async (isolation) => {
    const settings = {
      options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')} -c synchronous_commit=off`,
    }
    await withPool(settings, async (pool) => {
      const store = postgresStore(pool)
      const id = isolation.replace(' ', '-')
      let current = contractRecord(id, 'orders')
      await store.commit([putContract(current)])
      for (let round = 0; round < 5; round += 1) {
        const next = { ...current, version: current.version + 1 }
        const attempts = Array.from({ length: 8 }, () => store.commit([putContract(next, current.version)]))
        const outcomes = await Promise.allSettled(attempts)
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        for (const each of outcomes) {
          if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'ERR_CLIENTELE_CONFLICT' })
        }
        current = next
      }
      await store.close()
    })
  })

  it('keeps what no ordinary text is: NUL, half characters, quotes', async () => {
    await withPool({}, async (pool) => {
      const store = postgresStore(pool)
      const reason = 'a\u0000b \ud800 "\'\\ %s $1 🥇'
      await store.commit([putContract(contractRecord('odd', 'orders', { reason }))])
      expect(await store.findContract('odd', 'orders')).toMatchObject({ reason })
      await store.close()
    })
  })

  it('tells of keys that do not fit into a notification', { timeout: 60_000 }, async () => {
    await withPool({}, async (pool) => {
      const [store, other] = [postgresStore(pool), postgresStore(pool)]
      const told: number[] = []
      let missed = 0
      other.watch(
        (keys) => told.push(keys.length),
        () => (missed += 1),
      )
      await expect.poll(() => missed).toBe(1)
      await store.commit([putLink(linkRecord('long', 'one', `https://${'é"\\'.repeat(600)}`))])
      await expect.poll(() => told.length + missed).toBeGreaterThan(1)
      const many = Array.from({ length: 500 }, (_, index) => putContract(contractRecord(`many-${index}`, 'orders')))
      await store.commit(many)
      await expect.poll(() => told.length + missed).toBeGreaterThan(2)
      await Promise.all([store.close(), other.close()])
    })
  })

  it('holds up nobody for long when a process hangs in the middle of a commit', { timeout: 60_000 }, async () => {
    await withPool({}, async (pool) => {
      const hanging = await pool.connect()
      hanging.on('error', () => undefined)
      // As far as a commit has come when its process is stopped: the lock, and nothing after it.
      await hanging.query('begin')
      await hanging.query(`set local idle_in_transaction_session_timeout = 1000`)
      await hanging.query(`select pg_advisory_xact_lock(hashtextextended('clientele_changes', 0))`)
      const store = postgresStore(pool, { timeoutMs: 500 })
      await expect(store.commit(known('waiting'))).rejects.toThrow(storeFault)
      expect(await store.find('client', { id: 'waiting' })).toBeUndefined()
      await sleep(1000)
      await store.commit(known('waiting'))
      hanging.release(true)
      await store.close()
    })
  })

  it('does not commit after the caller was told that it failed, however long it waits for a connection', async () => {
    await withPool({ max: 1 }, async (pool) => {
      const only = await pool.connect()
      const store = postgresStore(pool, { timeoutMs: 300 })
      await expect(store.commit(known('late'))).rejects.toThrow(storeFault)
      only.release()
      await sleep(300)
      expect(await store.find('client', { id: 'late' })).toBeUndefined()
      await store.close()
    })
  })

  it('gives its connections back', async () => {
    await withPool({}, async (pool) => {
      const store = postgresStore(pool)
      let missed = 0
      const stop = store.watch(
        () => undefined,
        () => (missed += 1),
      )
      await expect.poll(() => missed).toBe(1)
      expect(pool.totalCount - pool.idleCount).toBe(1)
      stop()
      await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0)
      store.watch(() => undefined)
      await store.close()
      await expect.poll(() => pool.totalCount - pool.idleCount).toBe(0)
      expect(pool.listenerCount('error')).toBe(0)
    })
  })

  it('does not end the process when an idle connection breaks', async () => {
    await withPool({}, async (pool) => {
      const store = postgresStore(pool)
      await Promise.all([store.ready(), store.ready()])
      await withPool({}, (admin) =>
        admin.query(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`),
      )
      await expect.poll(() => pool.totalCount).toBe(0)
      await store.ready()
      await store.close()
    })
  })
})
