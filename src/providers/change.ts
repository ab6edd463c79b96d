import { commit } from '../contracts/lifecycle/audit-log.js'
import { endingSoon } from '../contracts/lifecycle/client-secrets.js'
import { edited, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { Client, LifecycleStep } from '../contracts/model.js'
import type { ClientMetadata, Registration } from '../contracts/registration.js'
import type { Change } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { IssuedClient } from './client-provider.js'
import { nothingWasDone } from './provider-faults.js'
import { register, secretOf, type Registered } from './register.js'
import { changeOf, isPublic, managed, registrationOf, sealedManagement, type Registry, type Which } from './registry.js'
import { removeRegistration } from './remove.js'

export interface Updating extends Which {
  readonly actor: string
  readonly changes: Partial<ClientMetadata>
}

/** Makes the client at the issuer, and its name here, as `changes` say; what they leave out stays. */
export async function update(registry: Registry, { actor, changes, ...which }: Updating): Promise<Registered> {
  const before = settled(await registrationOf(registry, which))
  const metadata = { ...before.metadata, ...changes }
  if (isPublic(metadata) !== isPublic(before.metadata)) {
    throw stateFault('A client stays public, or confidential, for good; register another.')
  }
  const work = (registration: Registration): Promise<IssuedClient> =>
    registry.provider.update(managed(registry, registration, actor), metadata)
  const issued = await asked(registry, before, { state: 'updating', step: 'updateAtProvider', actor }, work)
  return finish(registry, before, issued, { metadata, actor, step: 'updateAtProvider' })
}

export interface Rotating extends Which {
  readonly actor: string
  /** With rotation by replacement: leaves the old client where it is, to be removed later. @default false */
  readonly keepOld?: boolean
  /** Of the local issuer alone: how long the old secrets stay good. Issuers have their own ways. @default 0 */
  readonly overlapSeconds?: number
}

export interface Rotated extends Registered {
  /** Of a client that was replaced: `unfinished` stands in `unfinished()`, and is refused here already. */
  readonly old?: 'removed' | 'kept' | 'unfinished'
}

/** Gives the client a new secret; where the issuer cannot, a new client in its place, with the same contracts. */
export async function rotate(registry: Registry, { actor, keepOld = false, ...rest }: Rotating): Promise<Rotated> {
  const { overlapSeconds = 0, ...which } = rest
  const before = settled(await registrationOf(registry, which))
  if (isPublic(before.metadata)) throw stateFault('A public client has no secret to rotate.')
  if (registry.provider.rotation === 'in place') {
    const work = (registration: Registration): Promise<IssuedClient> =>
      registry.provider.rotate(managed(registry, registration, actor))
    const issued = await asked(registry, before, { state: 'rotating', step: 'rotateAtProvider', actor }, work)
    return finish(registry, before, issued, { actor, step: 'rotateAtProvider', overlapSeconds })
  }
  const registered = await register(registry, { actor, metadata: before.metadata, replaces: before })
  return { ...registered, ...(await withoutOld(registry, before, registered, { actor, keepOld })) }
}

/** The new secret has to reach whoever asked, whatever becomes of the old client. */
async function withoutOld(
  registry: Registry,
  before: Registration,
  { client }: Registered,
  { actor, keepOld }: { readonly actor: string; readonly keepOld: boolean },
): Promise<{ readonly old: 'removed' | 'kept' | 'unfinished'; readonly client: Client }> {
  if (keepOld) return { old: 'kept', client }
  const removed = await removeRegistration(registry, before, { actor, atIssuer: 'delete' }).then(
    () => 'removed' as const,
    () => 'unfinished' as const,
  )
  const now = await Promise.resolve(registry.store.find('client', { id: client.id })).catch(() => undefined)
  return { old: removed, client: now ?? client }
}

function settled(registration: Registration): Registration {
  if (registration.state === 'deleting') throw stateFault('The registration is being removed.')
  if (registration.state === 'registering') throw stateFault('The registration broke off; repair it first.')
  return registration
}

interface Attempt {
  readonly state: 'updating' | 'rotating'
  readonly step: LifecycleStep
  readonly actor: string
}

/** The record says what is under way, then the issuer is asked. A refusal puts the record back. */
async function asked(
  { store }: Registry,
  before: Registration,
  { state, step, actor }: Attempt,
  work: (registration: Registration) => Promise<IssuedClient>,
): Promise<IssuedClient> {
  const marked = edited('registration', before, { actor }, { state })
  await commit(store, [changeOf(before, marked)], [stepOn('registration', marked, step)])
  try {
    const issued = await work(marked)
    // An answer about another client is no answer, whoever sent it.
    if (issued.clientId === before.clientId) return issued
  } catch (error) {
    if (nothingWasDone(error)) await putBack(store, marked, step, actor).catch(() => undefined)
    throw error
  }
  throw new ClienteleFault(
    'ERR_CLIENTELE_ISSUER',
    'The issuer answers with another client ID than it was asked about.',
    {
      reason: 'answer',
    },
  )
}

async function putBack(
  store: Registry['store'],
  marked: Registration,
  step: LifecycleStep,
  actor: string,
): Promise<void> {
  const now = await found(store, 'registration', { id: marked.id })
  const after = edited('registration', now, { actor }, { state: 'active' })
  await commit(store, [changeOf(now, after)], [{ ...stepOn('registration', after, step), state: 'refused' }])
}

interface Finish {
  readonly metadata?: ClientMetadata
  readonly actor: string
  readonly step: LifecycleStep
  readonly overlapSeconds?: number
}

export async function finish(
  registry: Registry,
  before: Registration,
  issued: IssuedClient,
  { metadata = before.metadata, actor, step, overlapSeconds = 0 }: Finish,
): Promise<Registered> {
  const { store } = registry
  const now = await found(store, 'registration', { id: before.id })
  // A rotation or an update that says no end has left it as it was, unless there is a new secret.
  const secretEndsAt = issued.secretEndsAt ?? (issued.clientSecret === undefined ? now.secretEndsAt : undefined)
  const known = {
    state: 'active',
    metadata,
    secretEndsAt,
    ...sealedManagement(registry, now, issued.management),
  } as const
  const registration = edited('registration', now, { actor }, known)
  const held = await found(store, 'client', { id: now.client })
  const client = changedClient(held, registration, issued, { actor, overlapSeconds })
  const changes: Change[] = [changeOf(now, registration)]
  if (client !== held) changes.push({ kind: 'client', key: { id: held.id }, expect: held.version, value: client })
  await commit(store, changes, [stepOn('registration', registration, step)])
  return { client, registration, clientId: issued.clientId, ...secretOf(issued) }
}

function changedClient(
  held: Client,
  { metadata: { name } }: Registration,
  { stored }: IssuedClient,
  { actor, overlapSeconds }: { readonly actor: string; readonly overlapSeconds: number },
): Client {
  if (name === held.name && stored === undefined) return held
  const secrets =
    stored === undefined ? held.secrets : [...endingSoon(held.secrets, new Date(), overlapSeconds), stored]
  return edited('client', held, { actor }, { name, secrets })
}
