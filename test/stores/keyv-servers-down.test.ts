import { registerClient, type ContractStore } from 'clientele'
import { keyvStore } from 'clientele/keyv'
import { setTimeout as sleep } from 'node:timers/promises'
import KeyvMysql from '@keyv/mysql'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeWithProgram, describeWithServer } from '../support/needs.js'
import { ownPlace, serverUrls, type Server } from '../support/servers.js'
import { RedisProcess } from '../support/redis-process.js'
import { TcpProxy } from '../support/tcp-proxy.js'
import { describeEachMajor } from './keyv-majors.js'

const actor = 'test'
const outage = { code: 'ERR_CLIENTELE_STORE', status: 503 }
const timeoutMs = 250
const acme = { issuer: 'local', clientId: 'acme' }
const listeners = ['without an', 'with an'] as const
const combinations = (['stall', 'cut'] as const).flatMap((trouble) =>
  listeners.map((listener) => [trouble, listener] as const),
)

const adapterOn: Readonly<Record<Server, (url: string) => object>> = {
  redis: (url) => new KeyvRedis(url),
  // The adapter's pool throws what happens to an idle connection where nobody can catch it: so there are none.
  postgres: (uri) => new KeyvPostgres({ uri, idleTimeoutMillis: 1 }),
  mysql: (uri) => new KeyvMysql({ uri }),
}

async function faultOf(store: ContractStore): Promise<string | undefined> {
  try {
    await store.findClient(acme)
    return undefined
  } catch (error) {
    return String(error)
  }
}

async function expectOutage(store: ContractStore): Promise<void> {
  await expect(store.findClient(acme), 'known').rejects.toMatchObject(outage)
  await expect(store.findClient({ issuer: 'local', clientId: 'nobody' }), 'unknown').rejects.toMatchObject(outage)
  await expect(store.list({ kind: 'client' }), 'list').rejects.toMatchObject(outage)
  await expect(registerClient(store, { name: 'b', clientId: 'b', actor }), 'write').rejects.toMatchObject(outage)
  const nothing = { kind: 'client', key: { id: 'nobody' }, expect: null } as const
  await expect(store.commit([nothing]), 'an expectation').rejects.toMatchObject(outage)
}

const patience = { timeout: 15_000 }

for (const server of ['redis', 'postgres', 'mysql'] as const) {
  const suite = await describeWithServer(server)
  suite(`keyvStore on ${server}`, () => {
    describeEachMajor('behind a network', (Keyv) => {
      it.each(combinations)('%s, %s error listener', async (trouble, listener) => {
        const place = await ownPlace(server)
        const proxy = await TcpProxy.before(serverUrls[server])
        const keyv = new Keyv({ store: adapterOn[server](proxy.through(place.url)), namespace: place.prefix })
        if (listener === 'with an') keyv.on('error', () => undefined)
        const store = keyvStore(keyv, { soleWriter: true, timeoutMs })
        try {
          const { client } = await registerClient(store, { name: 'acme', clientId: 'acme', actor })
          await sleep(100)
          await proxy[trouble]()
          await expectOutage(store)
          await proxy.resume()
          await expect.poll(() => store.findClient(acme), patience).toEqual(client)
          await registerClient(store, { name: 'c', clientId: 'c', actor })
        } finally {
          await proxy.resume()
          await store.close().catch(() => undefined)
          await proxy.cut()
          await place.remove()
        }
      })
    })
  })
}

describeWithProgram('redis-server', '--version')('keyvStore on a Redis process', () => {
  let redis: RedisProcess
  beforeEach(async () => {
    redis = await RedisProcess.start()
  })
  afterEach(() => redis.kill())

  describeEachMajor('of its own', (Keyv) => {
    const open = (listener: string, disableOfflineQueue: boolean) => {
      const keyv = new Keyv({ store: new KeyvRedis({ url: redis.url, disableOfflineQueue }) })
      if (listener === 'with an') keyv.on('error', () => undefined)
      return keyvStore(keyv, { soleWriter: true, timeoutMs })
    }

    it.each(listeners.flatMap((listener) => [[listener, true] as const, [listener, false] as const]))(
      'killed and come back empty: %s error listener, disableOfflineQueue: %s',
      async (listener, disableOfflineQueue) => {
        const store = open(listener, disableOfflineQueue)
        await registerClient(store, { name: 'acme', clientId: 'acme', actor })
        await redis.kill()
        await expectOutage(store)
        await redis.startAgain()
        // Reached again, with nothing in it: that is no world in which nobody was ever registered.
        await expect.poll(() => faultOf(store), patience).toContain('there are no records of clientele')
        await expectOutage(store)
        await store.close()
      },
    )

    it('that stands still keeps a commit whole, and the next one waits until it is over', async () => {
      const store = open('with an', false)
      await registerClient(store, { name: 'acme', clientId: 'acme', actor })
      for (let round = 0; round < 5; round++) {
        const clientId = `client${String(round)}`
        const registering = registerClient(store, { name: clientId, clientId, actor }).then(
          () => true,
          () => false,
        )
        await sleep(round)
        redis.stop()
        await registering
        redis.continue()
        await expect.poll(() => registerClient(store, { name: 'next', actor }), patience).toBeDefined()
        const client = await store.findClient({ issuer: 'local', clientId })
        const listed = (await store.list<'client'>({ kind: 'client' })).records.map(({ name }) => name)
        expect(listed.includes(clientId)).toBe(client !== undefined)
        if (await registering) expect(client).toBeDefined()
      }
      await store.close()
    })
  })
})
