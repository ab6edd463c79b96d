import type { Client, Contract, Tier } from '../model.js'
import type { ContractStore } from '../store.js'
import { listAll } from '../every-record.js'

/** Who asks for a tier, and what there was before. */
interface Asking {
  readonly client: Client
  readonly before: Contract | undefined
  readonly tier: Tier | undefined
}

/** Whether nobody has to be asked. To be decided within the commit that relies on it: another request counts too. */
export async function approvedAtOnce(store: ContractStore, { client, before, tier }: Asking): Promise<boolean> {
  if (before?.barred === true || tier?.approval === 'manual') return false
  if (tier?.automaticPerOwner === undefined) return true
  // Whose it is nobody knows, so nobody knows how many they have.
  if (client.owner === undefined) return false
  return (await approvedOf(store, tier, client.owner)) < tier.automaticPerOwner
}

/** How many clients are asked for at a time. */
const batchSize = 100

async function approvedOf(store: ContractStore, { api, name }: Tier, owner: string): Promise<number> {
  const approved = await listAll(store, { kind: 'contract', api, state: 'approved' })
  const onTier = approved.filter(({ tier }) => tier === name)
  let count = 0
  for (let start = 0; start < onTier.length; start += batchSize) {
    const batch = onTier.slice(start, start + batchSize)
    const clients = await Promise.all(batch.map(async ({ client }) => store.find('client', { id: client })))
    count += clients.filter((client) => client?.owner === owner).length
  }
  return count
}
