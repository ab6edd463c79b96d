import { memoryStore } from 'clientele'
import { redisCounter } from 'clientele/redis'
import { afterEach, expect, it } from 'vitest'
import { redisClients } from '../stores/redis-clients.js'
import { answering } from '../support/answering.js'
import { call } from '../support/call.js'
import { clientUnderTier, tierOf } from '../support/client-under-tier.js'
import { frameworks, type Framework } from '../support/frameworks.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace } from '../support/servers.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const api = 'orders'
const windowSeconds = 0.4
const requests = 4
/** Of twelve requests each is charged a tenth of a second after the one before. */
const even = { requests, windowSeconds, algorithm: 'gcra', burst: 1 } as const
/** Twelve need three of them, and shares can be taken. */
const windows = { requests, windowSeconds, algorithm: 'fixed' } as const

const describeWithRedis = await describeWithServer('redis')

describeWithRedis('throttleBySla over one Redis', () => {
  it.each([
    ['exact', even, undefined, 1100],
    ['lease', windows, { maxMs: 100, share: 0.5 }, 800],
  ])(
    '%s: requests wait on three servers alike, all pass, no sooner than the limit allows',
    async (_, limit, lease, leastMs) => {
      const place = await ownPlace('redis')
      const store = memoryStore()
      await tierOf(store, api, 'gold', [limit])
      const { headers } = await clientUnderTier(store, api, 'gold')
      const begun: number[] = []
      const start = async (framework: Framework) => {
        const opened = await redisClients.redis!(place.url)
        const counter = redisCounter(opened.client, { prefix: place.prefix, timeoutMs: 5000, ...(lease && { lease }) })
        const handled = answering(framework, () => {
          begun.push(performance.now())
          return Promise.resolve({ status: 200 })
        })
        const server = await framework.start(
          { api, store, counter, counterTimeoutMs: 5000 },
          { routes: { 'ALL /': (on) => [on.enforceClientId(), on.throttleBySla({ maxWaitMs: 20_000 }), handled] } },
        )
        cleanups.push(
          () => opened.close(),
          () => counter.close(),
          () => server.close(),
        )
        return server.url
      }
      cleanups.push(() => place.remove())
      const urls = await Promise.all([0, 1, 2].map((index) => start(frameworks[index] as Framework)))
      const sentAt = performance.now()
      const asked = Array.from({ length: 12 }, (_each, index) => call(urls[index % 3] ?? '', { headers }))
      expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(12).fill(200))
      // By the server's clock, which is in whole milliseconds.
      expect(Math.max(...begun) - sentAt).toBeGreaterThan(leastMs - 5)
    },
  )
})
