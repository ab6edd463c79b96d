import { z } from 'zod'
import { checkRecord, parseInput } from '../check-record.js'
import type { Client, Contract, IdentityLink } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { id, issuer } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { commit } from './audit-log.js'
import { edited, firstVersion, found, inputShape, stamp, stateFault, stepOn, type LifecycleInput } from './common.js'

export interface LinkIdentityInput extends LifecycleInput {
  readonly client: string
  readonly issuer: string
  readonly clientId: string
  /** Needed for an identity whose former client was removed: what that client was barred from, this one is too. */
  readonly reuse?: boolean
}

const linkInput = z.strictObject({
  ...inputShape,
  client: id,
  issuer,
  clientId: id,
  reuse: z.boolean().optional(),
} satisfies Shape<LinkIdentityInput>)

/**
 * Lets a client be known under one more (issuer, client ID) pair. Nothing else ever makes that link.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function linkIdentity(store: ContractStore, input: LinkIdentityInput): Promise<Client> {
  const checked = parseInput('linkIdentity()', linkInput, input)
  const identity = { issuer: checked.issuer, clientId: checked.clientId }
  const before = await found(store, 'client', { id: checked.client }, checked.version)
  const link = await store.find('identity', identity)
  refuseTaken(link, checked)
  const client = edited('client', before, checked, { identities: [...before.identities, identity] })
  const version = link === undefined ? firstVersion() : link.version + 1
  const bars = (link?.barredApis ?? []).map((api) => barOn(store, api, checked))
  const changes: Change[] = [
    { kind: 'client', key: { id: client.id }, expect: before.version, value: client },
    {
      kind: 'identity',
      key: identity,
      expect: link?.version ?? null,
      value: { ...identity, version, client: client.id },
    },
    ...(await Promise.all(bars)),
  ]
  await commit(store, changes, [{ ...stepOn('client', client, 'linkIdentity'), ...identity }])
  return client
}

function refuseTaken(link: IdentityLink | undefined, input: LinkIdentityInput): void {
  if (link === undefined) return
  if (link.client === input.client) throw stateFault('The client holds this identity already.')
  if (link.client !== null) throw stateFault('The identity is held by another client.')
  if (input.reuse !== true) {
    throw stateFault('The identity belonged to a removed client; pass reuse: true to give it to this one.')
  }
}

async function barOn(store: ContractStore, api: string, input: LinkIdentityInput): Promise<Change> {
  const key = { client: input.client, api }
  const before = await store.find('contract', key)
  if (before?.state === 'approved') {
    throw stateFault(
      `The identity was barred from ${api}, where this client has an approved contract; revoke that first.`,
    )
  }
  const value =
    before === undefined
      ? barredContract(key, input)
      : edited('contract', before, input, { state: 'revoked', barred: true })
  return { kind: 'contract', key, expect: before?.version ?? null, value }
}

function barredContract(key: { client: string; api: string }, input: LinkIdentityInput): Contract {
  const stamped = stamp(input)
  const reason = 'The former holder of a linked identity was barred.'
  const members = { state: 'revoked', barred: true, reason, createdAt: stamped.updatedAt, ...stamped }
  return checkRecord('contract', { ...key, version: firstVersion(), ...members })
}
