import { describe, expect, it } from 'vitest'
import { disableClient } from '../../src/contracts/lifecycle/client-state.js'
import { approveContract, restoreContract, revokeContract } from '../../src/contracts/lifecycle/contract-decisions.js'
import { registerClient } from '../../src/contracts/lifecycle/clients.js'
import { requestContract } from '../../src/contracts/lifecycle/contract-requests.js'
import type { ContractMove, ContractStanding } from '../../src/contracts/lifecycle/moves.js'
import { defineTier, deprecateTier } from '../../src/contracts/lifecycle/tiers.js'
import type { Contract } from '../../src/contracts/model.js'
import { actor, api, interrupted, standingAt, tier, world } from './lifecycle-support.js'

const stateFault = { code: 'ERR_CLIENTELE_STATE' }
const conflict = { code: 'ERR_CLIENTELE_CONFLICT' }
const manual = {
  actor,
  api,
  approval: 'manual',
  limits: [{ requests: 1, windowSeconds: 1, algorithm: 'fixed' }],
} as const

type Expected = Partial<Pick<Contract, 'state' | 'tier' | 'requestedTier' | 'barred'>> | 'refused' | 'absent'

const gold = { tier: 'gold', requestedTier: undefined, barred: false } as const

/** Every state and every move, with the manual tier `gold` for moves that name one. */
const table: Record<ContractStanding, Record<ContractMove, Expected>> = {
  absent: {
    request: { ...gold, state: 'pending' },
    changeTier: 'absent',
    approve: 'absent',
    reject: 'absent',
    revoke: 'absent',
    restore: 'absent',
  },
  pending: {
    request: { ...gold, state: 'pending' },
    changeTier: 'refused',
    approve: { ...gold, state: 'approved' },
    reject: { ...gold, state: 'rejected', barred: true },
    revoke: 'refused',
    restore: 'refused',
  },
  approved: {
    request: 'refused',
    changeTier: { ...gold, state: 'approved' },
    approve: 'refused',
    reject: 'refused',
    revoke: { ...gold, state: 'revoked', barred: true },
    restore: 'refused',
  },
  changing: {
    request: 'refused',
    changeTier: { ...gold, state: 'approved' },
    approve: { ...gold, state: 'approved', tier: 'silver' },
    reject: { ...gold, state: 'approved', barred: true },
    revoke: { ...gold, state: 'revoked', barred: true },
    restore: 'refused',
  },
  rejected: {
    request: { ...gold, state: 'pending', barred: true },
    changeTier: 'refused',
    approve: 'refused',
    reject: 'refused',
    revoke: 'refused',
    restore: 'refused',
  },
  revoked: {
    request: { ...gold, state: 'pending', barred: true },
    changeTier: 'refused',
    approve: 'refused',
    reject: 'refused',
    revoke: 'refused',
    restore: { ...gold, state: 'approved' },
  },
}

const cases = Object.entries(table).flatMap(([standing, moves]) =>
  Object.entries(moves).map(([move, expected]) => [standing, move, expected] as const),
) as [ContractStanding, ContractMove, Expected][]

