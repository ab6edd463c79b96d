import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  defineTier,
  registerClient,
  requestContract,
  revokeContract,
  type CachedStoreOptions,
  type ContractStore,
} from 'clientele'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Answer } from '../support/call.js'
import { describeWithProgram } from '../support/needs.js'
import { PostgresProcess, postgresPrograms } from '../support/postgres-process.js'
import { RedisProcess } from '../support/redis-process.js'
import { openStore, type OpenedStore, type StorePlace } from './children/open-store.js'
import { ServerProcess, type Credentials } from './server-process.js'
import { migrated } from './store-places.js'

const api = 'orders'
const actor = 'test'
const cache = { freshForMs: 500, staleForMs: 5000, timeoutMs: 500 } satisfies CachedStoreOptions
const boundMs = 1000
/** What a busy machine may add. */
const slackMs = 2000

interface Registered extends Credentials {
  readonly id: string
}

interface DatabaseProcess {
  readonly url: string
  kill(): Promise<void>
  startAgain(): Promise<void>
  stop(): void
  continue(): void
}

async function addClient(store: ContractStore): Promise<Registered> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  return { id: client.id, clientId, clientSecret }
}

const nobody: Credentials = { clientId: 'nobody', clientSecret: 'x' }

/** What a caller sees who asks all the time. */
async function seen(server: ServerProcess, as: Credentials, forMs: number): Promise<number[]> {
  const until = performance.now() + forMs
  const statuses = new Set<number>()
  while (performance.now() < until) {
    const answer = await server.get(as)
    if (answer.status === 503) {
      expect(answer.json).toMatchObject({ code: 'ERR_CLIENTELE_STORE' })
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    }
    statuses.add(answer.status)
    await sleep(20)
  }
  return [...statuses].sort()
}

interface OwnDatabase extends DatabaseProcess {
  readonly place: StorePlace
  remove(): Promise<void>
}

