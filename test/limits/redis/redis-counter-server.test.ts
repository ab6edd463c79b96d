import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redisCounter, type RedisClient } from 'clientele/redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { concurrentLimit, gcraLimit, limitOf, slidingLimit } from '../../../src/testing/counter/bench.js'
import { redisClients, type OpenedClient } from '../../stores/redis-clients.js'
import { describeWithProgram } from '../../support/needs.js'
import { RedisProcess } from '../../support/redis-process.js'
import { until } from '../../support/until.js'

const describeWithOwnRedis = describeWithProgram('redis-server', '--version')
const optionsFault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error
const counterFault = expect.objectContaining({ code: 'ERR_CLIENTELE_COUNTER' }) as Error

describe('redisCounter', () => {
  it('refuses what is no client, and options that are none', () => {
    const client = { call: () => undefined, duplicate: () => undefined, on: () => undefined } as never
    for (const none of [undefined, null, {}, 'redis://127.0.0.1'] as never[]) {
      expect(() => redisCounter(none)).toThrow(optionsFault)
    }
    const leases = [{ maxMs: 99 }, { share: 0 }, { share: 0.6 }, { shares: 0.1 }, true]
    const others = [{ prefix: '' }, { prefix: 'a{b}' }, { timeoutMs: 0 }, { prefx: 'a' }]
    for (const options of [...others, ...leases.map((lease) => ({ lease }))]) {
      expect(() => redisCounter(client, options as never)).toThrow(optionsFault)
    }
  })
})

