import { memoryReplays, type ReplayMemory } from 'clientele'
import { redisReplays, type RedisCommandClient } from 'clientele/redis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describeWithProgram } from '../support/needs.js'
import { RedisProcess } from '../support/redis-process.js'
import { commandClients, type OpenedClient } from './redis-clients.js'

const replayFault = expect.objectContaining({ code: 'ERR_CLIENTELE_REPLAY', status: 503 }) as Error
const optionsFault = expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }) as Error

async function expectFirstUseOnly(one: ReplayMemory, other: ReplayMemory, key: string): Promise<void> {
  const told = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => (at % 2 === 0 ? one : other).remember(key, 60_000, 'holder')),
  )
  expect(told.filter(Boolean)).toHaveLength(1)
  expect(await one.remember(`${key}-2`, 60_000, 'holder')).toBe(true)
  expect(await other.remember(`${key}-2`, 60_000, 'holder')).toBe(false)
}

describe('memoryReplays', () => {
  it('tells the first use from all others', async () => {
    const memory = memoryReplays()
    await expectFirstUseOnly(memory, memory, 'key')
  })

  it('forgets what is over, and takes nothing when it is full', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const memory = memoryReplays({ entries: 2, entriesPerKey: 2 })
    expect([memory.remember('a', 5000, 'holder'), memory.remember('b', 1000, 'holder')]).toEqual([true, true])
    expect(() => memory.remember('c', 1000, 'holder')).toThrow(replayFault)
    expect(memory.remember('a', 1000, 'holder')).toBe(false)
    vi.advanceTimersByTime(1000)
    // What ended is behind what came first and lasts longer.
    expect(memory.remember('c', 1000, 'holder')).toBe(true)
    expect(() => memory.remember('d', 1000, 'holder')).toThrow(replayFault)
    vi.advanceTimersByTime(5000)
    expect([memory.remember('a', 1000, 'holder'), memory.remember('d', 1000, 'holder')]).toEqual([true, true])
    vi.useRealTimers()
  })

  it('gives each key no more than its share, and that again when something of it is over', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const memory = memoryReplays({ entries: 20 })
    expect([memory.remember('a', 5000, 'one'), memory.remember('b', 1000, 'one')]).toEqual([true, true])
    const full = expect.objectContaining({ code: 'ERR_CLIENTELE_REPLAY', reason: 'key_full' }) as Error
    expect(() => memory.remember('c', 1000, 'one')).toThrow(full)
    expect([memory.remember('a', 1000, 'one'), memory.remember('c', 1000, 'other')]).toEqual([false, true])
    vi.advanceTimersByTime(1000)
    expect(memory.remember('d', 1000, 'one')).toBe(true)
    expect(() => memory.remember('e', 1000, 'one')).toThrow(full)
    vi.useRealTimers()
    const wide = memoryReplays({ entries: 20, entriesPerKey: 20 })
    for (let count = 0; count < 20; count += 1) expect(wide.remember(`${count}`, 60_000, 'one')).toBe(true)
    expect(() => wide.remember('more', 60_000, 'other')).toThrow(expect.objectContaining({ reason: 'full' }) as Error)
  })

  it('refuses options that are none', () => {
    for (const entries of [0, -1, NaN, Infinity, '1']) {
      expect(() => memoryReplays({ entries: entries as number })).toThrow(optionsFault)
      expect(() => memoryReplays({ entriesPerKey: entries as number })).toThrow(optionsFault)
    }
  })
})

describeWithProgram('redis-server', '--version')('redisReplays on a Redis of its own', () => {
  describe.each(Object.entries(commandClients))('with a client of %s', (_name, connect) => {
    let redis: RedisProcess
    let opened: OpenedClient<RedisCommandClient>
    let second: OpenedClient<RedisCommandClient>

    beforeAll(async () => {
      redis = await RedisProcess.start()
      opened = await connect(redis.url)
      second = await connect(redis.url)
    })
    afterAll(async () => {
      opened.close()
      second.close()
      await redis.kill()
    })

    it('tells the first use from all others, in whatever process', async () => {
      await expectFirstUseOnly(redisReplays(opened.client), redisReplays(second.client), 'key')
      const apart = redisReplays(opened.client, { prefix: 'apart' })
      expect(await apart.remember('key', 60_000, 'holder')).toBe(true)
    })

    it('forgets what is over', async () => {
      const memory = redisReplays(opened.client)
      expect(await memory.remember('short', 50, 'holder')).toBe(true)
      await vi.waitUntil(() => memory.remember('short', 50, 'holder'), { timeout: 10_000, interval: 20 })
    })

    it('is not taken where the server may forget', async () => {
      await opened.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      const memory = redisReplays(opened.client)
      await expect(memory.remember('evicted', 1000, 'holder')).rejects.toThrow(replayFault)
      await opened.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
      expect(await memory.remember('evicted', 1000, 'holder')).toBe(true)
    })

    it('is not taken when it is full', async () => {
      const memory = redisReplays(opened.client)
      expect(await memory.remember('before', 60_000, 'holder')).toBe(true)
      await opened.command('CONFIG', 'SET', 'maxmemory', '1')
      await expect(memory.remember('full', 60_000, 'holder')).rejects.toThrow(replayFault)
      await opened.command('CONFIG', 'SET', 'maxmemory', '0')
      expect(await memory.remember('before', 60_000, 'holder')).toBe(false)
    })

    it('is not taken when it does not answer, nor when it has lost what it knew', async () => {
      const memory = redisReplays(opened.client, { timeoutMs: 300 })
      expect(await memory.remember('lost', 1500, 'holder')).toBe(true)
      redis.stop()
      await expect(memory.remember('hung', 1500, 'holder')).rejects.toThrow(replayFault)
      redis.continue()
      expect(await redisReplays(opened.client).remember('lost', 1500, 'holder')).toBe(false)
      await redis.kill()
      await expect(memory.remember('dead', 1500, 'holder')).rejects.toThrow(replayFault)
      await redis.startAgain()
      const seen: unknown[] = []
      await vi.waitUntil(
        async () => {
          const answer: unknown = await Promise.resolve(memory.remember('lost', 1500, 'holder')).catch(
            (error: unknown) => error,
          )
          seen.push(answer)
          return typeof answer === 'boolean'
        },
        { timeout: 20_000, interval: 50 },
      )
      // Once: until then whoever had heard the proof could have used it.
      expect(seen).toContainEqual(expect.objectContaining({ message: expect.stringContaining('has lost') as string }))
    })
  })

  it('refuses what is no client, and options that are none', () => {
    expect(() => redisReplays({} as never)).toThrow(optionsFault)
    const client = { call: () => undefined, duplicate: () => undefined, on: () => undefined } as never
    for (const options of [{ prefix: '' }, { timeoutMs: 0 }, { prefx: 'a' }]) {
      expect(() => redisReplays(client, options as never)).toThrow(optionsFault)
    }
  })
})
