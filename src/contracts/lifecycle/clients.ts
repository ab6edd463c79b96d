import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { checkRecord, parseInput } from '../check-record.js'
import { localIssuer, type Client, type StoredSecret } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { freeText, id } from '../schema-words.js'
import { generateSecret, secretForm, storeChosenSecret } from '../secrets.js'
import type { Change, ContractStore } from '../store.js'
import { commit } from './audit-log.js'
import { firstVersion, inputShape, stamp, stateFault, stepOn, withoutUndefined, type LifecycleInput } from './common.js'

export interface RegisterClientInput extends Omit<LifecycleInput, 'version'> {
  readonly name: string
  readonly owner?: string
  /** @default 'confidential' */
  readonly type?: Client['type']
  /** A chosen client ID; left out, one is made of 128 random bits. */
  readonly clientId?: string
  /** A chosen or imported secret; left out, one of 256 random bits is made. A public client has none. */
  readonly clientSecret?: string
}

export interface RegisteredClient {
  readonly client: Client
  readonly clientId: string
  /** The generated secret. It is not stored and cannot be shown again. */
  readonly clientSecret?: string
}

const maximumSecretLength = 1024

const registerInput = z.strictObject({
  actor: inputShape.actor,
  name: freeText,
  owner: freeText.optional(),
  type: z.enum(['confidential', 'public']).optional(),
  clientId: id.optional(),
  clientSecret: z.string().min(1).max(maximumSecretLength).optional(),
} satisfies Shape<RegisterClientInput>)

/**
 * Makes a client application known, under a client ID of the local issuer. The generated secret is in the answer
 * and nowhere else.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_STATE` for an ID that is or was in use, `_CONFLICT` where somebody
 * else takes the ID at the same moment
 */
export async function registerClient(
  store: ContractStore,
  input: RegisterClientInput & { readonly type?: 'confidential'; readonly clientSecret?: undefined },
): Promise<Required<RegisteredClient>>
export async function registerClient(store: ContractStore, input: RegisterClientInput): Promise<RegisteredClient>
export async function registerClient(store: ContractStore, input: RegisterClientInput): Promise<RegisteredClient> {
  const { actor, name, owner, type = 'confidential', ...given } = parseInput('registerClient()', registerInput, input)
  const now = new Date()
  const secret = await newSecret(type, given.clientSecret, now)
  const clientId = given.clientId ?? randomId()
  const client = checkRecord(
    'client',
    withoutUndefined({
      id: randomId(),
      version: firstVersion(),
      name,
      owner,
      type,
      state: 'active',
      identities: [{ issuer: localIssuer, clientId }],
      secrets: secret.stored,
      createdAt: now.toISOString(),
      ...stamp({ actor }),
    }),
  )
  await commitNew(store, client, clientId)
  return secret.text === undefined ? { client, clientId } : { client, clientId, clientSecret: secret.text }
}

/** 128 random bits in characters that need no escape in a key, a URL or a header. */
export function randomId(): string {
  return randomBytes(16).toString('hex')
}

async function newSecret(
  type: Client['type'],
  chosen: string | undefined,
  now: Date,
): Promise<{ stored: StoredSecret[]; text?: string }> {
  if (chosen !== undefined) {
    refuseChosen(type, chosen)
    return { stored: [await storeChosenSecret(chosen, now)] }
  }
  if (type === 'public') return { stored: [] }
  const { text, stored } = generateSecret(now)
  return { stored: [stored], text }
}

function refuseChosen(type: Client['type'], chosen: string): void {
  if (type === 'public') throw invalid('clientSecret: a public client has no secret; leave it out')
  if (secretForm(chosen) !== 'other') {
    throw invalid('clientSecret: begins like a generated secret; choose another, or leave it out to have one made')
  }
}

function invalid(message: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_INVALID', `registerClient(): ${message}`)
}

async function commitNew(store: ContractStore, client: Client, clientId: string): Promise<void> {
  const key = { issuer: localIssuer, clientId }
  const link = await store.find('identity', key)
  if (link !== undefined) {
    const remedy = 'choose another, or link it to a client with linkIdentity() and reuse: true'
    throw stateFault(
      link.client === null
        ? `The client ID belonged to a removed client; ${remedy}.`
        : 'The client ID is taken; choose another.',
    )
  }
  const changes: Change[] = [
    { kind: 'client', key: { id: client.id }, expect: null, value: client },
    { kind: 'identity', key, expect: null, value: { ...key, version: firstVersion(), client: client.id } },
  ]
  await commit(store, changes, [{ ...stepOn('client', client, 'registerClient'), ...key }])
}