describeWithOwnRedis('redisCounter on a Redis of its own', () => {
  let redis: RedisProcess
  let opened: OpenedClient
  let prefix = ''
  let made = 0
  beforeAll(async () => {
    redis = await RedisProcess.start()
    opened = await redisClients.ioredis!(redis.url)
  })
  afterAll(async () => {
    opened.close()
    await redis.kill()
  })
  beforeEach(() => {
    prefix = `p${String((made += 1))}`
  })
  const keys = async (): Promise<string[]> => (await opened.command('KEYS', `${prefix}:*`)) as string[]

  it.each(['allkeys-lru', 'volatile-lru', 'volatile-ttl'])(
    'refuses a server that throws counts away: %s',
    async (policy) => {
      await opened.command('CONFIG', 'SET', 'maxmemory-policy', policy)
      for (const lease of [undefined, {}]) {
        const counter = redisCounter(opened.client, { prefix, ...(lease && { lease }) })
        await expect(counter.ready()).rejects.toThrow(/maxmemory-policy to noeviction/)
        for (const attempt of [
          async () => counter.take('a', [limitOf(5)], 1),
          async () => counter.peek('a', [limitOf(5)]),
          async () => counter.reset('a'),
        ]) {
          await expect(attempt()).rejects.toThrow(counterFault)
        }
      }
      const counter = redisCounter(opened.client, { prefix })
      await expect(counter.ready()).rejects.toThrow(counterFault)
      await opened.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      await counter.ready()
      expect((await counter.take('a', [limitOf(5)], 1)).taken).toBe(true)
    },
  )

  it('sends its scripts again to a server that has forgotten them', async () => {
    const counter = redisCounter(opened.client, { prefix })
    const { receipt } = await counter.take('a', [limitOf(5)], 2)
    await opened.command('SCRIPT', 'FLUSH')
    await counter.take('a', [limitOf(5)], 2)
    await opened.command('SCRIPT', 'FLUSH')
    await counter.giveBack(receipt, 1)
    expect((await counter.peek('a', [limitOf(5)]))[0]?.used).toBe(3)
  })

  it('says of an account that nobody here has packed that it is broken, until a reset deletes it', async () => {
    const garbage: [string, readonly string[]][] = [
      ['empty', ['SET', '']],
      ['text', ['SET', 'hello world, this is garbage']],
      ['of another kind', ['HSET', 'field', 'value']],
    ]
    for (const [name, [command = '', ...values]] of garbage) {
      for (const lease of [undefined, {}]) {
        const counter = redisCounter(opened.client, { prefix, ...(lease && { lease }) })
        await counter.take('a', [limitOf(5)], 5)
        const [key = ''] = await keys()
        await opened.command('DEL', key)
        await opened.command(command, key, ...values)
        const { take, peek } = {
          take: async () => counter.take('a', [limitOf(5)], 1),
          peek: async () => counter.peek('a', [limitOf(5)]),
        }
        if (lease === undefined) await expect(take(), name).rejects.toThrow(counterFault)
        if (command === 'SET') await expect(peek(), name).rejects.toThrow(/no account of ours; reset/)
        await counter.reset('a')
        expect((await take()).taken, name).toBe(true)
        await counter.reset('a')
        await counter.close()
        await opened.command('DEL', key)
      }
    }
  })

  it.each([-1e9, NaN, Infinity])('takes no count of %d for one', async (number) => {
    const counter = redisCounter(opened.client, { prefix })
    await counter.take('a', [limitOf(5)], 5)
    const [key = ''] = await keys()
    const script = `
      local packed = redis.call('GET', KEYS[1])
      local _, _, _, at = struct.unpack('<Hc0dH', packed)
      local _, _, _, _, after = struct.unpack('<Hc0Bc0dd', packed, at)
      local number = struct.pack('<d', tonumber(ARGV[1]) or 0 / 0)
      redis.call('SET', KEYS[1], string.sub(packed, 1, after - 1) .. number .. string.sub(packed, after + 8))`
    await opened.command(
      'EVAL',
      script,
      '1',
      key,
      Number.isNaN(number) ? 'none' : number === Infinity ? '1e999' : '-1e9',
    )
    await expect(counter.take('a', [limitOf(5)], 1)).rejects.toThrow(/no account of ours/)
    await counter.reset('a')
    expect((await counter.take('a', [limitOf(5)], 1)).taken).toBe(true)
  })

  it('refuses the key of a limit that is too long to be packed, before anything is asked', async () => {
    const counter = redisCounter(opened.client, { prefix })
    const limit = { ...limitOf(5), key: 'é'.repeat(32_768) }
    await expect(counter.take('a', [limit], 1)).rejects.toThrow(/longer than 65535 bytes/)
    expect(await keys()).toEqual([])
    expect((await counter.take('a', [{ ...limit, key: limit.key.slice(1) }], 1)).taken).toBe(true)
    expect((await counter.peek('a', [{ ...limit, key: limit.key.slice(1) }]))[0]?.used).toBe(1)
  })

  it('leaves no key behind: each ends by itself when nothing of it counts any more', async () => {
    const short = [limitOf(50, 300), slidingLimit(50, 150), gcraLimit(50, 300, 50), concurrentLimit(50, 300)]
    for (const lease of [undefined, { maxMs: 100 }]) {
      const counter = redisCounter(opened.client, { prefix, timeoutMs: 300, ...(lease && { lease }) })
      for (let index = 0; index < 20; index += 1) {
        const { receipt } = await counter.take(`a${String(index)}`, lease === undefined ? short : short.slice(0, 2), 2)
        await counter.giveBack(receipt, 1)
      }
      expect(await keys()).not.toEqual([])
      await until(async () => (await keys()).length === 0)
      await counter.close()
    }
  })

  it('gives back once and never grants twice, when a client sends again what was done already', async () => {
    const twice = {
      call: async (name: string, ...rest: string[]) => {
        const first = await opened.command(name, ...rest)
        return name === 'EVALSHA' ? opened.command(name, ...rest) : first
      },
      duplicate: () => undefined,
      on: () => undefined,
      removeListener: () => undefined,
    } as unknown as RedisClient
    const once = redisCounter(opened.client, { prefix })
    const exact = redisCounter(twice, { prefix })
    await once.take('a', [limitOf(50)], 10)
    const { receipt } = await exact.take('a', [limitOf(50)], 4)
    await exact.giveBack(receipt, 4)
    expect((await once.peek('a', [limitOf(50)]))[0]?.used).toBe(14)
    const leasing = redisCounter(twice, { prefix, lease: {} })
    let taken = 0
    while ((await leasing.take('b', [limitOf(50)], 1)).taken) taken += 1
    expect(taken).toBeGreaterThan(10)
    expect(taken).toBeLessThanOrEqual(50)
  })

  it('lease: answers at once while the share lasts, and gives back what is left when it is over, or closed', async () => {
    const counter = redisCounter(opened.client, { prefix, lease: { maxMs: 200 } })
    const watch = redisCounter(opened.client, { prefix })
    const used = async (): Promise<number> => (await watch.peek('a', [limitOf(1000)]))[0]!.used
    let here = 0
    for (let request = 0; request < 100; request += 1) {
      const answer = counter.take('a', [limitOf(1000)], 1)
      if (!(answer instanceof Promise)) here += 1
      expect((await answer).taken).toBe(true)
    }
    expect(here).toBeGreaterThan(50)
    expect(await used()).toBeGreaterThan(100)
    await until(async () => (await used()) === 100)
    for (let request = 0; request < 10; request += 1) await counter.take('a', [limitOf(1000)], 1)
    await counter.close()
    expect(await used()).toBe(110)
    await expect(async () => counter.take('a', [limitOf(1000)], 1)).rejects.toThrow(counterFault)
  })

  it('lease: a lowered limit binds at once, and another reset leaves what is on loan charged', async () => {
    const counter = redisCounter(opened.client, { prefix, lease: { maxMs: 60_000 } })
    const support = redisCounter(opened.client, { prefix })
    for (let request = 0; request < 40; request += 1) await counter.take('a', [limitOf(1000)], 1)
    expect((await counter.take('a', [limitOf(40)], 1)).taken).toBe(false)
    for (let request = 0; request < 12; request += 1) await counter.take('a', [limitOf(1000)], 1)
    await support.reset('a')
    const [left] = await support.peek('a', [limitOf(1000)])
    expect(left!.used).toBeGreaterThan(0)
    expect(left!.used).toBeLessThan(52)
    await counter.close()
    const [after] = await support.peek('a', [limitOf(1000)])
    expect(after!.used).toBeLessThan(left!.used)
  })

  it('a replica takes over: what it had heard of is charged, and what it had not is lost', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clientele-replica-'))
    const of = redis.url.replace('redis://', '').replace(':', ' ')
    const replica = await RedisProcess.start('--replicaof', of, '--dir', folder)
    const promoted = await redisClients.ioredis!(replica.url)
    await until(async () => String(await promoted.command('INFO', 'replication')).includes('master_link_status:up'))
    const before = redisCounter(opened.client, { prefix })
    await before.take('a', [limitOf(12)], 10)
    await opened.command('WAIT', '1', '0')
    await promoted.command('REPLICAOF', 'NO', 'ONE')
    // Nobody has told this process yet.
    expect((await before.take('a', [limitOf(12)], 2)).taken).toBe(true)
    expect((await before.take('a', [limitOf(12)], 1)).taken).toBe(false)
    const after = redisCounter(promoted.client, { prefix })
    expect((await after.peek('a', [limitOf(12)]))[0]?.used).toBe(10)
    expect((await after.take('a', [limitOf(12)], 2)).taken).toBe(true)
    expect((await after.take('a', [limitOf(12)], 1)).taken).toBe(false)
    promoted.close()
    await replica.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  it('puts one listener on a client, however many counters are made of it, and takes it off again', async () => {
    const own = await redisClients.redis!(redis.url)
    const listeners = () => (own.client as unknown as EventEmitter).listenerCount('error')
    const without = listeners()
    const counters = Array.from({ length: 20 }, () => redisCounter(own.client, { prefix }))
    expect(listeners()).toBe(without + 1)
    for (const counter of counters) await counter.close()
    expect(listeners()).toBe(without)
    own.close()
  })
})
