import { isId } from '../contracts/schema-words.js'
import { checkRecord } from '../contracts/check-record.js'
import { commit } from '../contracts/lifecycle/audit-log.js'
import { edited, firstVersion, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { Client, LifecycleStep } from '../contracts/model.js'
import type { Registration } from '../contracts/registration.js'
import type { Change } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { IssuedClient } from './client-provider.js'
import { changeOf, clientWith, sealedManagement, type Registry } from './registry.js'

export interface Adopted {
  readonly client: Client
  readonly registration: Registration
  readonly clientId: string
}

/** Whether an ID of this issuer is, or was, somebody's. */
export async function clientIdTaken({ store, provider }: Registry, clientId: string): Promise<boolean> {
  return isId(clientId) && (await store.find('identity', { issuer: provider.issuer, clientId })) !== undefined
}

/** Client, identity and registration, in one commit. `before`: the registration as the store has it, if it does. */
export async function adopt(
  registry: Registry,
  before: Registration,
  issued: IssuedClient,
  actor: string,
  { isNew = false, step = stepFor(before) }: { readonly isNew?: boolean; readonly step?: LifecycleStep } = {},
): Promise<Adopted> {
  const { store } = registry
  const { clientId, secretEndsAt, management } = issued
  await refuseForeign(registry, clientId)
  const held =
    before.replaces === undefined ? undefined : await found(store, 'client', { id: before.client }, undefined)
  if (held?.state === 'disabled') throw stateFault('The client was disabled meanwhile.')
  const client = clientWith(registry, before, issued, { actor, before: held })
  const known = { state: 'active', clientId, secretEndsAt, ...sealedManagement(registry, before, management) } as const
  const members = isNew
    ? checkRecord('registration', { ...before, ...defined(known) })
    : edited('registration', before, { actor }, known)
  const changes = [...clientChanges(registry, client, clientId, held), changeOf(isNew ? undefined : before, members)]
  await commit(store, changes, [stepOn('registration', members, step)])
  return { client, registration: members, clientId }
}

function clientChanges(
  { provider: { issuer } }: Registry,
  client: Client,
  clientId: string,
  held: Client | undefined,
): Change[] {
  const key = { issuer, clientId }
  const link = { ...key, version: firstVersion(), client: client.id }
  return [
    { kind: 'client', key: { id: client.id }, expect: held?.version ?? null, value: client },
    { kind: 'identity', key, expect: null, value: link },
  ]
}

function stepFor({ replaces }: Registration): LifecycleStep {
  return replaces === undefined ? 'registerAtProvider' : 'rotateAtProvider'
}

function defined<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}

async function refuseForeign(registry: Registry, clientId: unknown): Promise<void> {
  if (!isId(clientId)) {
    throw new ClienteleFault('ERR_CLIENTELE_INVALID', 'The issuer has given out a client ID that cannot be one here.')
  }
  if (await clientIdTaken(registry, clientId)) {
    throw stateFault('The issuer’s client ID is, or was, that of another client here; nothing is done with it.')
  }
}
