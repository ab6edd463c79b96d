import {
  changeTier,
  defineTier,
  disableClient,
  enableClient,
  endSecret,
  registerClient,
  requestContract,
  restoreContract,
  revokeContract,
  rotateSecret,
  type CachedStoreOptions,
  type ContractStore,
} from 'clientele'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Answer } from '../support/call.js'
import { describeWithServer } from '../support/needs.js'
import { TcpProxy } from '../support/tcp-proxy.js'
import type { StorePlace } from './children/open-store.js'
import { ServerProcess, type Credentials } from './server-process.js'
import { editedPlace } from './store-places.js'

const api = 'orders'
const actor = 'test'
/** So long that only a hint can have brought what is seen within a second. */
const told: CachedStoreOptions = { freshForMs: 600_000 }
const boundMs = 1000

interface Registered extends Credentials {
  readonly id: string
}

async function addTiers(store: ContractStore): Promise<void> {
  const limits = [{ requests: 1_000_000, windowSeconds: 60 }]
  for (const name of ['gold', 'silver']) await defineTier(store, { api, name, approval: 'automatic', limits, actor })
}

async function addClient(store: ContractStore): Promise<Registered> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  return { id: client.id, clientId, clientSecret }
}

const status =
  (expected: number) =>
  (answer: Answer): boolean =>
    answer.status === expected
const tierIs =
  (tier: string) =>
  ({ json }: Answer): boolean =>
    (json as { tier?: string }).tier === tier

/** All see it in time, and none of them goes back. */
async function expectSeen(
  servers: readonly ServerProcess[],
  credentials: Credentials,
  isExpected: (answer: Answer) => boolean,
  since: number,
  withinMs = boundMs,
): Promise<void> {
  const times = await Promise.all(servers.map((server) => server.msUntil(credentials, isExpected, since)))
  for (const ms of times) expect(ms).toBeLessThan(withinMs)
  for (const server of servers) {
    for (let again = 0; again < 5; again += 1) expect(isExpected(await server.get(credentials))).toBe(true)
  }
}

/** The four changes, one after the other, each seen by all. */
async function playChanges(store: ContractStore, servers: readonly ServerProcess[], withinMs: number): Promise<void> {
  const client = await addClient(store)
  const arrives = async (change: () => Promise<unknown>, isExpected: (answer: Answer) => boolean, as = client) => {
    await change()
    await expectSeen(servers, as, isExpected, performance.now(), withinMs)
  }
  const named = { client: client.id, api, actor }
  await expectSeen(servers, client, tierIs('gold'), performance.now(), 10_000)
  await arrives(() => revokeContract(store, named), status(403))
  await arrives(() => restoreContract(store, named), status(200))
  await arrives(() => disableClient(store, { client: client.id, actor }), status(401))
  await arrives(() => enableClient(store, { client: client.id, actor }), status(200))
  await arrives(() => changeTier(store, { ...named, tier: 'silver' }), tierIs('silver'))
  const old = (await store.find('client', { id: client.id }))?.secrets[0]
  const { clientSecret } = await rotateSecret(store, { client: client.id, overlapSeconds: 3600, actor })
  const renewed = { ...client, clientSecret }
  await expectSeen(servers, renewed, status(200), performance.now(), withinMs)
  await arrives(() => endSecret(store, { client: client.id, secret: old?.id ?? '', actor }), status(401))
  await expectSeen(servers, renewed, status(200), performance.now(), withinMs)
}

const shared: readonly (readonly [
  StorePlace['kind'],
  typeof describe | Awaited<ReturnType<typeof describeWithServer>>,
])[] = [
  ['disk', describe],
  ['redis', await describeWithServer('redis')],
  ['ioredis', await describeWithServer('redis')],
  ['postgres', await describeWithServer('postgres')],
]

