import { z } from 'zod'
import { parseInput } from '../check-record.js'
import type { Contract } from '../model.js'
import type { Shape } from '../schema-shape.js'
import { apiName, id, longText, tierName } from '../schema-words.js'
import type { ContractStore } from '../store.js'
import { edited, found, inputShape, replace, stateFault, type LifecycleInput } from './common.js'
import { contractOutcome } from './moves.js'
import { openTier, tierAssertion } from './open-tier.js'

export interface ApproveContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  /** Another tier than the one asked for. */
  readonly tier?: string
  /** Lets the actor approve what they asked for themselves, or for a client that is theirs. @default false */
  readonly ownRequest?: boolean
}

export interface RestoreContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  /** Another tier than it had. */
  readonly tier?: string
}

export interface RefuseContractInput extends LifecycleInput {
  readonly client: string
  readonly api: string
  readonly reason?: string
}

const base = { ...inputShape, client: id, api: apiName }
const restoreInput = z.strictObject({ ...base, tier: tierName.optional() } satisfies Shape<RestoreContractInput>)
const approveInput = restoreInput.extend({ ownRequest: z.boolean().optional() })
const refuseInput = z.strictObject({ ...base, reason: longText.optional() } satisfies Shape<RefuseContractInput>)

/**
 * Grants what is asked for: a pending contract, or another tier for an approved one. Lifts a bar. Who asked, or owns
 * the client, is refused: somebody else has to look at it.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function approveContract(store: ContractStore, input: ApproveContractInput): Promise<Contract> {
  const checked = parseInput('approveContract()', approveInput, input)
  const decided = await decide(store, 'approve', checked)
  if (checked.ownRequest !== true) await refuseOwn(store, decided.before, checked.actor)
  const { tier, requestedTier } = decided.before
  return grant(store, decided, checked, checked.tier ?? requestedTier ?? tier, 'approveContract')
}

/**
 * Turns a request down. A contract that asked for another tier keeps the one it has. Bars automatic approval.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function rejectContract(store: ContractStore, input: RefuseContractInput): Promise<Contract> {
  const checked = parseInput('rejectContract()', refuseInput, input)
  return refuse(store, await decide(store, 'reject', checked), checked, 'rejectContract')
}

/**
 * Ends an approved contract. Bars automatic approval.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function revokeContract(store: ContractStore, input: RefuseContractInput): Promise<Contract> {
  const checked = parseInput('revokeContract()', refuseInput, input)
  return refuse(store, await decide(store, 'revoke', checked), checked, 'revokeContract')
}

/**
 * Puts a revoked contract back in force, with its tier, even one deprecated since. Lifts a bar.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE`
 */
export async function restoreContract(store: ContractStore, input: RestoreContractInput): Promise<Contract> {
  const checked = parseInput('restoreContract()', restoreInput, input)
  const decided = await decide(store, 'restore', checked)
  const { before, state } = decided
  const keepsTier = before.tier !== undefined && (checked.tier === undefined || checked.tier === before.tier)
  if (!keepsTier) return grant(store, decided, checked, checked.tier, 'restoreContract')
  const after = edited('contract', before, checked, { state, barred: false, reason: undefined })
  return replace(store, 'contract', before, after, { step: 'restoreContract' })
}

async function refuseOwn(store: ContractStore, contract: Contract, actor: string): Promise<void> {
  const client = await store.find('client', { id: contract.client })
  if (contract.requestedBy !== actor && client?.owner !== actor) return
  throw stateFault('Nobody approves a request of their own: let somebody else do it, or pass ownRequest: true.')
}

/** A contract as it was found, and where the move leads it. */
interface Decided {
  readonly before: Contract
  readonly state: Contract['state']
}

async function decide(
  store: ContractStore,
  move: 'approve' | 'reject' | 'revoke' | 'restore',
  input: LifecycleInput & { readonly client: string; readonly api: string },
): Promise<Decided> {
  const before = await found(store, 'contract', { client: input.client, api: input.api }, input.version)
  return { before, state: contractOutcome(before, move) }
}

async function grant(
  store: ContractStore,
  { before, state }: Decided,
  input: LifecycleInput,
  tierName: string | undefined,
  step: 'approveContract' | 'restoreContract',
): Promise<Contract> {
  const tier = await openTier(store, before.api, tierName)
  const lifted = { state, barred: false, reason: undefined, requestedTier: undefined, requestedBy: undefined }
  const after = edited('contract', before, input, { ...lifted, tier: tier?.name })
  return replace(store, 'contract', before, after, { step, assertions: tierAssertion(tier) })
}

function refuse(
  store: ContractStore,
  { before, state }: Decided,
  input: RefuseContractInput,
  step: 'rejectContract' | 'revokeContract',
): Promise<Contract> {
  const barred = { state, reason: input.reason, barred: true, requestedTier: undefined, requestedBy: undefined }
  return replace(store, 'contract', before, edited('contract', before, input, barred), { step })
}
