import {
  approveContract,
  changeTier,
  memoryCounter,
  memoryStore,
  overrideLimits,
  requestContract,
  revokeContract,
  rotateSecret,
  type Limit,
} from 'clientele'
import { afterAll, describe, expect, it } from 'vitest'
import { clientUnderTier, tierOf } from '../support/client-under-tier.js'
import { call } from '../support/call.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { expectRefusal } from './attacked.js'

const actor = 'test'
const api = 'orders'
const running: Running[] = []
afterAll(async () => {
  for (const server of running) await server.close()
})

const algorithms: Record<string, (requests: number) => Limit> = {
  fixed: (requests) => ({ algorithm: 'fixed', requests, windowSeconds: 3600 }),
  sliding: (requests) => ({ algorithm: 'sliding', requests, windowSeconds: 3600 }),
  gcra: (requests) => ({ algorithm: 'gcra', requests, windowSeconds: 86_400, burst: requests }),
  calendar: (requests) => ({ algorithm: 'calendar', requests, unit: 'month', timeZone: 'Europe/Berlin' }),
}

async function world(framework: (typeof frameworks)[number], limit: (requests: number) => Limit) {
  const store = memoryStore()
  const tier = (name: string, ...limits: Limit[]) => tierOf(store, api, name, limits)
  await tier('gold', limit(4))
  await tier('free', limit(6), { algorithm: 'fixed', requests: 100, windowSeconds: 60 })
  const { id: client, clientId, clientSecret } = await clientUnderTier(store, api, 'gold')
  let secret = clientSecret
  const clocks = { nowMs: 1000, wallMs: Date.parse('2026-03-10T00:00Z') }
  const counter = memoryCounter({ clock: () => clocks.nowMs, wallClock: () => clocks.wallMs })
  const server = await framework.start(
    { api, store, counter },
    { routes: { 'ALL /limited': (on) => [on.enforceClientId(), on.limitBySla()] } },
  )
  running.push(server)
  const ask = () =>
    call(server.url, {
      path: '/limited',
      headers: [
        ['client_id', clientId],
        ['client_secret', secret],
      ],
    })
  return {
    ask,
    tier,
    key: { client, api, actor },
    store,
    async usesUp(count: number): Promise<void> {
      for (let sent = 0; sent < count; sent += 1) expect((await ask()).status).toBe(200)
      expectRefusal(await ask(), 429, 'limit_exceeded')
    },
    async rotate(): Promise<void> {
      secret = (await rotateSecret(store, { client, overlapSeconds: 0, actor })).clientSecret
    },
  }
}

describe.each(frameworks)('$name', (framework) => {
  it.each(Object.entries(algorithms))(
    '#31 a charge by %s belongs to API, client and limit: nothing that can be asked for opens a fresh window',
    async (_name, limit) => {
      const { ask, tier, key, store, usesUp, rotate } = await world(framework, limit)
      await usesUp(4)
      await rotate()
      expectRefusal(await ask(), 429, 'limit_exceeded')
      await revokeContract(store, key)
      expectRefusal(await ask(), 403, 'contract_revoked')
      await requestContract(store, { ...key, tier: 'gold' })
      await approveContract(store, { ...key, ownRequest: true })
      expectRefusal(await ask(), 429, 'limit_exceeded')
      // Another tier has room for two more, and coming back opens nothing.
      await changeTier(store, { ...key, tier: 'free' })
      await usesUp(2)
      await changeTier(store, { ...key, tier: 'gold' })
      expectRefusal(await ask(), 429, 'limit_exceeded')
      // A limit that is taken out of a tier and put in again is the same limit.
      await tier('gold', { algorithm: 'fixed', requests: 50, windowSeconds: 7 })
      expect((await ask()).status).toBe(200)
      await tier('gold', limit(6))
      expectRefusal(await ask(), 429, 'limit_exceeded')
      // Edits bind at once, either way.
      await tier('gold', limit(8))
      await usesUp(2)
      await overrideLimits(store, { ...key, limits: [limit(9)] })
      await usesUp(1)
      await overrideLimits(store, { ...key, limits: null })
      await tier('gold', limit(3))
      expectRefusal(await ask(), 429, 'limit_exceeded')
    },
  )
})
