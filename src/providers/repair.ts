import { found, stateFault } from '../contracts/lifecycle/common.js'
import { listAll } from '../contracts/every-record.js'
import type { Registration } from '../contracts/registration.js'
import { adopt, clientIdTaken } from './adopt.js'
import { finish } from './change.js'
import type { IssuedClient } from './client-provider.js'
import { drop, managed, sealedManagement, type Registry } from './registry.js'
import { removeRegistration } from './remove.js'

export interface Repairing {
  readonly actor: string
  /** The ID of the registration. */
  readonly registration: string
  /**
   * Of one that broke off while registering: `discard` takes away from the issuer what was made there, `adopt` keeps it;
   * its secret was not seen by anybody, so rotate it then. @default 'discard'
   */
  readonly outcome?: 'discard' | 'adopt'
  /** What the issuer calls the client, where somebody has looked and nothing here knows it. */
  readonly clientId?: string
  /** Somebody has looked: the issuer has no such client. */
  readonly gone?: boolean
}

const unfinishedStates = ['registering', 'updating', 'rotating', 'deleting'] as const

/** Everything that is not as it should be, or is under way at this moment. */
export async function unfinished({ store, provider }: Registry): Promise<readonly Registration[]> {
  const lists = unfinishedStates.map((state) => listAll(store, { kind: 'registration', state }))
  return (await Promise.all(lists)).flat().filter((each) => each.provider === provider.name)
}

/** Brings a registration that broke off to an end; `undefined` where nothing is left of it. */
export async function repair(registry: Registry, input: Repairing): Promise<Registration | undefined> {
  const registration = await found(registry.store, 'registration', { id: input.registration })
  if (registration.provider !== registry.provider.name) throw stateFault('The registration is at another provider.')
  if (registration.state === 'active') return registration
  refuseUnderWay(registration, registry.underWaySeconds)
  const { actor, gone = false } = input
  if (registration.state === 'deleting') {
    await removeRegistration(registry, registration, { actor, atIssuer: gone ? 'leave' : 'delete' })
    return undefined
  }
  if (registration.state === 'registering') return repairRegistering(registry, registration, input)
  const issued = await registry.provider.import(managed(registry, registration, actor))
  const name = issued.metadata?.name ?? registration.metadata.name
  const metadata = { ...registration.metadata, ...issued.metadata, name }
  // A secret that the issuer shows again is nobody's business here.
  const { clientSecret: _unseen, ...rest } = issued
  return (await finish(registry, registration, rest, { metadata, actor, step: 'repairRegistration' })).registration
}

/** Whoever is at it in another process has not ended yet, or has ended for good. */
function refuseUnderWay({ updatedAt }: Registration, underWaySeconds: number): void {
  const leftMs = Date.parse(updatedAt) + underWaySeconds * 1000 - Date.now()
  if (leftMs <= 0) return
  throw stateFault(`It may be under way in another process; repair it in ${String(Math.ceil(leftMs / 1000))} seconds.`)
}

async function repairRegistering(
  registry: Registry,
  registration: Registration,
  input: Repairing,
): Promise<Registration | undefined> {
  const { actor, gone = false, outcome = 'discard' } = input
  const step = 'repairRegistration'
  const dropAs = async (state: string): Promise<undefined> => {
    await drop(registry, registration, { step, actor, state })
    return undefined
  }
  if (gone) return dropAs('gone')
  const issued = await located(registry, registration, input.clientId)
  if (issued === undefined) return dropAs('never made')
  const { clientId, management } = issued
  const known = { ...registration, clientId, ...sealedManagement(registry, registration, management) }
  if (outcome === 'adopt') return (await adopt(registry, registration, issued, actor, { step })).registration
  if (await clientIdTaken(registry, clientId)) {
    throw stateFault('That client ID is, or was, that of another client here, and is left alone; pass gone: true.')
  }
  await registry.provider.delete(managed(registry, known, actor))
  return dropAs('discarded')
}

/** What became of it at the issuer; `undefined`: nothing, as the issuer says itself. */
async function located(
  { provider }: Registry,
  { id, clientId, metadata, createdAt }: Registration,
  said: string | undefined,
): Promise<IssuedClient | undefined> {
  const known = clientId ?? said
  if (known !== undefined) return { clientId: known }
  if (provider.find !== undefined) return provider.find(id)
  throw stateFault(
    `This issuer does not tell whether it has made the client. Look there for ${JSON.stringify(metadata.name)} of ${createdAt}, and pass its clientId, or gone: true.`,
  )
}
