import { parse } from '../check-record.js'
import type { Contract } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { apiName, id, longText, tierName } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import { edited, found, inputShape, replace, strict, type LifecycleInput } from './common.js'
import { contractOutcome, type ContractMove } from './moves.js'
import { openTier, tierAssertion } from './open-tier.js'

export interface ApproveContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  /** Another tier than the one asked for. */
  readonly tier?: string
}

export interface RefuseContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  readonly reason?: string
}

const base = { ...inputShape, client: id, api: apiName }
const approveInput = strict({ ...base, tier: tierName.optional() } satisfies Shape<ApproveContractInput>)
const refuseInput = strict({ ...base, reason: longText.optional() } satisfies Shape<RefuseContractInput>)

/** Grants what is asked for: a pending contract, or another tier for an approved one. Lifts a bar. */
export async function approveContract(store: ContractStore, input: ApproveContractInput): Promise<Contract> {
  const checked = parse('approveContract', approveInput, input)
  const before = await movable(store, 'approve', checked)
  return grant(store, before, checked, checked.tier ?? before.requestedTier ?? before.tier)
}

/** Turns a request down. A contract that asked for another tier keeps the one it has. Bars automatic approval. */
export async function rejectContract(store: ContractStore, input: RefuseContractInput): Promise<Contract> {
  const checked = parse('rejectContract', refuseInput, input)
  const before = await movable(store, 'reject', checked)
  return refuse(store, before, checked, before.state === 'approved' ? 'approved' : 'rejected')
}

/** Ends an approved contract. Bars automatic approval. */
export async function revokeContract(store: ContractStore, input: RefuseContractInput): Promise<Contract> {
  const checked = parse('revokeContract', refuseInput, input)
  return refuse(store, await movable(store, 'revoke', checked), checked, 'revoked')
}

/** Puts a revoked contract back in force, with its tier, even one deprecated since. Lifts a bar. */
export async function restoreContract(store: ContractStore, input: ApproveContractInput): Promise<Contract> {
  const checked = parse('restoreContract', approveInput, input)
  const before = await movable(store, 'restore', checked)
  const keepsTier = before.tier !== undefined && (checked.tier === undefined || checked.tier === before.tier)
  if (!keepsTier) return grant(store, before, checked, checked.tier)
  const after = edited('contract', before, checked, { state: 'approved', barred: false, reason: undefined })
  return replace(store, 'contract', before, after)
}

async function movable(
  store: ContractStore,
  move: ContractMove,
  input: LifecycleInput & { readonly client: string; readonly api: string },
): Promise<Contract> {
  const contract = await found(store, 'contract', { client: input.client, api: input.api }, input.version)
  contractOutcome(contract, move)
  return contract
}

async function grant(
  store: ContractStore,
  before: Contract,
  input: LifecycleInput,
  tierName: string | undefined,
): Promise<Contract> {
  const tier = await openTier(store, before.api, tierName)
  const lifted = { state: 'approved', barred: false, reason: undefined, requestedTier: undefined } as const
  const after = edited('contract', before, input, { ...lifted, tier: tier?.name })
  return replace(store, 'contract', before, after, tierAssertion(tier))
}

function refuse(
  store: ContractStore,
  before: Contract,
  input: RefuseContractInput,
  state: Contract['state'],
): Promise<Contract> {
  const after = edited('contract', before, input, {
    state,
    reason: input.reason,
    barred: true,
    requestedTier: undefined,
  })
  return replace(store, 'contract', before, after)
}
