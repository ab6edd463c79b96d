import { redisCounter } from 'clientele/redis'
import type { DecisionEvent } from 'clientele'
import { afterEach, expect, it } from 'vitest'
import type { Headers } from '../attacks/attacked.js'
import { redisClients } from '../stores/redis-clients.js'
import { call } from '../support/call.js'
import { frameworks, type Framework } from '../support/frameworks.js'
import { describeWithProgram } from '../support/needs.js'
import { RedisProcess } from '../support/redis-process.js'
import { seededStore } from '../support/seeded-store.js'
import { until } from '../support/until.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Two APIs with connections of their own, as two processes have them, on one Redis. */
async function twoOn(client: string, requests: number, lease?: object) {
  const redis = await RedisProcess.start()
  cleanups.push(() => redis.kill())
  const { store, clients } = await seededStore(undefined, requests)
  const headers: Headers = [
    ['client_id', clients.approved.clientId],
    ['client_secret', clients.approved.clientSecret],
  ]
  const one = async () => {
    const opened = await redisClients[client]!(redis.url)
    const events: DecisionEvent[] = []
    const counter = redisCounter(opened.client, { timeoutMs: 150, ...(lease && { lease }) })
    const whenCounterFails = { localShare: { processes: 2 } }
    const server = await (frameworks[0] as Framework).start(
      { api: 'orders', store, counter, onDecision: (event) => events.push(event) },
      { routes: { 'ALL /': (on) => [on.enforceClientId(), on.limitBySla({ whenCounterFails })] } },
    )
    cleanups.push(
      () => opened.close(),
      () => server.close(),
    )
    const passed = async (count: number): Promise<number> => {
      const statuses: number[] = []
      while (statuses.length < count) statuses.push((await call(server.url, { headers })).status)
      expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([])
      return statuses.filter((status) => status === 200).length
    }
    return { passed, alone: () => events.at(-1)?.withoutCounter }
  }
  return { redis, a: await one(), b: await one() }
}

describeWithProgram('redis-server', '--version')('a local share beside a Redis that is killed', () => {
  it.each(Object.keys(redisClients))('%s: goes on with the shares, and comes back without a burst', async (client) => {
    const { redis, a, b } = await twoOn(client, 20)
    expect(await a.passed(4)).toBe(4)
    expect(a.alone()).toBeUndefined()
    await redis.kill()
    expect([await a.passed(8), await b.passed(12)]).toEqual([6, 10])
    expect([a.alone(), b.alone()]).toEqual(['localShare', 'localShare'])
    await redis.startAgain()
    let back = 0
    for (const each of [a, b]) {
      await until(async () => {
        back += await each.passed(1)
        return each.alone() === undefined
      })
    }
    // It came back empty: without what is made up for, there would be twenty more.
    back += (await a.passed(10)) + (await b.passed(10))
    expect(back).toBeLessThanOrEqual(4)
  })

  it('over shares that were taken before: those are spent, and then its part of the limit', async () => {
    const { redis, a, b } = await twoOn('ioredis', 20, { maxMs: 60_000, share: 0.5 })
    expect(await a.passed(12)).toBe(12)
    await redis.kill()
    // What is on loan here was charged there. More than its part has been let through here: that is all it has.
    const onLoan = await a.passed(12)
    expect(onLoan).toBeGreaterThan(0)
    expect(12 + onLoan).toBeLessThanOrEqual(20)
    expect(await b.passed(12)).toBe(10)
  })
})
