import { describe, expect, it } from 'vitest'
import { overrideLimits } from '../../src/contracts/lifecycle/override-limits.js'
import { registerClient } from '../../src/contracts/lifecycle/clients.js'
import { requestContract } from '../../src/contracts/lifecycle/contract-requests.js'
import { checkedReader } from '../../src/contracts/reader.js'
import { resolveTerms } from '../../src/contracts/terms.js'
import { memoryStore } from '../../src/stores/memory.js'
import { actor, api, standingAt, world, type World } from './lifecycle-support.js'

const own = [
  { requests: 7, windowSeconds: 60 },
  { algorithm: 'concurrent', requests: 2 },
] as const
const stored = [
  { requests: 7, windowSeconds: 60, algorithm: 'fixed' },
  { requests: 2, maxAgeSeconds: 300, algorithm: 'concurrent' },
]

async function termsOf({ store, client }: World) {
  const terms = await resolveTerms(checkedReader(store, { timeoutMs: 1000 }), api, client)
  if (terms.kind !== 'approved') throw new Error('expected an approved contract')
  return terms
}

describe('overrideLimits', () => {
  it('replaces all limits of the tier under its name, and gives them back', async () => {
    const one = await standingAt('approved')
    const before = await termsOf(one)
    const after = await overrideLimits(one.store, { client: one.client, api, limits: own, actor: 'ben' })
    expect(after).toMatchObject({ limits: stored, updatedBy: 'ben', state: 'approved', tier: 'gold' })
    expect((await termsOf(one)).tier).toEqual({ ...before.tier, limits: stored })
    const lifted = await overrideLimits(one.store, { client: one.client, api, limits: null, actor })
    expect(lifted).not.toHaveProperty('limits')
    expect((await termsOf(one)).tier).toEqual(before.tier)
  })

  it('stays under another tier, through a revocation, and when it is asked for again', async () => {
    const one = await standingAt('approved')
    await overrideLimits(one.store, { client: one.client, api, limits: own, actor })
    await one.move('changeTier', 'free')
    expect((await termsOf(one)).tier).toMatchObject({ name: 'free', limits: stored })
    await one.move('revoke')
    await one.move('request', 'gold')
    await one.move('approve')
    expect((await termsOf(one)).tier).toMatchObject({ name: 'gold', limits: stored })
  })

  it('sees the version that the actor saw, and only contracts that have a tier', async () => {
    const one = await standingAt('approved')
    const { version = 0 } = (await one.contract()) ?? {}
    const input = { client: one.client, api, limits: own, actor }
    await expect(overrideLimits(one.store, { ...input, version: version - 1 })).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_CONFLICT',
    })
    await expect(overrideLimits((await world()).store, input)).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_NOT_FOUND',
    })
    const store = memoryStore()
    const { client } = await registerClient(store, { name: 'app', actor })
    await requestContract(store, { client: client.id, api, actor })
    await expect(overrideLimits(store, { ...input, client: client.id })).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_STATE',
    })
  })

  it.each([
    [[]],
    [[{ requests: 0, windowSeconds: 60 }]],
    [[own[0], { ...own[0], requests: 9 }]],
    [[{ algorithm: 'calendar', requests: 5, unit: 'day', timeZone: 'Nowhere' }]],
    [undefined],
  ])('refuses %j', async (limits) => {
    const one = await standingAt('approved')
    await expect(
      overrideLimits(one.store, { client: one.client, api, limits: limits as never, actor }),
    ).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_INVALID',
      message: expect.stringContaining('overrideLimits(): limits') as string,
    })
  })
})
