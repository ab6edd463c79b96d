import type { Client, Contract, ContractState } from '../model.js'
import { stateFault } from './common.js'

/**
 * Where each move may lead: a state, or `decided by tier`, which means that tier and history have the say
 * (`approved` if they allow it at once).
 */
interface ContractOutcomes extends Record<'approve' | 'reject' | 'revoke' | 'restore', ContractState> {
  readonly request: 'pending' | 'decided by tier'
  readonly changeTier: 'decided by tier'
}

/** What can be done to a contract. */
export type ContractMove = keyof ContractOutcomes

/** Where a contract stands: its state, and `changing` for an approved one that waits for another tier. */
export type ContractStanding = 'absent' | ContractState | 'changing'

/** Every move there is. What is not here is refused with `ERR_CLIENTELE_STATE`. */
const contractMoves: Readonly<Record<ContractStanding, Partial<ContractOutcomes>>> = {
  absent: { request: 'decided by tier' },
  pending: { request: 'decided by tier', approve: 'approved', reject: 'rejected' },
  approved: { changeTier: 'decided by tier', revoke: 'revoked' },
  changing: { changeTier: 'decided by tier', approve: 'approved', reject: 'approved', revoke: 'revoked' },
  rejected: { request: 'pending' },
  revoked: { request: 'pending', restore: 'approved' },
}

export function standingOf(contract: Contract | undefined): ContractStanding {
  if (contract === undefined) return 'absent'
  return contract.state === 'approved' && contract.requestedTier !== undefined ? 'changing' : contract.state
}

export function contractOutcome<Move extends ContractMove>(
  contract: Contract | undefined,
  move: Move,
): ContractOutcomes[Move] {
  const standing = standingOf(contract)
  const outcome: ContractOutcomes[Move] | undefined = contractMoves[standing][move]
  if (outcome !== undefined) return outcome
  const possible = Object.keys(contractMoves[standing]).map((each) => `${functionFor[each as ContractMove]}()`)
  const whose = contract === undefined ? '' : ` of ${contract.client} for ${JSON.stringify(contract.api)}`
  const reason = `the contract${whose} is ${wordFor[standing]}; possible are ${possible.join(', ')}`
  throw stateFault(`${functionFor[move]}() is not possible: ${reason}.`)
}

const functionFor: Record<ContractMove, string> = {
  request: 'requestContract',
  changeTier: 'changeTier',
  approve: 'approveContract',
  reject: 'rejectContract',
  revoke: 'revokeContract',
  restore: 'restoreContract',
}

const wordFor: Record<ContractStanding, string> = {
  absent: 'absent',
  pending: 'pending',
  approved: 'approved',
  changing: 'approved and waiting for another tier',
  rejected: 'rejected',
  revoked: 'revoked',
}

export type ClientMove = 'disable' | 'enable'

const clientMoves: Readonly<Record<Client['state'], Partial<Record<ClientMove, Client['state']>>>> = {
  active: { disable: 'disabled' },
  disabled: { enable: 'active' },
}

export function clientOutcome(client: Client, move: ClientMove): Client['state'] {
  const outcome = clientMoves[client.state][move]
  if (outcome === undefined) throw stateFault(`A client that is ${client.state} cannot ${move}.`)
  return outcome
}
