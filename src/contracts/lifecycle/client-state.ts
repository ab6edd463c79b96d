import { z } from 'zod'
import { parseInput } from '../check-record.js'
import type { Client, Contract, Identity } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { id } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { listAll } from '../every-record.js'
import { commit } from './audit-log.js'
import { edited, firstVersion, found, inputShape, replace, type LifecycleInput } from './common.js'
import { clientOutcome, type ClientMove } from './moves.js'

export interface ClientInput extends LifecycleInput {
  readonly client: string
}

const clientInput = z.strictObject({ ...inputShape, client: id } satisfies Shape<ClientInput>)

/**
 * Turns a client away everywhere, whatever its secrets and contracts say.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function disableClient(store: ContractStore, input: ClientInput): Promise<Client> {
  return move(store, 'disable', parseInput('disableClient()', clientInput, input))
}

/**
 * Lets a disabled client in again, with the secrets and contracts that it has now: what ended meanwhile stays ended.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function enableClient(store: ContractStore, input: ClientInput): Promise<Client> {
  return move(store, 'enable', parseInput('enableClient()', clientInput, input))
}

async function move(store: ContractStore, name: ClientMove, input: ClientInput): Promise<Client> {
  const before = await found(store, 'client', { id: input.client }, input.version)
  const state = clientOutcome(before, name)
  return replace(store, 'client', before, edited('client', before, input, { state }), { step: `${name}Client` })
}

/**
 * Forgets a client and its contracts. Its client IDs stay known as its own, with the APIs it was turned away
 * from, so that none of them is silently given to somebody else.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`
 */
export async function removeClient(store: ContractStore, input: ClientInput): Promise<void> {
  const checked = parseInput('removeClient()', clientInput, input)
  const seen = await found(store, 'client', { id: checked.client }, checked.version)
  // A disabled client is given no new contract, so none can slip in between the list and the commit.
  const client = seen.state === 'disabled' ? seen : await move(store, 'disable', { ...checked, version: seen.version })
  const contracts = await listAll(store, { kind: 'contract', client: client.id })
  const barredApis = contracts.filter(isBarred).map((contract) => contract.api)
  const tombstones = client.identities.map((identity) => tombstone(store, identity, barredApis))
  const changes: Change[] = [
    { kind: 'client', key: { id: client.id }, expect: client.version, value: null },
    ...contracts.map(removal),
    ...(await Promise.all(tombstones)),
  ]
  await commit(store, changes, [{ step: 'removeClient', actor: checked.actor, client: client.id }])
}

function isBarred(contract: Contract): boolean {
  return contract.barred || contract.state === 'rejected' || contract.state === 'revoked'
}

function removal({ client, api, version }: Contract): Change {
  return { kind: 'contract', key: { client, api }, expect: version, value: null }
}

async function tombstone(store: ContractStore, identity: Identity, barredApis: readonly string[]): Promise<Change> {
  const { issuer, clientId } = identity
  const link = await store.find('identity', { issuer, clientId })
  const version = link === undefined ? firstVersion() : link.version + 1
  const value = { issuer, clientId, version, client: null, barredApis }
  return { kind: 'identity', key: { issuer, clientId }, expect: link?.version ?? null, value }
}
