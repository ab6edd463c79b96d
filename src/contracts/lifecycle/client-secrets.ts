import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { parseInput } from '../check-record.js'
import type { Client, StoredSecret } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { id } from '../schema-words.js'
import { generateSecret } from '../secrets.js'
import type { ContractStore } from '../store.js'
import { edited, found, inputShape, replace, stateFault, type LifecycleInput } from './common.js'

export interface RotateSecretInput extends LifecycleInput {
  readonly client: string
  /** How long the old secrets stay good beside the new one. 0: they end at once. */
  readonly overlapSeconds: number
}

export interface RotatedSecret {
  readonly client: Client
  /** The new secret. It is not stored and cannot be shown again. */
  readonly clientSecret: string
}

const maximumOverlapSeconds = 366 * 86_400

const rotateInput = z.strictObject({
  ...inputShape,
  client: id,
  overlapSeconds: z.number().min(0).max(maximumOverlapSeconds),
} satisfies Shape<RotateSecretInput>)

/**
 * Gives a client a new generated secret, and the old ones an end.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, and `_STATE` for a public client
 */
export async function rotateSecret(store: ContractStore, input: RotateSecretInput): Promise<RotatedSecret> {
  const checked = parseInput('rotateSecret()', rotateInput, input)
  const before = await found(store, 'client', { id: checked.client }, checked.version)
  if (before.type === 'public') throw stateFault('A public client has no secret to rotate.')
  const now = new Date()
  const fresh = generateSecret(now)
  const kept = endingSoon(before.secrets, now, checked.overlapSeconds)
  const client = edited('client', before, checked, { secrets: [...kept, fresh.stored] })
  const details = { secret: fresh.stored.id }
  return {
    client: await replace(store, 'client', before, client, { step: 'rotateSecret', details }),
    clientSecret: fresh.text,
  }
}

/** The secrets that are still good, none for longer than the overlap; a hash that is good for nothing is not kept. */
export function endingSoon(secrets: readonly StoredSecret[], now: Date, overlapSeconds: number): StoredSecret[] {
  if (overlapSeconds === 0) return []
  const end = new Date(now.getTime() + overlapSeconds * 1000).toISOString()
  return secrets
    .filter((secret) => secret.endsAt === undefined || Date.parse(secret.endsAt) > now.getTime())
    .map((secret) => (isBefore(secret.endsAt, end) ? secret : { ...secret, endsAt: end }))
}

function isBefore(endsAt: string | undefined, end: string): boolean {
  return endsAt !== undefined && Date.parse(endsAt) <= Date.parse(end)
}

export interface EndSecretInput extends LifecycleInput {
  readonly client: string
  /** The `id` of the secret in the client's record. */
  readonly secret: string
}

const endInput = z.strictObject({ ...inputShape, client: id, secret: id } satisfies Shape<EndSecretInput>)

/**
 * Ends one secret at once: its hash leaves the record, so that no clock has a say in it.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND` for the client or the secret, `_CONFLICT`
 */
export async function endSecret(store: ContractStore, input: EndSecretInput): Promise<Client> {
  const checked = parseInput('endSecret()', endInput, input)
  const before = await found(store, 'client', { id: checked.client }, checked.version)
  const secrets = before.secrets.filter((secret) => secret.id !== checked.secret)
  if (secrets.length === before.secrets.length) {
    throw new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', 'The client has no such secret.')
  }
  const details = { secret: checked.secret }
  return replace(store, 'client', before, edited('client', before, checked, { secrets }), {
    step: 'endSecret',
    details,
  })
}
