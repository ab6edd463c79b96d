import { z } from 'zod'
import { checkRecord, parseInput } from '../check-record.js'
import { localIssuer, type Client, type Contract, type StoredSecret } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { apiName, freeText, id, tierName } from '../schema-words.js'
import { storedSecret } from '../secret-schemas.js'
import type { Change, ContractStore } from '../store.js'
import { commitDecided, isConflict, type Decision, type Step } from './audit-log.js'
import { randomId } from './clients.js'
import { edited, firstVersion, inputShape, stamp, stateFault, stepOn, withoutUndefined } from './common.js'

export interface ImportedContract {
  readonly api: string
  readonly tier?: string
  /** Another one than `approved` and `pending` bars automatic approval, as it does here. */
  readonly state: Contract['state']
}

export interface ImportedClient {
  readonly clientId: string
  readonly name: string
  readonly owner?: string
  /** @default 'confidential' */
  readonly type?: Client['type']
  /** What is stored of its secret. */
  readonly secret?: StoredSecret
  readonly contracts?: readonly ImportedContract[]
}

export interface ImportClientsInput {
  readonly actor: string
  /** At most 1000: they are written in one commit. */
  readonly clients: readonly ImportedClient[]
}

export interface ImportedCounts {
  readonly clients: number
  readonly secrets: number
  readonly contracts: number
}

const contractInput = z.strictObject({
  api: apiName,
  tier: tierName.optional(),
  state: z.enum(['pending', 'approved', 'rejected', 'revoked']),
} satisfies Shape<ImportedContract>)

export const importedClientInput = z.strictObject({
  clientId: id,
  name: freeText,
  owner: freeText.optional(),
  type: z.enum(['confidential', 'public']).optional(),
  secret: storedSecret.optional(),
  contracts: z.array(contractInput).optional(),
} satisfies Shape<ImportedClient>)

const importInput = z.strictObject({
  actor: inputShape.actor,
  clients: z.array(importedClientInput).max(1000),
} satisfies Shape<ImportClientsInput>)

const mostAttempts = 5

/**
 * Takes clients over from elsewhere, under the client IDs they have, with hashes of their secrets, so that they go on
 * as they are. What is there already stays as it is: a client gets a secret only if it has none, and a contract only
 * where it has none. So an import that broke off is run again, and rotates nothing.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_CONFLICT`, and `_STATE` for an ID of a client that was removed or a
 * tier that is not there; then nothing of these clients is written
 */
export async function importClients(store: ContractStore, input: ImportClientsInput): Promise<ImportedCounts> {
  const { actor, clients } = parseInput('importClients()', importInput, input)
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitDecided(store, () => decisionOn(store, clients, actor))
    } catch (error) {
      // Somebody has changed one of these clients meanwhile: what is there is looked at anew.
      if (!isConflict(error) || attempt === mostAttempts) throw error
    }
  }
}

async function decisionOn(
  store: ContractStore,
  clients: readonly ImportedClient[],
  actor: string,
): Promise<Decision<ImportedCounts>> {
  const changes: Change[] = []
  const steps: Step[] = []
  const counts = { clients: 0, secrets: 0, contracts: 0 }
  for (const imported of clients) {
    const { client, before } = await takenOver(store, imported, actor)
    if (client !== before) {
      changes.push(...changesOf(client, before, imported.clientId))
      steps.push({ ...stepOn('client', client, 'importClient'), issuer: localIssuer, clientId: imported.clientId })
      if (before === undefined) counts.clients++
      if (client.secrets.length > (before?.secrets.length ?? 0)) counts.secrets++
    }
    for (const contract of await missingContracts(store, client, imported, actor)) {
      changes.push({ kind: 'contract', key: { client: client.id, api: contract.api }, expect: null, value: contract })
      steps.push(stepOn('contract', contract, 'importContract'))
      counts.contracts++
    }
  }
  return { changes, steps, result: counts }
}

interface TakenOver {
  readonly client: Client
  readonly before: Client | undefined
}

async function takenOver(store: ContractStore, imported: ImportedClient, actor: string): Promise<TakenOver> {
  const identity = { issuer: localIssuer, clientId: imported.clientId }
  const before = await store.findClient(identity)
  const { secret } = imported
  if (before === undefined) return { client: await newClient(store, imported, actor), before }
  const isGiven = secret !== undefined && before.type === 'confidential' && before.secrets.length === 0
  return { client: isGiven ? edited('client', before, { actor }, { secrets: [secret] }) : before, before }
}

async function newClient(store: ContractStore, imported: ImportedClient, actor: string): Promise<Client> {
  const { clientId, name, owner, type = 'confidential', secret } = imported
  if ((await store.find('identity', { issuer: localIssuer, clientId })) !== undefined) {
    throw stateFault(`The client ID ${clientId} belonged to a removed client.`)
  }
  const stamped = stamp({ actor })
  const secrets = secret === undefined || type === 'public' ? [] : [secret]
  const identities = [{ issuer: localIssuer, clientId }]
  const members = { id: randomId(), name, owner, type, identities, secrets, state: 'active' }
  const record = { ...members, version: firstVersion(), createdAt: stamped.updatedAt, ...stamped }
  return checkRecord('client', withoutUndefined(record))
}

function changesOf(client: Client, before: Client | undefined, clientId: string): Change[] {
  const change: Change = { kind: 'client', key: { id: client.id }, expect: before?.version ?? null, value: client }
  if (before !== undefined) return [change]
  const key = { issuer: localIssuer, clientId }
  const link = { ...key, version: firstVersion(), client: client.id }
  return [change, { kind: 'identity', key, expect: null, value: link }]
}

async function missingContracts(
  store: ContractStore,
  client: Client,
  { contracts = [] }: ImportedClient,
  actor: string,
): Promise<Contract[]> {
  const made: Contract[] = []
  for (const { api, tier, state } of contracts) {
    if ((await store.findContract(client.id, api)) !== undefined) continue
    if (tier !== undefined && (await store.findTier(api, tier)) === undefined) {
      throw stateFault(`There is no tier ${JSON.stringify(tier)} for API ${JSON.stringify(api)}; define it first.`)
    }
    const stamped = stamp({ actor })
    const barred = state === 'rejected' || state === 'revoked'
    const members = { client: client.id, api, tier, state, barred, createdAt: stamped.updatedAt, ...stamped }
    made.push(checkRecord('contract', withoutUndefined({ ...members, version: firstVersion() })))
  }
  return made
}
