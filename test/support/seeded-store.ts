import {
  approveContract,
  defineTier,
  disableClient,
  memoryStore,
  registerClient,
  rejectContract,
  requestContract,
  revokeContract,
  type ContractStore,
} from 'clientele'

export interface SeededClient {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
}

export const secretOf = (client: SeededClient): string => client.clientSecret

const actor = 'test'
const api = 'orders'

export type State = 'approved' | 'pending' | 'rejected' | 'revoked' | 'disabled' | 'none' | 'public' | 'publicPending'

/** A store with one client in each state, all for the API `orders`, the approved on the tier `gold`. */
export async function seededStore(
  store: ContractStore = memoryStore(),
  requests = 1000,
): Promise<{ store: ContractStore; clients: Record<State, SeededClient> }> {
  const limits = [{ requests, windowSeconds: 60, algorithm: 'fixed' as const }]
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
  const register = async (name: State, type: 'confidential' | 'public' = 'confidential'): Promise<SeededClient> => {
    const { client, clientId, clientSecret = '' } = await registerClient(store, { name, type, actor })
    if (name !== 'none') await requestContract(store, { client: client.id, api, tier: 'gold', actor })
    return { id: client.id, clientId, clientSecret }
  }
  const clients = {
    approved: await register('approved'),
    pending: await register('pending'),
    rejected: await register('rejected'),
    revoked: await register('revoked'),
    disabled: await register('disabled'),
    none: await register('none'),
    public: await register('public', 'public'),
    publicPending: await register('publicPending', 'public'),
  }
  for (const name of ['approved', 'revoked', 'disabled', 'public'] as const) {
    await approveContract(store, { client: clients[name].id, api, actor, ownRequest: true })
  }
  await rejectContract(store, { client: clients.rejected.id, api, actor, reason: 'test' })
  await revokeContract(store, { client: clients.revoked.id, api, actor })
  await disableClient(store, { client: clients.disabled.id, actor })
  return { store, clients }
}
