import { z } from 'zod'
import { parseInput } from '../check-record.js'
import { limitInputs, type LimitInput } from '../limit-schemas.js'
import type { Contract } from '../model.js'
import { apiName, id } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import { edited, found, inputShape, replace, stateFault, type LifecycleInput } from './common.js'

export interface OverrideLimitsInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  /** In place of all limits of the tier; `null` puts those back in force. */
  readonly limits: readonly LimitInput[] | null
}

const overrideInput = z.strictObject({
  ...inputShape,
  client: id,
  api: apiName,
  limits: limitInputs.nullable(),
} satisfies Record<keyof OverrideLimitsInput, z.ZodType>)

/**
 * Gives one contract limits of its own, wider or tighter than those of its tier. They are in force at once and stay,
 * also under another tier, until an actor takes them back: a client that may change its tier by itself must not get
 * rid of them that way. What was charged stays charged in limits of the same algorithm and window.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, and `_STATE` for a contract without a tier
 */
export async function overrideLimits(store: ContractStore, input: OverrideLimitsInput): Promise<Contract> {
  const checked = parseInput('overrideLimits()', overrideInput, input)
  const before = await found(store, 'contract', { client: checked.client, api: checked.api }, checked.version)
  if (before.tier === undefined) {
    throw stateFault('The contract has no tier whose limits could be replaced; give it one with changeTier().')
  }
  return replace(
    store,
    'contract',
    before,
    edited('contract', before, checked, { limits: checked.limits ?? undefined }),
    { step: 'overrideLimits' },
  )
}
