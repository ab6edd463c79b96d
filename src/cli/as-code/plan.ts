import { isDeepStrictEqual } from 'node:util'
import { localIssuer, type Client, type Contract, type Tier } from '../../contracts/model.js'
import type { ContractStore } from '../../contracts/store.js'
import type { Code, CodedClient, CodedContract, CodedTier, CodeFile } from './code-schema.js'
import type { Finding } from './yaml-file.js'

/** What is to be done to one record, and which version of it was seen: `null` for none. */
export type PlannedStep = { readonly seen: number | null; readonly differences: readonly string[] } & (
  | { readonly kind: 'tier'; readonly wanted: CodedTier; readonly before: Tier | undefined }
  | { readonly kind: 'client'; readonly wanted: CodedClient; readonly before: Client | undefined }
  | { readonly kind: 'contract'; readonly wanted: CodedContract; readonly before: Contract | undefined }
)

/** The difference between a file and a store. What stands in the store alone is left as it is. */
export async function planOf(store: ContractStore, { yaml, code }: CodeFile): Promise<PlannedStep[]> {
  const findings: Finding[] = []
  const tiers = await each(code.tiers, (wanted) => tierStep(store, wanted))
  const clients = await each(code.clients, (wanted, at) => clientStep(store, wanted, at, findings))
  const contracts = await each(code.contracts, (wanted, at) => contractStep(store, code, wanted, at, findings))
  if (findings.length > 0) yaml.refuse(findings)
  return [...tiers, ...clients, ...contracts]
}

/** One after the other: a file is short, and a store that is in use has others to serve. */
async function each<T>(
  list: readonly T[] = [],
  step: (wanted: T, at: number) => Promise<PlannedStep | undefined>,
): Promise<PlannedStep[]> {
  const steps: PlannedStep[] = []
  for (const [at, wanted] of list.entries()) {
    const planned = await step(wanted, at)
    if (planned !== undefined) steps.push(planned)
  }
  return steps
}

async function tierStep(store: ContractStore, wanted: CodedTier): Promise<PlannedStep | undefined> {
  const before = await store.findTier(wanted.api, wanted.name)
  const { state = before?.state ?? 'active', ...members } = wanted
  const differences = differencesOf(before, {
    description: members.description,
    approval: members.approval,
    automaticPerOwner: members.automaticPerOwner,
    limits: members.limits,
    state,
  })
  return differences.length > 0
    ? { kind: 'tier', wanted, before, seen: before?.version ?? null, differences }
    : undefined
}

async function clientStep(
  store: ContractStore,
  wanted: CodedClient,
  at: number,
  findings: Finding[],
): Promise<PlannedStep | undefined> {
  const before = await clientOf(store, wanted.clientId)
  if (before !== undefined && (wanted.type ?? before.type) !== before.type) {
    findings.push({ path: ['clients', at, 'type'], message: `cannot be changed: the client is ${before.type}` })
  }
  const differences = differencesOf(before, {
    name: wanted.name,
    owner: wanted.owner,
    state: wanted.state ?? before?.state ?? 'active',
  })
  return differences.length > 0
    ? { kind: 'client', wanted, before, seen: before?.version ?? null, differences }
    : undefined
}

async function contractStep(
  store: ContractStore,
  code: Code,
  wanted: CodedContract,
  at: number,
  findings: Finding[],
): Promise<PlannedStep | undefined> {
  const client = await clientOf(store, wanted.client)
  const finding = (member: string, message: string): void => {
    findings.push({ path: ['contracts', at, member], message })
  }
  const isCoded = code.clients?.some(({ clientId }) => clientId === wanted.client) === true
  if (client === undefined && !isCoded) finding('client', 'there is no such client in this file or in the store')
  const { api, tier } = wanted
  if (tier !== undefined && !(await isTier(store, code, api, tier))) {
    finding('tier', 'there is no such tier of this API in this file or in the store')
  }
  const before = client && (await store.findContract(client.id, api))
  const state = wanted.state ?? 'approved'
  // Where nothing is in force there is nothing to end.
  if (state === 'revoked' && (before === undefined || before.state === 'rejected')) return undefined
  const asked = state === 'revoked' ? { state } : { state, tier, limits: wanted.limits }
  const differences = differencesOf(before, asked)
  return differences.length > 0
    ? { kind: 'contract', wanted, before, seen: before?.version ?? null, differences }
    : undefined
}

export async function clientOf(store: ContractStore, clientId: string): Promise<Client | undefined> {
  return store.findClient({ issuer: localIssuer, clientId })
}

async function isTier(store: ContractStore, code: Code, api: string, name: string): Promise<boolean> {
  const isCoded = code.tiers?.some((tier) => tier.api === api && tier.name === name) === true
  return isCoded || (await store.findTier(api, name)) !== undefined
}

/** In words: `name: "a" -> "b"`. */
function differencesOf(before: object | undefined, wanted: Readonly<Record<string, unknown>>): string[] {
  const known = (before ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(wanted).flatMap(([name, value]) => {
    if (isDeepStrictEqual(known[name], value)) return []
    const [from, to] = [known[name], value].map((one) => (one === undefined ? '(none)' : JSON.stringify(one)))
    return [`${name}: ${from ?? ''} -> ${to ?? ''}`]
  })
}
