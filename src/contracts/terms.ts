import type { AdmittedContract, AdmittedTier } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Contract, Tier } from './model.js'
import type { CheckedReader } from './reader.js'

/** On what terms a client may use an API, or why it may not. */
export type Terms = RefusedTerms | ApprovedTerms

export interface RefusedTerms {
  readonly kind: 'refused'
  readonly code: 'contract_missing' | 'contract_pending' | 'contract_rejected' | 'contract_revoked'
}

export interface ApprovedTerms {
  readonly kind: 'approved'
  readonly contract: AdmittedContract
  readonly tier?: AdmittedTier
}

const refused = {
  missing: refusal('contract_missing'),
  pending: refusal('contract_pending'),
  rejected: refusal('contract_rejected'),
  revoked: refusal('contract_revoked'),
}

function refusal(code: RefusedTerms['code']): RefusedTerms {
  return Object.freeze({ kind: 'refused', code })
}

/** For the last step of every identifying policy. At once where the store answers at once. */
export function resolveTerms(reader: CheckedReader, api: string, client: string): MaybePromise<Terms> {
  return andThenWith(reader.findContract(client, api), meetContract, reader)
}

function meetContract(contract: Contract | undefined, reader: CheckedReader): MaybePromise<Terms> {
  if (contract === undefined) return refused.missing
  if (contract.state !== 'approved') return refused[contract.state]
  return contract.tier === undefined
    ? termsOf(contract, undefined)
    : andThenWith(reader.findTier(contract.api, contract.tier), meetTier, contract)
}

/** An approved contract whose tier is gone has no ceiling that could be kept: not ours to guess. */
function meetTier(tier: Tier | undefined, contract: Contract): Terms {
  if (tier !== undefined) return termsOf(contract, tier)
  throw new ClienteleFault('ERR_CLIENTELE_STORE', 'A contract names a tier that does not exist.')
}

interface KnownTerms {
  readonly tier: Tier | undefined
  readonly terms: ApprovedTerms
}

/** By record object, so that a request with known records allocates nothing. */
const knownTerms = new WeakMap<Contract, KnownTerms>()

function termsOf(contract: Contract, tier: Tier | undefined): ApprovedTerms {
  const known = knownTerms.get(contract)
  if (known !== undefined && known.tier === tier) return known.terms
  const terms: ApprovedTerms = Object.freeze({
    kind: 'approved',
    contract: admittedContract(contract),
    ...(tier === undefined ? {} : { tier: tierFor(contract, tier) }),
  })
  knownTerms.set(contract, { tier, terms })
  return terms
}

function admittedContract({ client, api, version, tier }: Contract): AdmittedContract {
  return Object.freeze({ client, api, version, ...(tier === undefined ? {} : { tier }) })
}

/** Limits of its own are in force under the name of the tier. */
function tierFor({ limits }: Contract, tier: Tier): AdmittedTier {
  const admitted = admittedTier(tier)
  return limits === undefined ? admitted : Object.freeze({ ...admitted, limits })
}

const knownTiers = new WeakMap<Tier, AdmittedTier>()

function admittedTier(tier: Tier): AdmittedTier {
  const known = knownTiers.get(tier)
  if (known !== undefined) return known
  const { api, name, version, limits } = tier
  const admitted = Object.freeze({ api, name, version, limits })
  knownTiers.set(tier, admitted)
  return admitted
}
