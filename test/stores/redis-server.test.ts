import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore, type ContractStore } from 'clientele'
import { redisStore, type RedisClient } from 'clientele/redis'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { testContractStore } from '../../src/testing/contract-store.js'
import { describeWithProgram } from '../support/needs.js'
import { RedisProcess } from '../support/redis-process.js'
import { redisClients, type OpenedClient } from './redis-clients.js'

const describeWithOwnRedis = describeWithProgram('redis-server', '--version')

const storeFault = expect.objectContaining({ code: 'ERR_CLIENTELE_STORE' }) as Error
const optionsFault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error

describe('redisStore', () => {
  it('refuses what is no client, and options that are none', () => {
    const client = { call: () => undefined, duplicate: () => undefined, on: () => undefined } as never
    for (const none of [undefined, null, {}, memoryStore(), 'redis://127.0.0.1'] as never[]) {
      expect(() => redisStore(none)).toThrow(optionsFault)
    }
    for (const options of [{ prefix: '' }, { prefix: 'a{b}' }, { prefix: 'a b' }, { timeoutMs: 0 }, { prefx: 'a' }]) {
      expect(() => redisStore(client, options as never)).toThrow(optionsFault)
    }
  })
})

describeWithOwnRedis('redisStore on a Redis of its own', () => {
  describe.each(Object.entries(redisClients))('with a client of %s', (_name, connect) => {
    let redis: RedisProcess
    let opened: OpenedClient
    let made = 0

    beforeAll(async () => {
      redis = await RedisProcess.start()
      opened = await connect(redis.url)
    })
    afterAll(async () => {
      opened.close()
      await redis.kill()
    })
    const open = (client: RedisClient = opened.client, timeoutMs = 5000) =>
      redisStore(client, { prefix: `p${made}`, timeoutMs })
    beforeEach(() => {
      made += 1
    })

    it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random', 'volatile-lru', 'volatile-ttl'])(
      'refuses a server that throws keys away: %s',
      async (policy) => {
        await opened.command('CONFIG', 'SET', 'maxmemory-policy', policy)
        const store = open()
        await expect(store.ready()).rejects.toThrow(/maxmemory-policy to noeviction/)
        for (const attempt of [
          () => store.findClient({ issuer: 'local', clientId: 'one' }),
          () => store.findContract('one', 'orders'),
          () => store.list({ kind: 'client' }),
          () => store.commit(known('one')),
        ]) {
          await expect(attempt()).rejects.toThrow(storeFault)
        }
        await opened.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
        await store.ready()
        expect(await store.findContract('one', 'orders')).toBeUndefined()
      },
    )

    it('sends its scripts again to a server that has forgotten them', async () => {
      const store = open()
      await store.commit(known('one'))
      await opened.command('SCRIPT', 'FLUSH')
      await store.commit(known('two'))
      expect(await store.find('client', { id: 'two' })).toBeDefined()
    })

    it('leaves nothing half when the server is out of memory', async () => {
      const store = open()
      const [one, two] = [contractRecord('one', 'orders'), contractRecord('two', 'orders')]
      await store.commit([putContract(one)])
      await opened.command('CONFIG', 'SET', 'maxmemory', '1')
      const removal = {
        kind: 'contract',
        key: { client: 'one', api: 'orders' },
        expect: one.version,
        value: null,
      } as const
      await expect(store.commit([removal, putContract(two)])).rejects.toThrow(storeFault)
      // Reads go on.
      expect(await store.findContract('one', 'orders')).toEqual(one)
      expect(await store.findContract('two', 'orders')).toBeUndefined()
      await opened.command('CONFIG', 'SET', 'maxmemory', '0')
      expect((await store.list({ kind: 'contract', api: 'orders' })).records).toEqual([one])
      await store.commit([removal, putContract(two)])
      expect((await store.list({ kind: 'contract', api: 'orders' })).records).toEqual([two])
    })

    it('takes a commit that the client has sent twice for one', async () => {
      const store = open(everyCommand(opened, (send) => send().then(send)))
      const one = contractRecord('one', 'orders')
      await store.commit([...known('one'), putContract(one)])
      await store.commit([putContract({ ...one, version: one.version + 1, reason: 'edited' }, one.version)])
      expect(await store.findContract('one', 'orders')).toMatchObject({ reason: 'edited' })
    })

    it('does not carry out a commit long after the caller was told that it failed', async () => {
      const slowly = everyCommand(opened, async (send, name) => {
        if (name === 'EVALSHA' || name === 'EVAL') await sleep(200)
        return send()
      })
      const store = open(slowly, 500)
      await expect(store.commit(known('one'))).rejects.toThrow(storeFault)
      await sleep(1000)
      expect(await open().find('client', { id: 'one' })).toBeUndefined()
    })

    it('takes an answer that is none for a failure', async () => {
      const store = open()
      await store.commit(known('one'))
      const [key = ''] = (await opened.command('KEYS', `{p${made}}:record:client/*`)) as string[]
      for (const text of ['', '{', 'null', '[]', '{"id":"one"}']) {
        await opened.command('SET', key, text)
        await expect(store.findClient({ issuer: 'local', clientId: 'one' })).rejects.toThrow(storeFault)
        await expect(store.find('client', { id: 'one' })).rejects.toThrow(storeFault)
      }
    })

    it('reads what a newer version has written with a member more, and does not let it be edited by halves', async () => {
      const store = open()
      await store.commit([...known('one'), putContract(contractRecord('one', 'orders'))])
      for (const key of (await opened.command('KEYS', `{p${made}}:record:c*`)) as string[]) {
        const text = String(await opened.command('GET', key))
        await opened.command('SET', key, text.replace('{', '{"added":true,'))
      }
      expect(await store.findClient({ issuer: 'local', clientId: 'one' })).toMatchObject({ id: 'one' })
      expect(await store.findContract('one', 'orders')).toMatchObject({ client: 'one' })
      await expect(store.find('contract', { client: 'one', api: 'orders' })).rejects.toThrow(storeFault)
    })

    it('hears of a change in the instant in which its listening connection is lost', async () => {
      const [store, other] = [open(), open()]
      await store.commit([putContract(contractRecord('one', 'orders'))])
      for (let round = 0; round < 3; round += 1) {
        await expectTold(store, async () => {
          const before = await other.findContract('one', 'orders')
          const next = contractRecord('one', 'orders', { reason: String(round) })
          await Promise.all([
            opened.command('CLIENT', 'KILL', 'TYPE', 'pubsub'),
            other.commit([putContract(next, before?.version ?? null)]),
          ])
        })
      }
      await store.close()
    })

    it('gives its listening connection back, and nothing else', async () => {
      const store = open()
      store.watch(() => undefined)
      store.watch(() => undefined)
      await expect.poll(() => listening(opened)).toBe(1)
      await store.close()
      await store.close()
      await expect.poll(() => listening(opened)).toBe(0)
      expect(await opened.command('PING')).toBe('PONG')
    })
  })

  it('has its records again after a crash of a server that writes them down', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-redis-'))
    const redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder)
    const opened = await redisClients['redis']?.(redis.url)
    if (opened === undefined) throw new Error('no client')
    const store = redisStore(opened.client)
    const ids = Array.from({ length: 20 }, (_, index) => `app-${index}`)
    for (const id of ids) await store.commit([...known(id), putContract(contractRecord(id, 'orders'))])
    await redis.kill()
    await redis.startAgain()
    await expect
      .poll(
        () =>
          store.ready().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true)
    for (const id of ids) expect(await store.findContract(id, 'orders')).toMatchObject({ client: id })
    await store.commit(known('next'))
    opened.close()
    await redis.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  describe('on a cluster', () => {
    let redis: RedisProcess
    let cluster: Cluster
    let folder: string
    let made = 0
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'clientele-cluster-'))
      redis = await RedisProcess.start(
        '--cluster-enabled',
        'yes',
        '--cluster-announce-ip',
        '127.0.0.1',
        '--dir',
        folder,
      )
      const opened = await redisClients['ioredis']?.(redis.url)
      await opened?.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      while (!String(await opened?.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(50)
      opened?.close()
      cluster = new Cluster([redis.url])
    })
    afterAll(async () => {
      cluster.disconnect()
      await redis.kill()
      rmSync(folder, { recursive: true, force: true })
    })

    const openLast = () => redisStore(cluster, { prefix: `c${made}` })
    testContractStore('redisStore', () => ((made += 1), openLast()), { describe, it, openBeside: openLast })
  })
})

/** A client that does what it does in a way of its own. */
function everyCommand(
  opened: OpenedClient,
  way: (send: () => Promise<unknown>, name: string) => Promise<unknown>,
): RedisClient {
  const { client } = opened
  return {
    call: (name, ...rest) => way(() => opened.command(name, ...rest), name),
    duplicate: () => {
      throw new Error('nobody listens in these tests')
    },
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
  }
}

/** Within a second of the change, whatever was told before. */
async function expectTold(store: ContractStore, change: () => Promise<void>): Promise<void> {
  let told: () => void = () => undefined
  const stop = store.watch?.(
    () => told(),
    () => told(),
  )
  await sleep(600)
  const telling = new Promise<void>((resolve) => (told = resolve))
  const since = performance.now()
  await Promise.all([change(), store.capabilities.indexedLists ? telling : undefined])
  expect(performance.now() - since).toBeLessThan(1000)
  stop?.()
}

async function listening(opened: OpenedClient): Promise<number> {
  const clients = String(await opened.command('CLIENT', 'LIST', 'TYPE', 'pubsub'))
  return clients.split('\n').filter((line) => line.includes('sub=1')).length
}
