import { randomId } from '../contracts/lifecycle/clients.js'
import { commit, commitDecided } from '../contracts/lifecycle/audit-log.js'
import { firstVersion, stamp, stateFault, stepOn, withoutUndefined } from '../contracts/lifecycle/common.js'
import { checkRecord } from '../contracts/check-record.js'
import { everyRecord } from '../contracts/every-record.js'
import type { Client } from '../contracts/model.js'
import type { ClientMetadata, Registration } from '../contracts/registration.js'
import { adopt, clientIdTaken } from './adopt.js'
import type { IssuedClient } from './client-provider.js'
import { nothingWasDone } from './provider-faults.js'
import { changeOf, drop, managed, sealedManagement, type Registry } from './registry.js'

export interface Wanted {
  readonly actor: string
  readonly owner?: string | undefined
  readonly metadata: ClientMetadata
  /** A registration in whose place this one comes: its client gets one more identity. */
  readonly replaces?: Registration
  /** Leaves that one as it is. */
  readonly keepOld?: boolean
}

export interface Registered {
  readonly client: Client
  readonly registration: Registration
  readonly clientId: string
  /** As the issuer has given it out. It is not stored and cannot be shown again. */
  readonly clientSecret?: string
}

/**
 * Two steps: a record that says what is about to be asked, and one commit of all that came of it. What breaks off in
 * between leaves the first, which is listed and can be repaired.
 */
export async function register(registry: Registry, wanted: Wanted): Promise<Registered> {
  const registration = await begin(registry, wanted)
  const issued = await create(registry, registration, wanted.actor)
  try {
    const endsReplaced = wanted.keepOld !== true
    return { ...(await adopt(registry, registration, issued, wanted.actor, { endsReplaced })), ...secretOf(issued) }
  } catch (error) {
    const client = await committedAfterAll(registry, registration, issued)
    if (client !== undefined) return { ...client, ...secretOf(issued) }
    await takeBack(registry, registration, issued, wanted.actor)
    throw error
  }
}

function begin(registry: Registry, wanted: Wanted): Promise<Registration> {
  const { provider, store } = registry
  const { actor, owner, metadata, replaces } = wanted
  const stamped = stamp({ actor })
  const members = {
    id: randomId(),
    version: firstVersion(),
    provider: provider.name,
    issuer: provider.issuer,
    state: 'registering',
    client: replaces?.client ?? randomId(),
    owner: owner ?? replaces?.owner,
    replaces: replaces?.id,
    metadata,
    createdAt: stamped.updatedAt,
    ...stamped,
  }
  const registration = checkRecord('registration', withoutUndefined(members))
  return commitDecided(store, async () => {
    await refuseFlood(registry, registration)
    return {
      changes: [changeOf(undefined, registration)],
      steps: [stepOn('registration', registration, replaces ? 'rotateAtProvider' : 'registerAtProvider')],
      result: registration,
    }
  })
}

/** Counted within the commit that adds one, so that no two come through the same gap. */
async function refuseFlood({ store, mostUnderWay, mostPerOwner }: Registry, { owner }: Registration): Promise<void> {
  let [underWay, ofOwner] = [0, 0]
  for await (const each of everyRecord<'registration'>(store, { kind: 'registration' })) {
    if (each.state === 'registering') underWay++
    if (owner !== undefined && each.owner === owner) ofOwner++
  }
  if (underWay >= mostUnderWay) {
    const most = String(mostUnderWay)
    throw stateFault(`${most} registrations are under way or broken off; wait, or repair those that are unfinished().`)
  }
  if (ofOwner >= mostPerOwner) {
    throw stateFault(`The owner has ${String(mostPerOwner)} registrations already; remove one, or raise mostPerOwner.`)
  }
}

async function create(registry: Registry, registration: Registration, actor: string): Promise<IssuedClient> {
  const { id, metadata, replaces } = registration
  try {
    return await registry.provider.create({ metadata, marker: id })
  } catch (error) {
    if (nothingWasDone(error)) {
      const step = replaces === undefined ? 'registerAtProvider' : 'rotateAtProvider'
      // Where the store is away too, the record stays, and the issuer's refusal is what is worth knowing.
      await drop(registry, registration, { step, actor, state: 'refused' }).catch(() => undefined)
    }
    throw error
  }
}

/** A commit that failed may have been carried out: a store that died before it said so. */
async function committedAfterAll(
  { store }: Registry,
  { id, client: internal }: Registration,
  { clientId }: IssuedClient,
): Promise<Omit<Registered, 'clientSecret'> | undefined> {
  const registration = await store.find('registration', { id })
  if (registration?.state !== 'active' || registration.clientId !== clientId) return undefined
  const client = await store.find('client', { id: internal })
  return client && { client, registration, clientId }
}

/**
 * Takes the client away from the issuer again, where the store could not keep it. One that this store knows otherwise
 * is not touched: an issuer that gives out an ID twice must not make us delete the first.
 */
async function takeBack(
  registry: Registry,
  registration: Registration,
  issued: IssuedClient,
  actor: string,
): Promise<void> {
  const { id, replaces } = registration
  const step = replaces === undefined ? 'registerAtProvider' : 'rotateAtProvider'
  const present = await asStored(registry, id).catch(() => undefined)
  try {
    if (await clientIdTaken(registry, issued.clientId)) return
    const known = {
      ...registration,
      clientId: issued.clientId,
      ...sealedManagement(registry, registration, issued.management),
    }
    await registry.provider.delete(managed(registry, known, actor))
  } catch {
    await noteIssued(registry, present, issued, actor).catch(() => undefined)
    return
  }
  if (present !== undefined) await drop(registry, present, { step, actor, state: 'taken back' }).catch(() => undefined)
}

async function asStored({ store }: Registry, id: string): Promise<Registration | undefined> {
  return store.find('registration', { id })
}

/** For whoever repairs it: what the issuer calls the client, and what manages it. */
async function noteIssued(
  registry: Registry,
  present: Registration | undefined,
  { clientId, management }: IssuedClient,
  actor: string,
): Promise<void> {
  if (present === undefined) return
  const noted = { ...present, clientId, ...sealedManagement(registry, present, management) }
  const after = checkRecord('registration', { ...noted, version: present.version + 1, ...stamp({ actor }) })
  await commit(registry.store, [changeOf(present, after)], [stepOn('registration', after, 'registerAtProvider')])
}

export function secretOf({ clientSecret }: IssuedClient): { readonly clientSecret?: string } {
  return clientSecret === undefined ? {} : { clientSecret }
}
