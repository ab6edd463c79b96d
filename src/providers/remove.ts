import { listAll } from '../contracts/every-record.js'
import { commit } from '../contracts/lifecycle/audit-log.js'
import { barredBy, removalOf, tombstone } from '../contracts/lifecycle/client-state.js'
import { edited, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { Client } from '../contracts/model.js'
import type { Registration } from '../contracts/registration.js'
import type { Change, ContractStore } from '../contracts/store.js'
import { drop, changeOf, managed, registrationOf, type Registry, type Which } from './registry.js'

export interface Removing extends Which {
  readonly actor: string
  /** `leave`: does not ask the issuer, where that client is gone already or is to stay. @default 'delete' */
  readonly atIssuer?: 'delete' | 'leave'
}

/**
 * Ends a registration: here first, so that its tokens are refused whatever the issuer does, and then there. A client
 * that has no other identity goes with its contracts. Called again, it goes on where it broke off.
 */
export async function remove(registry: Registry, { actor, atIssuer = 'delete', ...which }: Removing): Promise<void> {
  await removeRegistration(registry, await registrationOf(registry, which), { actor, atIssuer })
}

export async function removeRegistration(
  registry: Registry,
  registration: Registration,
  { actor, atIssuer }: { readonly actor: string; readonly atIssuer: 'delete' | 'leave' },
): Promise<void> {
  if (registration.state === 'registering') throw stateFault('The registration broke off; repair it.')
  const ending = registration.state === 'deleting' ? registration : await refuseFromNow(registry, registration, actor)
  if (atIssuer === 'delete') await registry.provider.delete(managed(registry, ending, actor))
  await forget(registry, ending.id, actor)
}

/**
 * The client loses this identity, and is disabled if it was the last. Both, since a client that is enabled again must
 * not be let in under an identity that the issuer is about to give up.
 */
async function refuseFromNow(registry: Registry, before: Registration, actor: string): Promise<Registration> {
  const { store } = registry
  const client = await found(store, 'client', { id: before.client })
  const { ending, identities, changes } = await endingOf(store, before, client, actor)
  const state = identities.length === 0 ? 'disabled' : client.state
  const changed = edited('client', client, { actor }, { identities, state })
  const change: Change = { kind: 'client', key: { id: client.id }, expect: client.version, value: changed }
  await commit(store, [change, ...changes], [stepOn('registration', ending, 'removeAtProvider')])
  return ending
}

export interface Ending {
  readonly ending: Registration
  /** Those that the client keeps. */
  readonly identities: Client['identities']
  /** All but the client itself. */
  readonly changes: readonly Change[]
}

/** What a commit has to hold that refuses a registration from then on. */
export async function endingOf(
  store: ContractStore,
  before: Registration,
  client: Client,
  actor: string,
): Promise<Ending> {
  const { clientId, issuer } = before
  const contracts = await listAll(store, { kind: 'contract', client: client.id })
  const ending = edited('registration', before, { actor }, { state: 'deleting' })
  const own = clientId === undefined ? [] : [await tombstone(store, { issuer, clientId }, barredBy(contracts))]
  return {
    ending,
    identities: client.identities.filter((each) => each.issuer !== issuer || each.clientId !== clientId),
    changes: [changeOf(before, ending), ...own],
  }
}

async function forget(registry: Registry, id: string, actor: string): Promise<void> {
  const { store } = registry
  // A token that was kept meanwhile has given it another version.
  const registration = await found(store, 'registration', { id })
  const { issuer, clientId } = registration
  const client = await store.find('client', { id: registration.client })
  const isLast = client?.identities.length === 0
  const own = clientId === undefined ? [] : [{ issuer, clientId }]
  const changes = client !== undefined && isLast ? await removalOf(store, client, own) : []
  await drop(registry, registration, { step: 'removeAtProvider', actor, state: 'removed' }, changes)
}
