import { describe, expect, it } from 'vitest'
import {
  approveContract,
  changeTier,
  defineTier,
  memoryStore,
  registerClient,
  requestContract,
  type Contract,
  type ContractStore,
} from 'clientele'
import { interrupted } from './lifecycle-support.js'

const api = 'orders'
const limits = [{ requests: 10, windowSeconds: 60 }]
const stateFault = { code: 'ERR_CLIENTELE_STATE' }

async function capped(): Promise<ContractStore> {
  const store = memoryStore()
  await defineTier(store, { api, name: 'free', approval: 'automatic', automaticPerOwner: 2, limits, actor: 'ann' })
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor: 'ann' })
  return store
}

async function clientOf(store: ContractStore, owner?: string): Promise<string> {
  const { client } = await registerClient(store, { name: 'App', actor: 'portal', ...(owner && { owner }) })
  return client.id
}

async function ask(store: ContractStore, owner?: string, tier = 'free'): Promise<Contract> {
  return requestContract(store, { client: await clientOf(store, owner), api, tier, actor: owner ?? 'portal' })
}

describe('a cap per owner', () => {
  it('approves that many at once, and lets a person decide on the rest', async () => {
    const store = await capped()
    const states = [await ask(store, 'bob'), await ask(store, 'bob'), await ask(store, 'bob'), await ask(store, 'eve')]
    expect(states.map(({ state }) => state)).toEqual(['approved', 'approved', 'pending', 'approved'])
    const { client } = states[2]!
    expect(await approveContract(store, { client, api, actor: 'ann' })).toMatchObject({ state: 'approved' })
  })

  it('holds for many requests at the same moment, and for another that comes in between', async () => {
    const store = await capped()
    const contracts = await Promise.all(Array.from({ length: 8 }, () => ask(store, 'bob')))
    expect(contracts.filter(({ state }) => state === 'approved')).toHaveLength(2)
    const client = await clientOf(store, 'eve')
    await ask(store, 'eve')
    const late = interrupted(store, () => ask(store, 'eve'))
    const { state } = await requestContract(late, { client, api, tier: 'free', actor: 'eve' })
    expect(state).toBe('pending')
  })

  it('does not let a client without an owner pass by', async () => {
    expect(await ask(await capped())).toMatchObject({ state: 'pending' })
  })

  it('holds for a change of tier, and when a tier becomes automatic', async () => {
    const store = await capped()
    const gold = [await ask(store, 'bob', 'gold'), await ask(store, 'bob', 'gold'), await ask(store, 'bob', 'gold')]
    for (const { client } of gold) await approveContract(store, { client, api, actor: 'ann' })
    const changed = []
    for (const { client } of gold) changed.push(await changeTier(store, { client, api, tier: 'free', actor: 'bob' }))
    expect(changed.map(({ tier }) => tier)).toEqual(['free', 'free', 'gold'])
    expect(changed[2]).toMatchObject({ requestedTier: 'free', requestedBy: 'bob' })
    for (let count = 0; count < 3; count++) await ask(store, 'eve', 'gold')
    const opened = { api, name: 'gold', approval: 'automatic', automaticPerOwner: 1, limits, actor: 'ann' } as const
    expect((await defineTier(store, opened)).approved).toHaveLength(1)
  })
})

describe("a request of one's own", () => {
  it('is approved by somebody else, or where that is said', async () => {
    const store = await capped()
    const { client } = await ask(store, 'bob', 'gold')
    await expect(approveContract(store, { client, api, actor: 'bob' })).rejects.toMatchObject(stateFault)
    expect(await approveContract(store, { client, api, actor: 'bob', ownRequest: true })).toMatchObject({
      state: 'approved',
    })
  })

  it('is one also where another asked for the client of the one who approves', async () => {
    const store = await capped()
    const client = await clientOf(store, 'bob')
    await requestContract(store, { client, api, tier: 'gold', actor: 'portal' })
    await expect(approveContract(store, { client, api, actor: 'bob' })).rejects.toMatchObject(stateFault)
    await expect(approveContract(store, { client, api, actor: 'portal' })).rejects.toMatchObject(stateFault)
    expect((await approveContract(store, { client, api, actor: 'ann' })).requestedBy).toBeUndefined()
  })

  it('may be a change of tier', async () => {
    const store = await capped()
    const { client } = await ask(store, 'bob')
    await changeTier(store, { client, api, tier: 'gold', actor: 'dan' })
    await expect(approveContract(store, { client, api, actor: 'dan' })).rejects.toMatchObject(stateFault)
    expect(await approveContract(store, { client, api, actor: 'ann' })).toMatchObject({ tier: 'gold' })
  })
})
