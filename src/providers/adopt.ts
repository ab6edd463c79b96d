import { isId } from '../contracts/schema-words.js'
import { checkRecord } from '../contracts/check-record.js'
import { commitDecided, type Step } from '../contracts/lifecycle/audit-log.js'
import { edited, firstVersion, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { Client, LifecycleStep } from '../contracts/model.js'
import type { Registration } from '../contracts/registration.js'
import type { Change, ContractStore } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { IssuedClient } from './client-provider.js'
import { changeOf, clientWith, sealedManagement, type Registry } from './registry.js'
import { endingOf } from './remove.js'

export interface Adopted {
  readonly client: Client
  readonly registration: Registration
  readonly clientId: string
}

/** Whether an ID of this issuer is, or was, somebody's. */
export async function clientIdTaken({ store, provider }: Registry, clientId: string): Promise<boolean> {
  return isId(clientId) && (await store.find('identity', { issuer: provider.issuer, clientId })) !== undefined
}

interface Adopting {
  readonly isNew?: boolean
  readonly step?: LifecycleStep
  /** Refuses the registration that this one replaces, in the same commit. */
  readonly endsReplaced?: boolean
}

/** Client, identity and registration, in one commit. `before`: the registration as the store has it, if it does. */
export function adopt(
  registry: Registry,
  before: Registration,
  issued: IssuedClient,
  actor: string,
  { isNew = false, step = stepFor(before), endsReplaced = false }: Adopting = {},
): Promise<Adopted> {
  const { clientId } = issued
  return commitDecided(registry.store, async () => {
    await refuseForeign(registry, clientId)
    const replaced = await replacedBy(registry.store, before, { actor, endsReplaced })
    const client = clientWith(registry, before, issued, { actor, before: replaced?.client })
    const registration = adopted(registry, before, issued, { actor, isNew })
    const own = clientChanges(registry, client, clientId, replaced?.client)
    return {
      changes: [...own, changeOf(isNew ? undefined : before, registration), ...(replaced?.changes ?? [])],
      steps: [stepOn('registration', registration, step), ...(replaced?.steps ?? [])],
      result: { client, registration, clientId },
    }
  })
}

function adopted(
  registry: Registry,
  before: Registration,
  { clientId, secretEndsAt, management }: IssuedClient,
  { actor, isNew }: { readonly actor: string; readonly isNew: boolean },
): Registration {
  const known = { state: 'active', clientId, secretEndsAt, ...sealedManagement(registry, before, management) } as const
  if (isNew) return checkRecord('registration', { ...before, ...defined(known) })
  return edited('registration', before, { actor }, known)
}

interface Replaced {
  /** As the store has it, but for an identity that it is to lose. */
  readonly client: Client
  readonly changes: readonly Change[]
  readonly steps: readonly Step[]
}

/** A removal that came meanwhile is not undone by what was to come in place of the removed. */
async function replacedBy(
  store: ContractStore,
  { client: id, replaces }: Registration,
  { actor, endsReplaced }: { readonly actor: string; readonly endsReplaced: boolean },
): Promise<Replaced | undefined> {
  if (replaces === undefined) return undefined
  const old = await store.find('registration', { id: replaces })
  if (old === undefined || old.state === 'deleting') throw stateFault('The client was removed meanwhile.')
  const client = await found(store, 'client', { id })
  if (client.state === 'disabled') throw stateFault('The client was disabled meanwhile.')
  // Its next version, so that a removal that comes before this commit makes it fail.
  if (!endsReplaced) return { client, changes: [changeOf(old, edited('registration', old, { actor }, {}))], steps: [] }
  const { ending, identities, changes } = await endingOf(store, old, client, actor)
  return { client: { ...client, identities }, changes, steps: [stepOn('registration', ending, 'removeAtProvider')] }
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
