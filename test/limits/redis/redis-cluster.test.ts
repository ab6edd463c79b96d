import { redisCounter, redisStore, type RedisClient } from 'clientele/redis'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CounterKeys } from '../../../src/limits/redis/keys.js'
import { testContractStore } from '../../../src/testing/contract-store.js'
import { limitOf } from '../../../src/testing/counter/bench.js'
import { testCounter } from '../../../src/testing/counter.js'
import { describeWithProgram } from '../../support/needs.js'
import { RedisCluster } from '../../support/redis-cluster.js'
import { until } from '../../support/until.js'

const describeWithOwnRedis = describeWithProgram('redis-server', '--version')

interface OpenedCluster {
  readonly client: RedisClient
  close(): void
}

/** As people would make them. */
const clients: Readonly<Record<string, (urls: readonly string[]) => Promise<OpenedCluster>>> = {
  async redis(urls) {
    const client = createCluster({ rootNodes: urls.map((url) => ({ url })) })
    await client.connect()
    return {
      client,
      close: () => {
        client.destroy()
      },
    }
  },
  async ioredis(urls) {
    const client = new Cluster([...urls])
    await client.ping()
    return {
      client,
      close: () => {
        client.disconnect()
      },
    }
  },
}

describeWithOwnRedis('on a cluster of three masters', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await RedisCluster.start()
  }, 60_000)
  afterAll(() => cluster.end())

  describe.each(Object.entries(clients))('with a client of %s', (name, open) => {
    let opened: OpenedCluster
    let made = 0
    beforeAll(async () => {
      opened = await open(cluster.urls)
    })
    afterAll(() => {
      opened.close()
    })
    const counter = (lease?: object) =>
      redisCounter(opened.client, { prefix: name, timeoutMs: 20_000, ...(lease && { lease }) })
    const openLast = () => redisStore(opened.client, { prefix: `${name}-store-${String(made)}` })

    let exact: ReturnType<typeof counter> | undefined
    let leasing: ReturnType<typeof counter> | undefined
    testCounter('exact', () => (exact ??= counter()), { describe, it })
    testCounter('lease', () => (leasing ??= counter({})), { describe, it })
    testContractStore(
      'redisStore',
      () => {
        made += 1
        return openLast()
      },
      { describe, it, openAgain: openLast, openBeside: openLast },
    )

    it('one client of an API is on one node, and clients are on all of them', async () => {
      const onFirst = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          cluster.keyIsOnFirst(new CounterKeys(name).account(`orders:${String(index)}`)),
        ),
      )
      expect(new Set(onFirst)).toEqual(new Set([true, false]))
      const each = onFirst.map((_, index) => counter().take(`orders:${String(index)}`, [limitOf(5)], 1))
      for (const answer of each) expect((await answer).taken).toBe(true)
    })
  })

  it('a master that hands over takes no count with it', async () => {
    const all = await Promise.all(Object.values(clients).map((open) => open(cluster.urls)))
    const counters = all.map(({ client }, index) =>
      redisCounter(client, { prefix: `handed-over-${String(index)}`, timeoutMs: 5000 }),
    )
    const subjects = Array.from({ length: 20 }, (_, index) => `orders:${String(index)}`)
    const each = counters.flatMap((counter) => subjects.map((subject) => ({ counter, subject })))
    for (const { counter, subject } of each) await counter.take(subject, [limitOf(9)], 2)
    await cluster.handOver()
    for (const { counter, subject } of each) {
      // A moment without an answer is an outage, and never a fresh count.
      const take = async () => counter.take(subject, [limitOf(9)], 7)
      await until(async () => (await take().catch(() => undefined)) !== undefined)
      expect((await counter.peek(subject, [limitOf(9)]))[0]!.used).toBe(9)
    }
    for (const { close } of all) close()
  })
})
