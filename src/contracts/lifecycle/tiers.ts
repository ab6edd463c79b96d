import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { checkRecord, parseInput } from '../check-record.js'
import type { Contract, Tier } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { limitInputs, type LimitInput } from '../limit-schemas.js'
import { apiName, longText, tierName } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import {
  commit,
  edited,
  firstVersion,
  found,
  inputShape,
  listAll,
  missing,
  replace,
  requireVersion,
  stamp,
  stateFault,
  withoutUndefined,
  type LifecycleInput,
} from './common.js'
import { contractOutcome, standingOf } from './moves.js'
import { tierAssertion } from './open-tier.js'

export interface DefineTierInput extends LifecycleInput {
  readonly api: string
  readonly name: string
  readonly description?: string
  /** `automatic`: whoever asks is approved at once, unless barred. */
  readonly approval: Tier['approval']
  /** One to twenty, no two of the same algorithm and window. */
  readonly limits: readonly LimitInput[]
}

export interface DefinedTier {
  readonly tier: Tier
  /** Contracts that waited for this tier and were approved because it is automatic now. */
  readonly approved: readonly Contract[]
}

const defineInput = z.strictObject({
  ...inputShape,
  api: apiName,
  name: tierName,
  description: longText.optional(),
  approval: z.enum(['automatic', 'manual']),
  limits: limitInputs,
} satisfies Record<keyof DefineTierInput, z.ZodType>)

type CheckedTier = z.infer<typeof defineInput>

/**
 * Makes or edits a level of service. An edit binds contracts in force at once. A tier that becomes automatic
 * approves what waits for it, except for clients that were rejected or revoked on the API.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_CONFLICT`, and `_NOT_FOUND` for a version of a tier that is not there
 */
export async function defineTier(store: ContractStore, input: DefineTierInput): Promise<DefinedTier> {
  const checked = parseInput('defineTier()', defineInput, input)
  const before = await store.find('tier', { api: checked.api, name: checked.name })
  const tier = before === undefined ? await create(store, checked) : await edit(store, before, checked)
  const approves = tier.approval === 'automatic' && tier.state === 'active'
  return { tier, approved: approves ? await approveWaiting(store, tier, checked) : [] }
}

async function create(store: ContractStore, input: CheckedTier): Promise<Tier> {
  if (input.version !== undefined) throw missing('tier', input)
  const { api, name, description, approval, limits } = input
  const members = { api, name, description, approval, limits, state: 'active', ...stamp(input) }
  const tier = checkRecord('tier', withoutUndefined({ ...members, version: firstVersion() }))
  await commit(store, [{ kind: 'tier', key: { api, name }, expect: null, value: tier }])
  return tier
}

function edit(store: ContractStore, before: Tier, input: CheckedTier): Promise<Tier> {
  requireVersion('tier', before.version, input.version)
  const { description, approval, limits } = input
  return replace(store, 'tier', before, edited('tier', before, input, { description, approval, limits }))
}

/** After the tier's commit: a request that saw the manual tier cannot be written any more, so none is missed. */
async function approveWaiting(store: ContractStore, tier: Tier, input: LifecycleInput): Promise<Contract[]> {
  const contracts = await listAll(store, { kind: 'contract', api: tier.api })
  const approved: Contract[] = []
  for (const contract of contracts) {
    if (!waitsFor(contract, tier)) continue
    const after = await approveOne(store, tier, contract, input)
    if (after !== undefined) approved.push(after)
  }
  return approved
}

function waitsFor(contract: Contract, tier: Tier): boolean {
  if (contract.barred) return false
  const standing = standingOf(contract)
  if (standing === 'pending') return contract.tier === tier.name
  return standing === 'changing' && contract.requestedTier === tier.name
}

async function approveOne(
  store: ContractStore,
  tier: Tier,
  contract: Contract,
  input: LifecycleInput,
): Promise<Contract | undefined> {
  const state = contractOutcome(contract, 'approve')
  const after = edited('contract', contract, input, { state, tier: tier.name, requestedTier: undefined })
  try {
    return await replace(store, 'contract', contract, after, tierAssertion(tier))
  } catch (error) {
    // Somebody decided on this contract, or edited the tier again, in the meantime: theirs is the newer word.
    if (error instanceof ClienteleFault && error.code === 'ERR_CLIENTELE_CONFLICT') return undefined
    throw error
  }
}

export interface TierInput extends LifecycleInput {
  readonly api: string
  readonly name: string
}

const tierInput = z.strictObject({ ...inputShape, api: apiName, name: tierName } satisfies Shape<TierInput>)

/**
 * Closes a tier to new contracts; those that have it keep it.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function deprecateTier(store: ContractStore, input: TierInput): Promise<Tier> {
  const checked = parseInput('deprecateTier()', tierInput, input)
  const before = await found(store, 'tier', { api: checked.api, name: checked.name }, checked.version)
  if (before.state === 'deprecated') throw stateFault('A tier that is deprecated cannot be deprecated again.')
  return replace(store, 'tier', before, edited('tier', before, checked, { state: 'deprecated' }))
}
