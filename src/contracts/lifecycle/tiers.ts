import { z } from 'zod'
import { checkRecord, parseInput } from '../check-record.js'
import type { Contract, Tier } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { limitInputs, type LimitInput } from '../limit-schemas.js'
import { apiName, longText, tierName } from '../schema-words.js'
import { keyOf } from '../keys.js'
import type { Change, ContractStore } from '../store.js'
import { listAll } from '../every-record.js'
import { approvedAtOnce } from './at-once.js'
import { commit, commitDecided, isConflict } from './audit-log.js'
import {
  edited,
  firstVersion,
  found,
  inputShape,
  missing,
  replace,
  requireVersion,
  stamp,
  stateFault,
  stepOn,
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
  /** How many contracts of one owner an automatic tier approves at once. Left out: any number. */
  readonly automaticPerOwner?: number
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
  automaticPerOwner: z.int().min(1).optional(),
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
  const { actor: _actor, version: _version, ...said } = input
  const members = { ...said, state: 'active', ...stamp(input) }
  const tier = checkRecord('tier', withoutUndefined({ ...members, version: firstVersion() }))
  const change = { kind: 'tier', key: { api: tier.api, name: tier.name }, expect: null, value: tier } as const
  await commit(store, [change], [stepOn('tier', tier, 'defineTier')])
  return tier
}

function edit(store: ContractStore, before: Tier, input: CheckedTier): Promise<Tier> {
  requireVersion('tier', before.version, input.version)
  const { description, approval, automaticPerOwner, limits } = input
  const after = edited('tier', before, input, { description, approval, automaticPerOwner, limits })
  return replace(store, 'tier', before, after, { step: 'defineTier' })
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
  const granted = { state, tier: tier.name, requestedTier: undefined, requestedBy: undefined }
  const after = edited('contract', contract, input, granted)
  const change: Change = { kind: 'contract', key: keyOf('contract', after), expect: contract.version, value: after }
  const client = await store.find('client', { id: contract.client })
  if (client === undefined) return undefined
  try {
    return await commitDecided(store, async () => {
      const atOnce = await approvedAtOnce(store, { client, before: contract, tier })
      if (!atOnce) return { changes: [], steps: [], result: undefined }
      const steps = [stepOn('contract', after, 'approveContract')]
      return { changes: [change, ...tierAssertion(tier)], steps, result: after }
    })
  } catch (error) {
    // Somebody decided on this contract, or edited the tier again, in the meantime: theirs is the newer word.
    if (isConflict(error)) return undefined
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
  const after = edited('tier', before, checked, { state: 'deprecated' })
  return replace(store, 'tier', before, after, { step: 'deprecateTier' })
}
