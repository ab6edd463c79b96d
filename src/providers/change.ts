import { commit } from '../contracts/lifecycle/audit-log.js'
import { endingSoon } from '../contracts/lifecycle/client-secrets.js'
import { edited, found, stateFault, stepOn } from '../contracts/lifecycle/common.js'
import type { Client, LifecycleStep } from '../contracts/model.js'
import type { ClientMetadata, Registration } from '../contracts/registration.js'
import type { Change } from '../contracts/store.js'
import type { IssuedClient } from './client-provider.js'
import { register, secretOf, type Registered } from './register.js'
import { changeOf, isPublic, managed, registrationOf, sealedManagement, type Registry, type Which } from './registry.js'
import { removeRegistration } from './remove.js'
import { asked, asMarked, settled } from './under-way.js'

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
  const { issued, marked } = await asked(registry, before, { state: 'updating', step: 'updateAtProvider', actor }, work)
  return finish(registry, marked, issued, { metadata, actor, step: 'updateAtProvider' })
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
    const { issued, marked } = await asked(
      registry,
      before,
      { state: 'rotating', step: 'rotateAtProvider', actor },
      work,
    )
    return finish(registry, marked, issued, { actor, step: 'rotateAtProvider', overlapSeconds })
  }
  const registered = await register(registry, { actor, metadata: before.metadata, replaces: before, keepOld })
  return { ...registered, old: await withoutOld(registry, before, { actor, keepOld }) }
}

/** Refused here since the new one is known. The new secret has to reach whoever asked, whatever the issuer does now. */
async function withoutOld(
  registry: Registry,
  { id }: Registration,
  { actor, keepOld }: { readonly actor: string; readonly keepOld: boolean },
): Promise<'removed' | 'kept' | 'unfinished'> {
  if (keepOld) return 'kept'
  try {
    const ending = await registry.store.find('registration', { id })
    // Gone: somebody who repairs has been faster.
    if (ending !== undefined) await removeRegistration(registry, ending, { actor, atIssuer: 'delete' })
    return 'removed'
  } catch {
    return 'unfinished'
  }
}

interface Finish {
  readonly metadata?: ClientMetadata
  readonly actor: string
  readonly step: LifecycleStep
  readonly overlapSeconds?: number
}

/** `marked`: the registration as it was when the issuer was asked. */
export async function finish(
  registry: Registry,
  marked: Registration,
  issued: IssuedClient,
  { metadata = marked.metadata, actor, step, overlapSeconds = 0 }: Finish,
): Promise<Registered> {
  const { store } = registry
  const now = await asMarked(store, marked)
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
