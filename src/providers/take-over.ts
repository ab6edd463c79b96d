import { checkRecord } from '../contracts/check-record.js'
import { randomId } from '../contracts/lifecycle/clients.js'
import { firstVersion, stamp, withoutUndefined } from '../contracts/lifecycle/common.js'
import { stateFault } from '../contracts/lifecycle/common.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { Registration } from '../contracts/registration.js'
import { adopt, type Adopted } from './adopt.js'
import type { Management } from './client-provider.js'
import { sealedManagement, type Registry } from './registry.js'

export interface Importing {
  readonly actor: string
  /** As the issuer calls it. */
  readonly clientId: string
  /** Needed where the issuer does not say it. */
  readonly name?: string
  readonly owner?: string
  /** Where the issuer does not say it. @default 'confidential' */
  readonly type?: 'confidential' | 'public'
  /** What manages it, where it was registered by RFC 7591 elsewhere. Is sealed. */
  readonly management?: Management
}

/** Makes a client known that was made by hand at the issuer, so that it can have contracts. Its secret stays there. */
export async function takeOver(registry: Registry, input: Importing): Promise<Adopted> {
  const { provider } = registry
  const { actor, clientId, management = {} } = input
  let latest = management
  const keep = (given: Management): Promise<void> => {
    latest = { ...latest, ...given }
    return Promise.resolve()
  }
  const issued = await provider.import({ clientId, metadata: { name: input.name ?? clientId }, management, keep })
  if (issued.clientId !== clientId)
    throw stateFault('The issuer answers with another client ID than it was asked about.')
  const { name = input.name, ...metadata } = issued.metadata ?? {}
  if (name === undefined) {
    throw new ClienteleFault('ERR_CLIENTELE_INVALID', 'import(): name: the issuer does not say it; pass one')
  }
  const isPublic = metadata.authMethod === undefined && input.type === 'public'
  const wanted = { ...metadata, name, ...(isPublic && { authMethod: 'none' as const }) }
  const registration = newRegistration(registry, input, wanted)
  const sealed = { ...registration, ...sealedManagement(registry, registration, { ...latest, ...issued.management }) }
  // Its secret is the business of whoever made it.
  return adopt(registry, sealed, withoutSecret(issued), actor, { isNew: true, step: 'importFromProvider' })
}

function withoutSecret<T extends { readonly clientSecret?: string }>(issued: T): Omit<T, 'clientSecret'> {
  const { clientSecret: _unseen, ...rest } = issued
  return rest
}

function newRegistration(
  { provider }: Registry,
  { actor, owner }: Importing,
  metadata: Registration['metadata'],
): Registration {
  const stamped = stamp({ actor })
  const at = { provider: provider.name, issuer: provider.issuer, state: 'active' }
  const members = {
    id: randomId(),
    client: randomId(),
    owner,
    metadata,
    ...at,
    createdAt: stamped.updatedAt,
    ...stamped,
  }
  return checkRecord('registration', withoutUndefined({ ...members, version: firstVersion() }))
}
