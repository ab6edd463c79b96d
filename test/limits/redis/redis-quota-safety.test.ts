import { redisCounter } from 'clientele/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CounterLimit } from '../../../src/limits/counter.js'
import { CounterKeys } from '../../../src/limits/redis/keys.js'
import { LeaseCounter } from '../../../src/limits/redis/lease-counter.js'
import { RedisLeases } from '../../../src/limits/redis/lease-server.js'
import { Names } from '../../../src/limits/redis/names.js'
import { CountingServer } from '../../../src/limits/redis/server.js'
import { connectionOf } from '../../../src/redis/client.js'
import { redisClients, type OpenedClient } from '../../stores/redis-clients.js'
import { describeWithProgram } from '../../support/needs.js'
import { RedisProcess } from '../../support/redis-process.js'
import { anyStep, anyTier, exercise, type MakeCounter } from '../exercise.js'
import { obviousLimit } from '../obvious-limits.js'
import { clientOnSetClock } from './set-clock.js'

const describeWithOwnRedis = describeWithProgram('redis-server', '--version')

// Property 3 of the design, on a server whose clock the test sets.
describeWithOwnRedis('quota safety on Redis', () => {
  let redis: RedisProcess
  let opened: OpenedClient
  let nowMs = 0
  let round = 0
  beforeAll(async () => {
    redis = await RedisProcess.start()
    opened = await redisClients.ioredis!(redis.url)
  })
  afterAll(async () => {
    opened.close()
    await redis.kill()
  })

  it('redisCounter gives the same answers as an obvious counter for any algorithms, costs, tiers and interleaving', async () => {
    const client = clientOnSetClock(opened, () => nowMs)
    const make: MakeCounter = (clocks) => {
      round += 1
      const counter = redisCounter(client, { prefix: `exact${String(round)}`, timeoutMs: 20_000 })
      const onOneClock = (): void => {
        nowMs = clocks.monotonicMs
      }
      return {
        take: (...parameters) => (onOneClock(), counter.take(...parameters)),
        peek: (...parameters) => (onOneClock(), counter.peek(...parameters)),
        giveBack: (...parameters) => (onOneClock(), counter.giveBack(...parameters)),
        reset: (...parameters) => (onOneClock(), counter.reset(...parameters)),
      }
    }
    const even = anyStep.filter(({ kind }) => kind !== 'set wall' && kind !== 'monotonic back')
    const timed = anyTier.map((limits) => limits.filter(({ algorithm }) => algorithm !== 'calendar'))
    const tiers = fc.tuple(timed, timed, timed)
    await fc.assert(
      fc.asyncProperty(tiers, fc.array(even, { maxLength: 40, size: 'max' }), (all, steps) =>
        exercise(make, all, steps),
      ),
      { numRuns: 100 },
    )
  }, 120_000)

  const limit = fc.oneof(
    fc.record({
      key: fc.constant('window'),
      algorithm: fc.constantFrom('fixed' as const, 'sliding' as const),
      requests: fc.integer({ min: 4, max: 30 }),
      windowMs: fc.constantFrom(256, 512, 4096),
    }),
    fc.record({
      key: fc.constant('calendar:minute'),
      algorithm: fc.constant('calendar' as const),
      requests: fc.integer({ min: 4, max: 30 }),
      unit: fc.constant('minute' as const),
      timeZone: fc.constant('UTC'),
    }),
  )
  const limits = fc.uniqueArray(limit, { minLength: 1, maxLength: 2, selector: ({ key }) => key })
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        who: fc.nat(2),
        times: fc.integer({ min: 1, max: 30 }),
        cost: fc.constantFrom(1, 1, 1, 1, 1, 0.25, 0, 5),
      }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 400 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('giveBack' as const),
        index: fc.nat(),
        cost: fc.constantFrom(0.25, 1, 9),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sweep' as const), who: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('die' as const), who: fc.nat(2) }) },
  )

  it('leases of three processes, of which some die, admit no more than the limits', async () => {
    const client = clientOnSetClock(opened, () => nowMs)
    let admittedHere = 0
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 60, size: 'max' }), async (chosen, steps) => {
        round += 1
        nowMs = Date.parse('2026-03-29T00:00:57Z')
        const keys = new CounterKeys(`lease${String(round)}`)
        const clocks = { monotonicMs: () => nowMs - 5e11, wallMs: () => nowMs }
        const start = (): LeaseCounter => {
          const server = new CountingServer(connectionOf(client, 'test'), 20_000, keys.account('any'))
          const names = new Names()
          const leases = new RedisLeases(server, keys, names, { maxMs: 800, share: 0.5 })
          return new LeaseCounter(leases, clocks, () => names.next())
        }
        const processes = [start(), start(), start()]
        const oracle = (chosen as CounterLimit[]).map((each) => ({ limit: each, count: obviousLimit(each) }))
        const receipts: unknown[] = []
        for (const each of steps) {
          const now = { monotonicMs: nowMs, wallMs: nowMs }
          if (each.kind === 'wait') nowMs += each.ms
          else if (each.kind === 'sweep') await processes[each.who]?.sweep()
          else if (each.kind === 'die') processes[each.who] = start()
          else if (each.kind === 'giveBack') {
            const at = each.index % Math.max(1, receipts.length)
            const receipt = receipts[at]
            receipts[at] = undefined
            if (receipt === undefined) continue
            const owner = (receipt as { owner: LeaseCounter }).owner
            await owner.giveBack((receipt as { receipt: unknown }).receipt, each.cost)
            const cost = Math.min(each.cost, (receipt as { cost: number }).cost)
            for (const { limit: one, count } of oracle) count.giveBack(one, now, at, cost)
          } else {
            const owner = processes[each.who]!
            for (let time = 0; time < each.times; time += 1) {
              const answer = owner.take('a', chosen, each.cost)
              if (!(answer instanceof Promise)) admittedHere += 1
              const { taken, receipt } = await answer
              if (!taken) break
              for (const { limit: one, count } of oracle) count.charge(one, now, each.cost, receipts.length)
              receipts.push({ owner, receipt, cost: each.cost })
            }
          }
          for (const { count } of oracle) expect(count.holds()).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
    // Else it would have shown nothing.
    expect(admittedHere).toBeGreaterThan(500)
  }, 120_000)
})
