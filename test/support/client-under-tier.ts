import { registerClient, requestContract, defineTier, type ContractStore, type LimitInput } from 'clientele'

const actor = 'test'

export interface ClientUnderTier {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
  readonly headers: readonly (readonly [string, string])[]
}

/** A tier whose contracts are approved by themselves. */
export async function tierOf(store: ContractStore, api: string, name: string, limits: readonly LimitInput[]) {
  await defineTier(store, { api, name, approval: 'automatic', limits, actor })
}

/** A client that has a contract under it. */
export async function clientUnderTier(
  store: ContractStore,
  api: string,
  tier: string,
  name = 'app',
): Promise<ClientUnderTier> {
  const { client, clientId, clientSecret } = await registerClient(store, { name, actor })
  await requestContract(store, { client: client.id, api, tier, actor })
  const headers = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ] as const
  return { id: client.id, clientId, clientSecret, headers }
}
