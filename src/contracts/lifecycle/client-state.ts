import { z } from 'zod'
import { parseInput } from '../check-record.js'
import type { Client, Contract, Identity } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { id } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { listAll } from '../every-record.js'
import { commit } from './audit-log.js'
import { edited, firstVersion, found, inputShape, replace, stateFault, type LifecycleInput } from './common.js'
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
 * Forgets a client and its contracts. One that is registered at an issuer is removed there too, by
 * `clientRegistrations()`, and refused here. Its client IDs stay known as its own, with the APIs it was turned away
 * from, so that none of them is silently given to somebody else.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function removeClient(store: ContractStore, input: ClientInput): Promise<void> {
  const checked = parseInput('removeClient()', clientInput, input)
  const seen = await found(store, 'client', { id: checked.client }, checked.version)
  await refuseRegistered(store, seen)
  // A disabled client is given no new contract, so none can slip in between the list and the commit.
  const client = seen.state === 'disabled' ? seen : await move(store, 'disable', { ...checked, version: seen.version })
  const changes = await removalOf(store, client, client.identities)
  await commit(store, changes, [{ step: 'removeClient', actor: checked.actor, client: client.id }])
}

/** All that goes with a client, whose identities may have been taken from it before. */
export async function removalOf(
  store: ContractStore,
  client: Client,
  identities: readonly Identity[],
): Promise<Change[]> {
  const contracts = await listAll(store, { kind: 'contract', client: client.id })
  const tombstones = identities.map((identity) => tombstone(store, identity, barredBy(contracts)))
  return [
    { kind: 'client', key: { id: client.id }, expect: client.version, value: null },
    ...contracts.map(removal),
    ...(await Promise.all(tombstones)),
  ]
}

async function refuseRegistered(store: ContractStore, { id }: Client): Promise<void> {
  const [registered] = (await store.list<'registration'>({ kind: 'registration', client: id, pageSize: 1 })).records
  if (registered === undefined) return
  const where = JSON.stringify(registered.provider)
  throw stateFault(`The client is registered at the provider ${where}; remove it with clientRegistrations().`)
}

/** The APIs on which a client was turned away. */
export function barredBy(contracts: readonly Contract[]): string[] {
  return contracts.filter(isBarred).map(({ api }) => api)
}

function isBarred(contract: Contract): boolean {
  return contract.barred || contract.state === 'rejected' || contract.state === 'revoked'
}

function removal({ client, api, version }: Contract): Change {
  return { kind: 'contract', key: { client, api }, expect: version, value: null }
}

/** The identity stays known, and nobody's. */
export async function tombstone(
  store: ContractStore,
  identity: Identity,
  barredApis: readonly string[],
): Promise<Change> {
  const { issuer, clientId } = identity
  const link = await store.find('identity', { issuer, clientId })
  const version = link === undefined ? firstVersion() : link.version + 1
  const value = { issuer, clientId, version, client: null, barredApis }
  return { kind: 'identity', key: { issuer, clientId }, expect: link?.version ?? null, value }
}
