import type { Client, LifecycleStep, StoredSecret } from '../contracts/model.js'
import { checkRecord } from '../contracts/check-record.js'
import { listAll } from '../contracts/every-record.js'
import { commit, type Step } from '../contracts/lifecycle/audit-log.js'
import { edited, firstVersion, stamp, stateFault, stepOn, withoutUndefined } from '../contracts/lifecycle/common.js'
import type { ClientMetadata, Registration } from '../contracts/registration.js'
import type { Change, ContractStore } from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { Sealing } from '../runtime/sealing.js'
import type { ClientProvider, IssuedClient, ManagedClient, Management } from './client-provider.js'

/** What all that is done with registrations works with. */
export interface Registry {
  readonly store: ContractStore
  readonly provider: ClientProvider
  readonly sealing: Sealing | undefined
  readonly mostUnderWay: number
  readonly mostPerOwner: number
  readonly underWaySeconds: number
}

export interface Which {
  /** The internal ID of the client. */
  readonly client: string
  /** Needed where the client has several registrations here. */
  readonly clientId?: string
}

/** The one registration of a client at this provider. */
export async function registrationOf({ store, provider }: Registry, which: Which): Promise<Registration> {
  const all = await listAll(store, { kind: 'registration', client: which.client })
  const fitting = all.filter(
    ({ provider: name, clientId, state }) =>
      name === provider.name && (which.clientId === undefined ? state !== 'registering' : clientId === which.clientId),
  )
  const [first, second] = fitting
  if (first === undefined) {
    const message = `The client has no registration at the provider ${JSON.stringify(provider.name)}.`
    throw new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', message)
  }
  if (second !== undefined) throw stateFault('The client has several registrations there; say which by clientId.')
  if (first.issuer !== provider.issuer) throw stateFault('The registration is at another issuer than the provider is.')
  return first
}

/** Where a token that manages a registration is at home. */
function placeOf({ issuer, id }: Registration): string {
  return `registration/${issuer}/${id}`
}

/** What stands in the record of what manages it. What the issuer does not say again stays. */
export function sealedManagement(
  { sealing }: Registry,
  registration: Registration,
  management: Management | undefined,
): Pick<Registration, 'managementUri' | 'sealedToken'> {
  const { uri, token } = management ?? {}
  if (token !== undefined && sealing === undefined) {
    throw new ClienteleFault(
      'ERR_CLIENTELE_OPTIONS',
      'clientRegistrations(): sealingKeys: needed for the issuer’s token',
    )
  }
  return {
    ...(uri === undefined ? {} : { managementUri: uri }),
    ...(token === undefined || sealing === undefined
      ? {}
      : { sealedToken: sealing.seal(token, placeOf(registration)) }),
  }
}

/** A registration as its provider is told of it. `keep` writes at once: the old token may be good no more. */
export function managed(registry: Registry, registration: Registration, actor: string): ManagedClient {
  const { clientId, metadata, managementUri, sealedToken } = registration
  if (clientId === undefined) throw stateFault('What the issuer calls this client is not known; repair it.')
  const token =
    sealedToken === undefined ? undefined : openedToken(registry.sealing, sealedToken, placeOf(registration))
  return {
    clientId,
    metadata,
    management: { ...(managementUri && { uri: managementUri }), ...(token && { token }) },
    keep: async (management) => {
      const now = await registry.store.find('registration', { id: registration.id })
      if (now === undefined) return
      const after = edited('registration', now, { actor }, sealedManagement(registry, now, management))
      await commit(registry.store, [changeOf(now, after)], [stepOn('registration', after, stepOfState(now))])
    },
  }
}

function openedToken(sealing: Sealing | undefined, sealed: string, place: string): string {
  if (sealing !== undefined) return sealing.open(sealed, place)
  throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'clientRegistrations(): sealingKeys: needed for the stored token')
}

function stepOfState({ state }: Registration): LifecycleStep {
  const steps: Partial<Record<Registration['state'], LifecycleStep>> = {
    updating: 'updateAtProvider',
    rotating: 'rotateAtProvider',
    deleting: 'removeAtProvider',
  }
  return steps[state] ?? 'repairRegistration'
}

export function changeOf(before: Registration | undefined, value: Registration | null): Change {
  const id = (before ?? value)?.id ?? ''
  return { kind: 'registration', key: { id }, expect: before?.version ?? null, value }
}

/** The registration leaves the store; `state` says in the log why. */
export async function drop(
  { store }: Registry,
  registration: Registration,
  step: Omit<Step, 'client'>,
  changes: readonly Change[] = [],
): Promise<void> {
  const { client, issuer, clientId } = registration
  const about = withoutUndefined({ client, issuer, clientId })
  await commit(store, [changeOf(registration, null), ...changes], [{ ...about, ...step }])
}

/** A client and its identity at the issuer. `before`: one that has other identities already. */
export function clientWith(
  { provider }: Registry,
  registration: Registration,
  issued: Pick<IssuedClient, 'clientId' | 'stored'>,
  { actor, before }: { readonly actor: string; readonly before: Client | undefined },
): Client {
  const identity = { issuer: provider.issuer, clientId: issued.clientId }
  const secrets: readonly StoredSecret[] = issued.stored === undefined ? [] : [issued.stored]
  if (before !== undefined) {
    const identities = [...before.identities, identity]
    return edited('client', before, { actor }, { identities, secrets: [...before.secrets, ...secrets] })
  }
  const { client: id, owner, metadata } = registration
  const stamped = stamp({ actor })
  const type = isPublic(metadata) ? 'public' : 'confidential'
  const members = { id, name: metadata.name, owner, type, state: 'active', identities: [identity], secrets }
  const record = { ...members, version: firstVersion(), createdAt: stamped.updatedAt, ...stamped }
  return checkRecord('client', withoutUndefined(record))
}

export function isPublic(metadata: ClientMetadata): boolean {
  return metadata.authMethod === 'none'
}
