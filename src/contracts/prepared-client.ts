import type { AdmittedClient } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { Client, Identity } from './model.js'
import { prepareSecrets, type PreparedSecrets } from './secrets.js'

/** A client as the warm path needs it: its secrets decoded, and its public face ready for each identity. */
export interface PreparedClient {
  readonly record: Client
  readonly secrets: PreparedSecrets
  /** What a handler may see of it when it calls under this identity. The same object each time. */
  admitted(identity: Identity): AdmittedClient
}

export function prepareClient(record: Client): PreparedClient {
  const faces = record.identities.map((identity) => faceOf(record, identity))
  return Object.freeze({
    record,
    secrets: prepareSecrets(record),
    admitted(identity: Identity): AdmittedClient {
      const face = faces.find((one) => isSame(one.identity, identity))
      if (face !== undefined) return face
      throw new ClienteleFault(
        'ERR_CLIENTELE_INVALID',
        'The client does not hold the identity it is to be admitted by.',
      )
    },
  })
}

export function holds(client: Client, identity: Identity): boolean {
  for (const one of client.identities) if (isSame(one, identity)) return true
  return false
}

function isSame(one: Identity, other: Identity): boolean {
  return one.clientId === other.clientId && one.issuer === other.issuer
}

function faceOf(client: Client, identity: Identity): AdmittedClient {
  const { id, name, owner, type } = client
  return Object.freeze({ id, name, ...(owner === undefined ? {} : { owner }), type, identity })
}
