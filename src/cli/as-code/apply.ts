import { disableClient, enableClient } from '../../contracts/lifecycle/client-state.js'
import { registerClient } from '../../contracts/lifecycle/clients.js'
import {
  approveContract,
  rejectContract,
  restoreContract,
  revokeContract,
} from '../../contracts/lifecycle/contract-decisions.js'
import { changeTier, requestContract } from '../../contracts/lifecycle/contract-requests.js'
import { editClient } from '../../contracts/lifecycle/edit-client.js'
import { overrideLimits } from '../../contracts/lifecycle/override-limits.js'
import { defineTier, deprecateTier } from '../../contracts/lifecycle/tiers.js'
import type { Contract } from '../../contracts/model.js'
import type { ContractStore } from '../../contracts/store.js'
import { filterOf } from '../records.js'
import { CliError, wrongInput } from '../exit-codes.js'
import type { CodedContract } from './code-schema.js'
import { clientOf, type PlannedStep } from './plan.js'

export interface Applying {
  readonly store: ContractStore
  readonly actor: string
  /** Where the secret of a new client goes, at once: it cannot be had again. */
  readonly keepSecret: (clientId: string, clientSecret: string) => void
}

type StepOf<Kind extends PlannedStep['kind']> = Extract<PlannedStep, { readonly kind: Kind }>

/** Does one step of a plan, if the record is still as the plan has seen it. */
export async function applyStep(applying: Applying, step: PlannedStep): Promise<void> {
  if (step.kind === 'tier') await applyTier(applying, step)
  else if (step.kind === 'client') await applyClient(applying, step)
  else await applyContract(applying, step)
}

function seenAs(version: number | null): { version?: number } {
  return version === null ? {} : { version }
}

async function applyTier({ store, actor }: Applying, { wanted, before, seen }: StepOf<'tier'>): Promise<void> {
  const { state, description, automaticPerOwner, ...members } = wanted
  if (before?.state === 'deprecated' && state === 'active') {
    throw wrongInput(`the tier ${wanted.name} of ${wanted.api} is deprecated and does not come back; use another name`)
  }
  const optional = {
    ...(description === undefined ? {} : { description }),
    ...(automaticPerOwner === undefined ? {} : { automaticPerOwner }),
  }
  // Somebody may have made it since; without a version that would be an edit of theirs.
  if (seen === null && (await store.findTier(wanted.api, wanted.name)) !== undefined) throw changed('tier')
  const { tier } = await defineTier(store, { ...members, ...optional, actor, ...seenAs(seen) })
  if (state !== 'deprecated' || tier.state === 'deprecated') return
  await deprecateTier(store, { api: tier.api, name: tier.name, version: tier.version, actor })
}

async function applyClient({ store, actor, keepSecret }: Applying, step: StepOf<'client'>): Promise<void> {
  const { wanted, before } = step
  let client = before
  if (client === undefined) {
    const { clientId, name, type = 'confidential' } = wanted
    const made = await registerClient(store, { clientId, name, type, ...filterOf(wanted, 'owner'), actor })
    if (made.clientSecret !== undefined) keepSecret(clientId, made.clientSecret)
    client = made.client
  } else if (client.name !== wanted.name || client.owner !== wanted.owner) {
    const { name, owner = null } = wanted
    client = await editClient(store, { client: client.id, name, owner, version: client.version, actor })
  }
  const { state = client.state } = wanted
  if (state === client.state) return
  const move = state === 'disabled' ? disableClient : enableClient
  await move(store, { client: client.id, version: client.version, actor })
}

async function applyContract({ store, actor }: Applying, { wanted, before }: StepOf<'contract'>): Promise<void> {
  const client = before?.client ?? (await clientOf(store, wanted.client))?.id
  if (client === undefined) throw new CliError('conflict', 'a client of the plan is not there any more')
  const key = { client, api: wanted.api, actor }
  if (wanted.state === 'revoked') {
    const end = before?.state === 'pending' ? rejectContract : revokeContract
    await end(store, { ...key, ...seenAs(before?.version ?? null) })
    return
  }
  const contract = await approved(store, key, wanted, before)
  const { limits = null } = wanted
  if (limits === null && contract.limits === undefined) return
  await overrideLimits(store, { ...key, limits, version: contract.version })
}

/** From wherever a contract stands to approved on this tier. Who reviewed the file has said yes. */
async function approved(
  store: ContractStore,
  key: { readonly client: string; readonly api: string; readonly actor: string },
  wanted: CodedContract,
  before: Contract | undefined,
): Promise<Contract> {
  const tier = filterOf(wanted, 'tier')
  const seen = { ...key, ...seenAs(before?.version ?? null) }
  const wasEnded = before?.state === 'revoked' || before?.state === 'rejected'
  if (wasEnded && wanted.state === undefined) throw endedByHand(wanted, before.state)
  if (before?.state === 'revoked') return restoreContract(store, { ...seen, ...tier })
  if (before?.state === 'pending') return approveContract(store, { ...seen, ...tier, ownRequest: true })
  if (before?.state !== 'approved') {
    if (before === undefined && (await store.findContract(key.client, key.api)) !== undefined) throw changed('contract')
    const asked = await requestContract(store, { ...seen, ...tier })
    return asked.state === 'approved' ? asked : grant(store, key, asked)
  }
  if (wanted.tier === undefined || wanted.tier === before.tier) return before
  const asked = await changeTier(store, { ...seen, tier: wanted.tier })
  return asked.tier === wanted.tier ? asked : grant(store, key, asked)
}

function grant(
  store: ContractStore,
  key: { readonly client: string; readonly api: string; readonly actor: string },
  { version }: Contract,
): Promise<Contract> {
  return approveContract(store, { ...key, version, ownRequest: true })
}

/** An emergency is not undone by a file that knows nothing of it: who lifts it has to write it down. */
function endedByHand({ client, api }: CodedContract, state: string): CliError {
  const where = `the contract of ${client} for ${api}`
  return new CliError(
    'wrongState',
    `${where} was ${state} by hand; write state: approved to lift that, or state: revoked`,
  )
}

function changed(kind: string): CliError {
  return new CliError('conflict', `a ${kind} of the plan has changed since; plan again`)
}
