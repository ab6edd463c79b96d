import type { Tier } from '../model.js'
import type { Change, ContractStore } from '../store.js'
import { found, stateFault } from './common.js'

/** The tier that a new contract may have: none only where the API has none. */
export async function openTier(store: ContractStore, api: string, name: string | undefined): Promise<Tier | undefined> {
  if (name === undefined) return noTier(store, api)
  const tier = await found(store, 'tier', { api, name })
  if (tier.state === 'deprecated')
    throw stateFault('The tier is deprecated and takes no new contracts; choose another.')
  return tier
}

async function noTier(store: ContractStore, api: string): Promise<undefined> {
  const { records } = await store.list({ kind: 'tier', api, pageSize: 1 })
  if (records.length > 0) throw stateFault(`The API ${api} has tiers; name one of them as tier.`)
  return undefined
}

/** The tier must not change between the look at it and the commit that relies on it. */
export function tierAssertion(tier: Tier | undefined): Change[] {
  if (tier === undefined) return []
  return [{ kind: 'tier', key: { api: tier.api, name: tier.name }, expect: tier.version }]
}