for (const [kind, suite] of shared) {
  suite(`what is changed in a store: ${kind}`, () => {
    let opened: Awaited<ReturnType<typeof editedPlace>>
    const servers: ServerProcess[] = []
    const start = async (...settings: Parameters<typeof ServerProcess.start>): Promise<ServerProcess> => {
      const server = await ServerProcess.start(...settings)
      servers.push(server)
      return server
    }

    beforeAll(async () => {
      opened = await editedPlace(kind)
      await addTiers(opened.store)
    })
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.kill()))
      await opened.close()
      await opened.remove()
    })

    it('takes effect in every process within a second', { timeout: 60_000 }, async () => {
      const both = await Promise.all([start(opened.place, { cache: told }), start(opened.place, { cache: told })])
      await playChanges(opened.store, both, boundMs)
    })

    // Where nobody tells, the two clients of Redis are asked in the same way.
    if (kind !== 'ioredis') {
      it('takes effect within freshForMs where the store cannot tell', { timeout: 60_000 }, async () => {
        const freshForMs = 500
        const server = await start(opened.place, { cache: { freshForMs }, watch: false })
        // Asked all the time, it sees a change when the answer is old and the next has come.
        await playChanges(opened.store, [server], freshForMs + 500)
      })
    }

    if (kind === 'disk') {
      it('takes effect with the next request where nothing is cached', { timeout: 60_000 }, async () => {
        const client = await addClient(opened.store)
        const server = await start(opened.place)
        expect((await server.get(client)).status).toBe(200)
        for (let round = 0; round < 20; round += 1) {
          await revokeContract(opened.store, { client: client.id, api, actor })
          expect((await server.get(client)).status).toBe(403)
          await restoreContract(opened.store, { client: client.id, api, actor })
          expect((await server.get(client)).status).toBe(200)
        }
      })
      return
    }

    it(
      'in the instant in which the connection is lost takes effect within a second of its return',
      { timeout: 60_000 },
      async () => {
        const place = opened.place as Exclude<StorePlace, { kind: 'disk' }>
        const proxy = await TcpProxy.before(place.url)
        const server = await start({ ...place, url: proxy.through(place.url) }, { cache: { ...told, timeoutMs: 300 } })
        for (let round = 0; round < 3; round += 1) {
          const client = await addClient(opened.store)
          await expectSeen([server], client, status(200), performance.now(), 10_000)
          await Promise.all([proxy.cut(), revokeContract(opened.store, { client: client.id, api, actor })])
          // It cannot tell, and it cannot ask: the last good answer, or the news; never a 401.
          for (let again = 0; again < 20; again += 1)
            expect([200, 403, 503]).toContain((await server.get(client)).status)
          await proxy.resume()
          await expectSeen([server], client, status(403), performance.now())
        }
        await proxy.cut()
      },
    )

    it('is not lost with a connection that falls silent', { timeout: 60_000 }, async () => {
      const place = opened.place as Exclude<StorePlace, { kind: 'disk' }>
      const proxy = await TcpProxy.before(place.url)
      const server = await start({ ...place, url: proxy.through(place.url) }, { cache: { ...told, timeoutMs: 300 } })
      const client = await addClient(opened.store)
      await expectSeen([server], client, status(200), performance.now(), 10_000)
      proxy.stall()
      await revokeContract(opened.store, { client: client.id, api, actor })
      // A hint that came through just before says that there is something to read: that is a 503 until it can be.
      for (let again = 0; again < 5; again += 1) expect([200, 503]).toContain((await server.get(client)).status)
      await proxy.resume()
      await expectSeen([server], client, status(403), performance.now())
      await proxy.cut()
    })

    if (kind !== 'postgres') return
    it(
      'in the instant in which only the listening connection is lost is heard when there is another',
      { timeout: 60_000 },
      async () => {
        const { place } = opened
        const admin = new pg.Client({ connectionString: place.kind === 'postgres' ? place.url : '' })
        await admin.connect()
        const server = await start(place, { cache: told })
        for (let round = 0; round < 3; round += 1) {
          const client = await addClient(opened.store)
          await expectSeen([server], client, status(200), performance.now(), 10_000)
          const ended = admin.query(
            `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'`,
          )
          await Promise.all([ended, revokeContract(opened.store, { client: client.id, api, actor })])
          await expectSeen([server], client, status(403), performance.now())
        }
        await admin.end()
      },
    )
  })
}