async function ownRedis(...settings: readonly string[]): Promise<OwnDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'clientele-outages-'))
  const redis = await RedisProcess.start('--dir', folder, ...settings)
  return Object.assign(redis, {
    place: { kind: 'redis', url: redis.url, prefix: 'outages' } as const,
    remove: async () => {
      redis.continue()
      await redis.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

async function ownPostgres(): Promise<OwnDatabase> {
  const postgres = await PostgresProcess.start()
  await migrated(postgres.url)
  return Object.assign(postgres, { place: { kind: 'postgres', url: postgres.url, schema: 'clientele' } as const })
}

/** A database, two servers on it, one with a cache and one without, and an editor. */
class Stage {
  readonly database: OwnDatabase
  readonly cached: ServerProcess
  readonly plain: ServerProcess
  readonly known: Registered
  readonly #editor: OpenedStore

  private constructor(
    database: OwnDatabase,
    [cached, plain]: readonly [ServerProcess, ServerProcess],
    known: Registered,
    editor: OpenedStore,
  ) {
    this.database = database
    this.cached = cached
    this.plain = plain
    this.known = known
    this.#editor = editor
  }

  static async set(starting: Promise<OwnDatabase>): Promise<Stage> {
    const database = await starting
    const editor = await openStore(database.place)
    const limits = [{ requests: 1_000_000, windowSeconds: 60 }]
    await defineTier(editor.store, { api, name: 'gold', approval: 'automatic', limits, actor })
    const known = await addClient(editor.store)
    const { place } = database
    const servers = await Promise.all([ServerProcess.start(place, { cache }), ServerProcess.start(place)])
    return new Stage(database, servers, known, editor)
  }

  /** One whom nobody has asked for yet. */
  stranger(): Promise<Registered> {
    return addClient(this.#editor.store)
  }

  async revoke({ id }: Registered): Promise<void> {
    await eventually(() => revokeContract(this.#editor.store, { client: id, api, actor }))
  }

  /** Everybody is where he belongs. */
  async expectAllWell(): Promise<void> {
    for (const server of [this.cached, this.plain]) {
      await server.msUntil(this.known, (answer) => answer.status === 200, performance.now())
      await server.msUntil(nobody, (answer) => answer.status === 401, performance.now())
    }
  }

  async clear(): Promise<void> {
    await Promise.all([this.cached.kill(), this.plain.kill()])
    await this.#editor.close()
    await this.database.remove()
  }
}

async function eventually<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      if (tries === 100) throw error
      await sleep(50)
    }
  }
}

const databases = [
  ['Redis', describeWithProgram('redis-server', '--version'), () => ownRedis('--appendonly', 'yes')],
  ['PostgreSQL', describeWithProgram(join(postgresPrograms, 'initdb'), '--version'), ownPostgres],
] as const

for (const [name, suite, start] of databases) {
  suite(`${name}, and what a caller sees of it`, () => {
    let stage: Stage
    beforeAll(async () => {
      stage = await Stage.set(start())
    }, 60_000)
    // What a test has left behind that failed is nothing for the next to fail by.
    beforeEach(async () => {
      stage.database.continue()
      await stage.expectAllWell()
    }, 60_000)
    afterAll(() => stage.clear())

    it('killed: who is in memory goes on for staleForMs, who is not gets a 503', { timeout: 60_000 }, async () => {
      const { cached, plain, known, database } = stage
      const stranger = await stage.stranger()
      await stage.expectAllWell()
      await database.kill()
      expect(await seen(cached, known, 2500)).toEqual([200])
      for (const other of [stranger, nobody]) expect(await seen(cached, other, 500)).toEqual([503])
      expect(await seen(plain, known, 500)).toEqual([503])
      const staleAt = await cached.msUntil(known, (answer) => answer.status === 503, performance.now())
      expect(staleAt).toBeLessThan(cache.staleForMs)
      expect(await seen(cached, known, 500)).toEqual([503])
      await database.startAgain()
      await stage.expectAllWell()
      expect(await seen(cached, stranger, 200)).toEqual([200])
    })

    it('paused: who is in memory waits for timeoutMs, now and then, and goes on', { timeout: 60_000 }, async () => {
      const { cached, plain, known, database } = stage
      const stranger = await stage.stranger()
      await stage.expectAllWell()
      database.stop()
      await sleep(cache.freshForMs)
      const [longest, statuses] = await longestOf(() => cached.get(known), 3000)
      expect(statuses).toEqual([200])
      // Client, contract and tier, one after the other.
      expect(longest).toBeLessThan(3 * cache.timeoutMs + slackMs)
      for (const other of [stranger, nobody]) expect(await seen(cached, other, 500)).toEqual([503])
      expect(await seen(plain, known, 100)).toEqual([503])
      database.continue()
      await stage.expectAllWell()
    })

    it('restarted: who is in memory notices nothing, and nobody gets a 401', { timeout: 60_000 }, async () => {
      const { cached, plain, known, database } = stage
      const stranger = await stage.stranger()
      await stage.expectAllWell()
      const watching = Promise.all([seen(cached, known, 3000), seen(plain, known, 3000), seen(cached, stranger, 3000)])
      await database.kill()
      await database.startAgain()
      const [inMemory, ...others] = await watching
      expect(inMemory).toEqual([200])
      for (const statuses of others) expect([200, 503]).toEqual(expect.arrayContaining(statuses))
      await stage.expectAllWell()
    })

    it('back, with a client that was revoked at once: seen within a second of that', { timeout: 60_000 }, async () => {
      const { cached, plain, database } = stage
      const revoked = await stage.stranger()
      await cached.msUntil(revoked, (answer) => answer.status === 200, performance.now())
      await database.kill()
      expect(await seen(cached, revoked, 500)).toEqual([200])
      await database.startAgain()
      await stage.revoke(revoked)
      const since = performance.now()
      for (const server of [cached, plain]) {
        expect(await server.msUntil(revoked, (answer) => answer.status === 403, since)).toBeLessThan(boundMs)
        expect(await seen(server, revoked, 300)).toEqual([403])
      }
      await stage.expectAllWell()
    })
  })
}

describeWithProgram('redis-server', '--version')(
  'a Redis that writes nothing down, and what a caller sees of it',
  () => {
    let stage: Stage
    beforeAll(async () => {
      stage = await Stage.set(ownRedis())
    }, 60_000)
    afterAll(() => stage.clear())

    it('back and empty: as if it were down, and nobody gets a 401', { timeout: 60_000 }, async () => {
      const { cached, plain, known, database } = stage
      await stage.expectAllWell()
      await database.kill()
      await database.startAgain()
      expect(await seen(cached, known, 2500)).toEqual([200])
      for (const server of [cached, plain]) expect(await seen(server, nobody, 500)).toEqual([503])
      expect(await seen(plain, known, 500)).toEqual([503])
      await cached.msUntil(known, (answer) => answer.status === 503, performance.now())
    })

    it('with an eviction policy when a process starts: a 503 for everybody', { timeout: 60_000 }, async () => {
      const evicting = await ownRedis('--maxmemory-policy', 'allkeys-lru')
      const server = await ServerProcess.start(evicting.place, { cache })
      for (const as of [stage.known, nobody]) expect(await seen(server, as, 300)).toEqual([503])
      await server.kill()
      await evicting.remove()
    })
  },
)

async function longestOf(ask: () => Promise<Answer>, forMs: number): Promise<readonly [number, number[]]> {
  const until = performance.now() + forMs
  const statuses = new Set<number>()
  let longest = 0
  while (performance.now() < until) {
    const began = performance.now()
    statuses.add((await ask()).status)
    longest = Math.max(longest, performance.now() - began)
    await sleep(20)
  }
  return [longest, [...statuses]]
}
