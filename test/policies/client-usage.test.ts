import {
  approveContract,
  changeTier,
  defineTier,
  memoryCounter,
  overrideLimits,
  requestContract,
  type ContractStore,
} from 'clientele'
import { clientele as forKoa } from 'clientele/koa'
import { describe, expect, it } from 'vitest'
import { wirePolicies } from '../../src/clientele.js'
import type { Admission } from '../../src/decisions/admission.js'
import { clienteleFor, type Headers } from '../attacks/attacked.js'
import { call } from '../support/call.js'
import { frameworks } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { switchedCounter } from '../support/switched-counter.js'

const actor = 'test'
const api = 'orders'

describe.each(frameworks)('$name', (framework) => {
  it('usageOf tells what the client is told, by API and client, and charges nothing; resetUsage begins anew', async () => {
    const { store, clients } = await seededStore(undefined, 3)
    const counter = memoryCounter()
    const server = await framework.start(
      { api, store, counter },
      { routes: { 'ALL /': (on) => [on.enforceClientId({ secret: 'optional' }), on.limitBySla()] } },
    )
    // The desk may stand in another part of the program.
    const { usageOf, resetUsage } = clienteleFor(framework, { api, store, counter })
    const id: Headers = [['client_id', clients.public.clientId]]
    const secret: Headers = [
      ['client_id', clients.approved.clientId],
      ['client_secret', clients.approved.clientSecret],
    ]
    const ask = async (headers: Headers) => (await call(server.url, { headers })).status
    const client = clients.approved.id
    expect((await usageOf({ client })).usage).toMatchObject({ used: 0, remaining: 3, resetSeconds: 0, waitSeconds: 0 })
    expect([await ask(secret), await ask(secret), await ask(secret), await ask(secret)]).toEqual([200, 200, 200, 429])
    for (let look = 0; look < 2; look += 1) {
      const { tier, usage } = await usageOf({ client })
      expect(tier).toMatchObject({ api, name: 'gold' })
      expect(usage).toMatchObject({ used: 3, remaining: 0 })
      expect(usage.waitSeconds).toBeGreaterThan(50)
    }
    await resetUsage({ client })
    expect((await usageOf({ client })).usage.used).toBe(0)
    expect([await ask(secret), await ask(secret), await ask(secret), await ask(secret)]).toEqual([200, 200, 200, 429])
    // Who gave an ID alone counts apart.
    expect(await ask(id)).toBe(200)
    const open = { client: clients.public.id, authenticated: false }
    expect((await usageOf(open)).usage.used).toBe(1)
    expect((await usageOf({ client: clients.public.id })).usage.used).toBe(0)
    await resetUsage(open)
    expect((await usageOf(open)).usage.used).toBe(0)
    await server.close()
  })
})

async function deskOf(store?: ContractStore) {
  const seeded = await seededStore(store, 10)
  const counter = switchedCounter(memoryCounter())
  const policies = wirePolicies({ api, store: seeded.store, counter, counterTimeoutMs: 50 })
  return { ...seeded, counter, policies, desk: forKoa({ api, store: seeded.store, counter, counterTimeoutMs: 50 }) }
}

describe('usageOf', () => {
  it('goes by limits of the contract’s own, and by the tier that holds now', async () => {
    const { store, clients, desk } = await deskOf()
    const client = clients.approved.id
    const own = [{ requests: 7, windowSeconds: 60 }]
    await overrideLimits(store, { client, api, limits: own, actor })
    expect(await desk.usageOf({ client })).toMatchObject({
      tier: { name: 'gold', limits: [{ requests: 7 }] },
      usage: { remaining: 7 },
    })
    await overrideLimits(store, { client, api, limits: null, actor })
    const limits = [
      { requests: 5, windowSeconds: 1 },
      { requests: 50, windowSeconds: 3600 },
    ]
    await defineTier(store, { api, name: 'silver', approval: 'automatic', limits, actor })
    await changeTier(store, { client, api, tier: 'silver', actor })
    const { tier, usage } = await desk.usageOf({ client })
    expect([tier.name, usage.limits.map(({ remaining }) => remaining)]).toEqual(['silver', [5, 50]])
  })

  it('says so where there is no contract, none that is approved, or no tier', async () => {
    const { store, clients, desk } = await deskOf()
    const fault = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) as string })
    await expect(desk.usageOf({ client: clients.none.id })).rejects.toMatchObject(
      fault('ERR_CLIENTELE_NOT_FOUND', /no contract of client ".*" for API "orders"/),
    )
    await expect(desk.usageOf({ client: clients.revoked.id })).rejects.toMatchObject(
      fault('ERR_CLIENTELE_STATE', /is revoked/),
    )
    await requestContract(store, { client: clients.none.id, api: 'untiered', actor })
    await approveContract(store, { client: clients.none.id, api: 'untiered', actor, ownRequest: true }).catch(
      () => undefined,
    )
    const untiered = forKoa({ api: 'untiered', store })
    await expect(untiered.usageOf({ client: clients.none.id })).rejects.toMatchObject(
      fault('ERR_CLIENTELE_STATE', /has no tier/),
    )
  })

  it.each([{}, { client: 5 }, { client: 'a', autenticated: true }, undefined, { client: 'a', authenticated: 'no' }])(
    'does not take %j',
    async (question) => {
      const { desk } = await deskOf()
      for (const ask of [desk.usageOf, desk.resetUsage]) {
        await expect(ask(question as never)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
      }
    },
  )

  it.each(['throws', 'rejects', 'hangs', 'talks nonsense'] as const)(
    'is a fault where the counter %s',
    async (failure) => {
      const { clients, desk, counter } = await deskOf()
      counter.failure = failure
      const outage = { code: 'ERR_CLIENTELE_COUNTER' }
      await expect(desk.usageOf({ client: clients.approved.id })).rejects.toMatchObject(outage)
      if (failure !== 'talks nonsense') {
        await expect(desk.resetUsage({ client: clients.approved.id })).rejects.toMatchObject(outage)
      }
    },
  )

  it('resetUsage also forgets what this process has let through while the counter was down', async () => {
    const { clients, counter, policies, desk } = await deskOf()
    const limit = policies.limitBySla({ whenCounterFails: { localShare: { processes: 2 } } })
    const client = clients.approved.id
    const limits = [{ algorithm: 'fixed' as const, requests: 10, windowSeconds: 60 }]
    const admission: Admission = {
      ...{ api, authenticated: true, contract: { client, api, version: 1 } },
      tier: { api, name: 'gold', version: 1, limits },
    }
    const kinds = async (count: number) => {
      const all: string[] = []
      while (all.length < count) all.push((await limit.decide(undefined as never, admission)).kind)
      return all.filter((kind) => kind === 'admitted').length
    }
    counter.failure = 'throws'
    expect(await kinds(8)).toBe(5)
    counter.failure = undefined
    await desk.resetUsage({ client })
    expect(await kinds(1)).toBe(1)
    expect((await desk.usageOf({ client })).usage.used).toBe(1)
  })
})
