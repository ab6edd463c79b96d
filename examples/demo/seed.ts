import {
  approveContract,
  defineTier,
  disableClient,
  linkIdentity,
  registerClient,
  rejectContract,
  requestContract,
  revokeContract,
  rotateSecret,
  type Client,
  type ContractState,
  type ContractStore,
} from 'clientele'
import { actor, api, applications, tiers, type Application } from './applications.js'
import type { DemoClient, KnownSecrets } from './demo-file.js'

const owner = 'clientele demo'

/**
 * Makes the tiers, applications and contracts that are missing, and leaves the others as people have them. A
 * secret is only seen when it is made: one that `known` has lost is replaced.
 */
export async function seed(store: ContractStore, issuer: string, known: KnownSecrets): Promise<readonly DemoClient[]> {
  for (const tier of tiers) {
    if ((await store.findTier(api, tier.name)) === undefined) await defineTier(store, { api, ...tier, actor })
  }
  const clients: DemoClient[] = []
  for (const application of Object.values<Application>(applications)) {
    clients.push(await seedApplication(store, issuer, application, known))
  }
  return clients
}

async function seedApplication(
  store: ContractStore,
  issuer: string,
  application: Application,
  known: KnownSecrets,
): Promise<DemoClient> {
  const { client, clientId, clientSecret } = await registered(store, application, known)
  if (clientSecret !== null && !client.identities.some((identity) => identity.issuer === issuer)) {
    await linkIdentity(store, { client: client.id, issuer, clientId, actor })
  }
  if ((await store.findContract(client.id, api)) === undefined) await concludeContract(store, client.id, application)
  return { name: application.name, clientId, clientSecret, ...(await standing(store, client.id)) }
}

interface Registered {
  readonly client: Client
  readonly clientId: string
  readonly clientSecret: string | null
}

async function registered(store: ContractStore, application: Application, known: KnownSecrets): Promise<Registered> {
  const { name, type = 'confidential' } = application
  const client = await findByName(store, name)
  if (client === undefined) {
    const { clientSecret = null, ...made } = await registerClient(store, { name, owner, type, actor })
    return { ...made, clientSecret }
  }
  const clientId = client.identities.find((identity) => identity.issuer === 'local')?.clientId ?? client.id
  if (client.type === 'public') return { client, clientId, clientSecret: null }
  const clientSecret = known.get(clientId) ?? (await newSecret(store, client.id))
  return { client, clientId, clientSecret }
}

/** Whoever held the old one has lost it, so it ends at once. */
async function newSecret(store: ContractStore, client: string): Promise<string> {
  const { clientSecret } = await rotateSecret(store, { client, overlapSeconds: 0, actor })
  return clientSecret
}

async function findByName(store: ContractStore, name: string): Promise<Client | undefined> {
  let cursor: string | undefined
  do {
    const page = await store.list({ kind: 'client', pageSize: 1000, ...(cursor !== undefined && { cursor }) })
    const found = page.records.find((client) => client.name === name && client.owner === owner)
    if (found !== undefined) return found
    cursor = page.cursor
  } while (cursor !== undefined)
  return undefined
}

/** The moves that lead from a request to each state of a contract. */
const moves = {
  pending: [],
  approved: [approveContract],
  rejected: [rejectContract],
  revoked: [approveContract, revokeContract],
} as const satisfies Record<ContractState, readonly unknown[]>

async function concludeContract(store: ContractStore, client: string, application: Application): Promise<void> {
  const { tier, contract, disabled } = application
  const { state } = await requestContract(store, { client, api, tier, actor: application.name })
  if (state !== contract) for (const move of moves[contract]) await move(store, { client, api, actor })
  if (disabled) await disableClient(store, { client, actor })
}

/** How an application stands now, whoever brought it there. */
async function standing(store: ContractStore, id: string): Promise<Pick<DemoClient, 'tier' | 'state'>> {
  const client = await store.find('client', { id })
  const contract = await store.findContract(id, api)
  const state = client?.state === 'disabled' ? 'disabled' : (contract?.state ?? 'pending')
  return { tier: contract?.tier ?? '', state }
}
