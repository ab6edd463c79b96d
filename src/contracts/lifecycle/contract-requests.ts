import { z } from 'zod'
import { checkRecord, parseInput } from '../check-record.js'
import type { Client, Contract } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { apiName, id, longText, tierName } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { approvedAtOnce } from './at-once.js'
import { commitDecided } from './audit-log.js'
import {
  edited,
  firstVersion,
  found,
  inputShape,
  replace,
  requireVersion,
  stamp,
  stateFault,
  stepOn,
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
  return commitDecided(store, async () => {
    const atOnce = outcome === 'decided by tier' && (await approvedAtOnce(store, { client, before, tier }))
    const contract = requested(before, checked, atOnce ? 'approved' : 'pending')
    const change: Change = { kind: 'contract', key, expect: before?.version ?? null, value: contract }
    return {
      changes: [change, clientAssertion(client), ...tierAssertion(tier)],
      steps: [stepOn('contract', contract, 'requestContract')],
      result: contract,
    }
  })
}

function requested(before: Contract | undefined, input: RequestContractInput, state: 'approved' | 'pending'): Contract {
  const { client, api, tier, reason } = input
  const requestedBy = state === 'pending' ? input.actor : undefined
  if (before !== undefined) {
    const barred = before.barred || before.state !== 'pending'
    return edited('contract', before, input, { state, tier, reason, requestedBy, barred })
  }
  const stamped = stamp(input)
  const asked = { client, api, tier, reason, requestedBy }
  const members = { ...asked, state, barred: false, createdAt: stamped.updatedAt, ...stamped }
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
  const step = 'changeTier'
  if (checked.tier === before.tier) {
    const after = edited('contract', before, checked, { requestedTier: undefined, requestedBy: undefined })
    return replace(store, 'contract', before, after, { step })
  }
  const client = await found(store, 'client', { id: checked.client })
  const tier = await openTier(store, checked.api, checked.tier)
  return commitDecided(store, async () => {
    const atOnce = await approvedAtOnce(store, { client, before, tier })
    const contract = edited('contract', before, checked, atOnce ? inForce(checked) : waiting(checked))
    const key = { client: contract.client, api: contract.api }
    return {
      changes: [{ kind: 'contract', key, expect: before.version, value: contract }, ...tierAssertion(tier)],
      steps: [stepOn('contract', contract, step)],
      result: contract,
    }
  })
}

function inForce({ tier }: ChangeTierInput): Partial<Contract> {
  return { tier, requestedTier: undefined, requestedBy: undefined }
}

function waiting({ tier, actor }: ChangeTierInput): Partial<Contract> {
  return { requestedTier: tier, requestedBy: actor }
}
