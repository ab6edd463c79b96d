import type { Client, Contract, ContractState, Tier } from '../../src/contracts/model.js'
import { checkedReader } from '../../src/contracts/reader.js'
import type { ContractReader } from '../../src/contracts/store.js'
import type { PolicyContext } from '../../src/policies/context.js'
import { tokenEngines } from '../../src/tokens/engines.js'

export interface OwnReader extends ContractReader {
  /** Registers a client under one identity, with a contract for `orders` on the tier `gold`. */
  register(issuer: string, clientId: string, state?: ContractState | 'disabled' | 'none'): Client
}

const at = '2026-01-01T00:00:00.000Z'
const changed = { version: 1, updatedAt: at, updatedBy: 'test' } as const
const written = { ...changed, createdAt: at } as const
const gold: Tier = {
  ...changed,
  api: 'orders',
  name: 'gold',
  approval: 'manual',
  state: 'active',
  limits: [{ requests: 10, windowSeconds: 60, algorithm: 'fixed' }],
}

/** A store as a user would write one: the three questions, answered at once from maps. */
export function ownReader(): OwnReader {
  const clients = new Map<string, Client>()
  const contracts = new Map<string, Contract>()
  return {
    findClient: ({ issuer, clientId }) => clients.get(JSON.stringify([issuer, clientId])),
    findContract: (client, api) => contracts.get(JSON.stringify([client, api])),
    findTier: (api, name) => (api === 'orders' && name === 'gold' ? gold : undefined),
    register(issuer, clientId, state = 'approved') {
      const id = `client-${clients.size}`
      const client: Client = {
        ...written,
        id,
        name: `Client ${clientId}`,
        type: 'confidential',
        state: state === 'disabled' ? 'disabled' : 'active',
        identities: [{ issuer, clientId }],
        secrets: [],
      }
      clients.set(JSON.stringify([issuer, clientId]), client)
      if (state === 'none') return client
      const standing = state === 'disabled' ? 'approved' : state
      const contract = { ...written, client: id, api: 'orders', state: standing, tier: 'gold', barred: false }
      contracts.set(JSON.stringify([id, 'orders']), contract)
      return client
    },
  }
}

/** What a policy is built with, anew each time: nothing is shared between tests. */
export function contextOf(reader: ContractReader): PolicyContext {
  const checked = checkedReader(reader, { timeoutMs: 1000 })
  return { api: 'orders', realm: 'orders', reader: checked, tokens: tokenEngines() }
}
