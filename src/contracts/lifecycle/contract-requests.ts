import { z } from 'zod'
import { checkRecord, parseInput } from '../check-record.js'
import type { Client, Contract, Tier } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { apiName, id, longText, tierName } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import {
  commit,
  edited,
  firstVersion,
  found,
  inputShape,
  replace,
  requireVersion,
  stamp,
  stateFault,
  withoutUndefined,
  type LifecycleInput,
} from './common.js'
import { contractOutcome } from './moves.js'
import { openTier, tierAssertion } from './open-tier.js'

export interface RequestContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  /** Required where the API has tiers. */
  readonly tier?: string
  readonly reason?: string
}

const requestInput = z.strictObject({
  ...inputShape,
  client: id,
  api: apiName,
  tier: tierName.optional(),
  reason: longText.optional(),
} satisfies Shape<RequestContractInput>)

/**
 * Asks for access to an API. Approved at once without a tier or with an automatic one, otherwise pending; asking
 * again while pending changes the request. A client that was rejected or revoked here always waits for a person.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function requestContract(store: ContractStore, input: RequestContractInput): Promise<Contract> {
  const checked = parseInput('requestContract()', requestInput, input)
  const client = await found(store, 'client', { id: checked.client })
  if (client.state === 'disabled') throw stateFault('A client that is disabled cannot request a contract.')
  const key = { client: checked.client, api: checked.api }
  const before = await store.find('contract', key)
  if (before !== undefined) requireVersion('contract', before.version, checked.version)
  const outcome = contractOutcome(before, 'request')
  const tier = await openTier(store, checked.api, checked.tier)
  const state = outcome === 'decided by tier' ? byTier(tier, before) : 'pending'
  const contract = requested(before, checked, state)
  await commit(store, [
    { kind: 'contract', key, expect: before?.version ?? null, value: contract },
    clientAssertion(client),
    ...tierAssertion(tier),
  ])
  return contract
}

function byTier(tier: Tier | undefined, before: Contract | undefined): 'approved' | 'pending' {
  return before?.barred !== true && tier?.approval !== 'manual' ? 'approved' : 'pending'
}

function requested(before: Contract | undefined, input: RequestContractInput, state: Contract['state']): Contract {
  const { client, api, tier, reason } = input
  if (before !== undefined) {
    const barred = before.barred || before.state !== 'pending'
    return edited('contract', before, input, { state, tier, reason, barred })
  }
  const stamped = stamp(input)
  const members = { client, api, tier, reason, state, barred: false, createdAt: stamped.updatedAt, ...stamped }
  return checkRecord('contract', withoutUndefined({ ...members, version: firstVersion() }))
}

function clientAssertion(client: Client): Change {
  return { kind: 'client', key: { id: client.id }, expect: client.version }
}

export interface ChangeTierInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  readonly tier: string
}

const changeInput = z.strictObject({
  ...inputShape,
  client: id,
  api: apiName,
  tier: tierName,
} satisfies Shape<ChangeTierInput>)

/**
 * Asks for another tier under an approved contract. An automatic tier is in force at once; until a manual one is
 * approved, the old one stays. Asking for the tier in force takes back what was asked before.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function changeTier(store: ContractStore, input: ChangeTierInput): Promise<Contract> {
  const checked = parseInput('changeTier()', changeInput, input)
  const before = await found(store, 'contract', { client: checked.client, api: checked.api }, checked.version)
  contractOutcome(before, 'changeTier')
  if (checked.tier === before.tier) {
    return replace(store, 'contract', before, edited('contract', before, checked, { requestedTier: undefined }))
  }
  const tier = await openTier(store, checked.api, checked.tier)
  const change =
    byTier(tier, before) === 'approved'
      ? { tier: checked.tier, requestedTier: undefined }
      : { requestedTier: checked.tier }
  return replace(store, 'contract', before, edited('contract', before, checked, change), tierAssertion(tier))
}