describe('a contract', () => {
  it.each(cases)('that is %s: %s', async (standing, move, expected) => {
    const { contract, move: make } = await standingAt(standing)
    const before = await contract()
    if (expected === 'absent') {
      await expect(make(move)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
    } else if (expected === 'refused') {
      const word = standing === 'changing' ? 'approved' : standing
      await expect(make(move)).rejects.toMatchObject({
        ...stateFault,
        message: expect.stringContaining(word) as string,
      })
      await expect(make(move)).rejects.toThrow(move)
      expect(await contract()).toBe(before)
    } else {
      const after = await make(move)
      expect(await contract()).toBe(after)
      expect({ requestedTier: after.requestedTier, ...after }).toMatchObject(expected)
      if (before !== undefined) expect(after.version).toBe(before.version + 1)
    }
  })

  it('is approved at once with an automatic tier, unless the client is barred', async () => {
    const fresh = await world()
    expect(await fresh.move('request', 'free')).toMatchObject({ state: 'approved', tier: 'free', barred: false })
    for (const standing of ['rejected', 'revoked'] as const) {
      const barred = await standingAt(standing)
      expect(await barred.move('request', 'free')).toMatchObject({ state: 'pending', barred: true })
      expect(await barred.move('request', 'free')).toMatchObject({ state: 'pending', barred: true })
      expect(await barred.move('approve')).toMatchObject({ state: 'approved', tier: 'free', barred: false })
    }
  })

  it('changes to an automatic tier at once, and to a manual one when it is approved', async () => {
    const { move } = await standingAt('approved')
    expect(await move('changeTier', 'free')).toMatchObject({ state: 'approved', tier: 'free' })
    expect(await move('changeTier', 'silver')).toMatchObject({ tier: 'free', requestedTier: 'silver' })
    expect(await move('approve')).toMatchObject({ tier: 'silver' })
  })

  it('of a client whose tier change was rejected changes to no tier by itself any more', async () => {
    const { move } = await standingAt('changing')
    await move('reject')
    expect(await move('changeTier', 'free')).toMatchObject({ tier: 'gold', requestedTier: 'free', barred: true })
    expect(await move('approve')).toMatchObject({ tier: 'free', barred: false })
  })

  it('may be approved and restored with another tier than the one asked for', async () => {
    const { store, client, move } = await standingAt('pending')
    expect(await approveContract(store, { actor, api, client, tier: 'silver', ownRequest: true })).toMatchObject({
      tier: 'silver',
    })
    await move('revoke')
    expect(await restoreContract(store, { actor, api, client, tier: 'gold' })).toMatchObject({
      tier: 'gold',
      barred: false,
    })
  })

  it('names a tier exactly where the API has some', async () => {
    const { store, client } = await world()
    await expect(requestContract(store, { actor, api, client })).rejects.toMatchObject(stateFault)
    expect(await requestContract(store, { actor, api: 'free-for-all', client })).toMatchObject({ state: 'approved' })
    const unknown = requestContract(store, { actor, api, client, tier: 'none' })
    await expect(unknown).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
  })

  it('takes no deprecated tier, and keeps the one it has', async () => {
    const { store, client, move } = await standingAt('pending')
    await deprecateTier(store, { actor, api, name: 'gold' })
    await expect(move('approve')).rejects.toMatchObject(stateFault)
    await expect(move('request')).rejects.toMatchObject(stateFault)
    expect(await approveContract(store, { actor, api, client, tier: 'silver', ownRequest: true })).toMatchObject({
      tier: 'silver',
    })
    await deprecateTier(store, { actor, api, name: 'silver' })
    await expect(deprecateTier(store, { actor, api, name: 'silver' })).rejects.toMatchObject(stateFault)
    await revokeContract(store, { actor, api, client })
    expect(await move('restore')).toMatchObject({ state: 'approved', tier: 'silver' })
  })

  it('is not given to a disabled client', async () => {
    const { store, client, move } = await world()
    await disableClient(store, { actor, client })
    await expect(move('request', 'free')).rejects.toMatchObject(stateFault)
  })

  it('refuses a decision about a version that the actor has not seen', async () => {
    const { store, client, contract } = await standingAt('pending')
    const seen = (await contract())?.version ?? 0
    await requestContract(store, { actor, api, client, tier: 'silver' })
    await expect(approveContract(store, { actor, api, client, version: seen, ownRequest: true })).rejects.toMatchObject(
      conflict,
    )
    expect(await approveContract(store, { actor, api, client, version: seen + 1, ownRequest: true })).toMatchObject({
      tier: 'silver',
    })
  })

  it('goes to one of two deciders', async () => {
    const { move } = await standingAt('pending')
    const outcomes = await Promise.allSettled([move('approve'), move('reject')])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject(conflict)
  })
})

describe('defineTier', () => {
  it('approves what waits when a tier becomes automatic, but nobody who is barred', async () => {
    const [waiting, changing, barred] = await Promise.all([
      standingAt('pending'),
      standingAt('approved'),
      standingAt('rejected'),
    ])
    await changing.move('changeTier', 'silver')
    await barred.move('request', 'gold')
    const define = (store: typeof waiting.store, name: string) =>
      defineTier(store, { ...manual, name, approval: 'automatic' })
    expect((await define(waiting.store, 'silver')).approved).toEqual([])
    expect((await define(waiting.store, 'gold')).approved).toHaveLength(1)
    expect(await waiting.contract()).toMatchObject({ state: 'approved', tier: 'gold' })
    await define(changing.store, 'silver')
    expect(await changing.contract()).toMatchObject({ state: 'approved', tier: 'silver' })
    expect((await define(barred.store, 'gold')).approved).toEqual([])
    expect(await barred.contract()).toMatchObject({ state: 'pending', barred: true })
  })

  it('leaves no request waiting for a tier that became automatic between its look and its commit', async () => {
    const { store, client } = await world()
    const opening = interrupted(store, () => defineTier(store, { ...manual, name: 'gold', approval: 'automatic' }))
    await expect(requestContract(opening, { actor, api, client, tier: 'gold' })).rejects.toMatchObject(conflict)
    expect(await requestContract(store, { actor, api, client, tier: 'gold' })).toMatchObject({ state: 'approved' })
  })

  it('approves no request for a tier that became manual between its look and its commit', async () => {
    const { store, client, contract } = await world()
    const closing = interrupted(store, () => defineTier(store, { ...manual, name: 'free' }))
    await expect(requestContract(closing, { actor, api, client, tier: 'free' })).rejects.toMatchObject(conflict)
    expect(await contract()).toBeUndefined()
  })

  it('edits a tier under the version that was seen, and leaves out what is left out', async () => {
    const { store } = await world()
    const { tier: first } = await defineTier(store, { ...manual, name: 'gold', description: 'fine' })
    expect(first.description).toBe('fine')
    const stale = defineTier(store, { ...manual, name: 'gold', version: first.version - 1 })
    await expect(stale).rejects.toMatchObject(conflict)
    const { tier: second } = await defineTier(store, { ...manual, name: 'gold', version: first.version })
    expect(second).not.toHaveProperty('description')
    expect(second.version).toBe(first.version + 1)
  })

  it('refuses limits that are none', async () => {
    const { store } = await world()
    for (const requests of [NaN, '10', -1, 0, Infinity, undefined]) {
      const limits = [{ requests: requests as number, windowSeconds: 60, algorithm: 'fixed' }] as const
      const defined = defineTier(store, { ...manual, name: 'odd', limits })
      await expect(defined).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
    }
    expect(await tier(store, 'odd', 'manual')).toMatchObject({ name: 'odd' })
  })
})

describe('a fault of the lifecycle', () => {
  it('names the functions that are possible, and the contract', async () => {
    const { client, move } = await world()
    await move('request', 'free')
    await expect(move('request', 'free')).rejects.toThrow(
      `requestContract() is not possible: the contract of ${client} for "orders" is approved; ` +
        'possible are changeTier(), revokeContract().',
    )
  })

  it('names the tier that is not there, and its API', async () => {
    const { move } = await world()
    await expect(move('request', 'golden')).rejects.toThrow('There is no such tier as "golden" for API "orders".')
  })

  it('tells of the two IDs of a client where a contract is not found', async () => {
    const { store } = await world()
    const input = { client: 'public-id', api, actor }
    await expect(approveContract(store, input)).rejects.toThrow('not the client ID that callers send')
  })

  it('says that the store comes first', async () => {
    const withoutStore = registerClient as unknown as (input: object) => Promise<unknown>
    await expect(withoutStore({ name: 'Shop', actor })).rejects.toThrow('the first argument is the store')
  })
})
