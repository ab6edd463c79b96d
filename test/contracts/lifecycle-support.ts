import { registerClient } from '../../src/contracts/lifecycle/clients.js'
import {
  approveContract,
  rejectContract,
  restoreContract,
  revokeContract,
} from '../../src/contracts/lifecycle/contract-decisions.js'
import { changeTier, requestContract } from '../../src/contracts/lifecycle/contract-requests.js'
import type { ContractMove, ContractStanding } from '../../src/contracts/lifecycle/moves.js'
import { defineTier } from '../../src/contracts/lifecycle/tiers.js'
import type { Contract, Tier } from '../../src/contracts/model.js'
import type { ContractStore } from '../../src/contracts/store.js'
import { memoryStore } from '../../src/stores/memory.js'

export const actor = 'ann'
export const api = 'orders'

export interface World {
  readonly store: ContractStore
  /** The internal ID of a registered client. */
  readonly client: string
  move(name: ContractMove, tier?: string): Promise<Contract>
  contract(): Promise<Contract | undefined>
}

/** An API with an automatic tier, two manual ones, and a client that has no contract yet. */
export async function world(): Promise<World> {
  const store = memoryStore()
  await tier(store, 'free', 'automatic')
  await tier(store, 'gold', 'manual')
  await tier(store, 'silver', 'manual')
  const { client } = await registerClient(store, { actor, name: 'Shop' })
  const key = { client: client.id, api }
  return {
    store,
    client: client.id,
    contract: async () => store.findContract(client.id, api),
    move: (name, tierName = 'gold') => moves[name](store, { ...key, actor }, tierName),
  }
}

type Key = { client: string; api: string; actor: string }

const moves: Record<ContractMove, (store: ContractStore, key: Key, tier: string) => Promise<Contract>> = {
  request: (store, key, tierName) => requestContract(store, { ...key, tier: tierName }),
  changeTier: (store, key, tierName) => changeTier(store, { ...key, tier: tierName }),
  approve: (store, key) => approveContract(store, { ...key, ownRequest: true }),
  reject: (store, key) => rejectContract(store, { ...key, reason: 'no' }),
  revoke: (store, key) => revokeContract(store, { ...key, reason: 'over' }),
  restore: (store, key) => restoreContract(store, key),
}

/** How to come to stand somewhere. */
const ways: Record<ContractStanding, readonly [ContractMove, string?][]> = {
  absent: [],
  pending: [['request']],
  approved: [['request'], ['approve']],
  changing: [['request'], ['approve'], ['changeTier', 'silver']],
  rejected: [['request'], ['reject']],
  revoked: [['request'], ['approve'], ['revoke']],
}

export async function standingAt(standing: ContractStanding): Promise<World> {
  const made = await world()
  for (const [move, tierName] of ways[standing]) await made.move(move, tierName)
  return made
}

export async function tier(store: ContractStore, name: string, approval: Tier['approval']): Promise<Tier> {
  const limits = [{ requests: 10, windowSeconds: 60, algorithm: 'fixed' }] as const
  return (await defineTier(store, { actor, api, name, approval, limits })).tier
}

/** The same store, in which somebody else does something just before the next commit. */
export function interrupted(store: ContractStore, by: () => Promise<unknown>): ContractStore {
  let pending: typeof by | undefined = by
  return {
    capabilities: store.capabilities,
    findClient: (identity) => store.findClient(identity),
    findContract: (client, name) => store.findContract(client, name),
    findTier: (name, tierName) => store.findTier(name, tierName),
    find: (kind, key) => store.find(kind, key),
    list: (query) => store.list(query),
    async commit(changes) {
      const now = pending
      pending = undefined
      await now?.()
      await store.commit(changes)
    },
  }
}
