import { firstVersion } from '../contracts/lifecycle/common.js'
import type { AuditEntry, Client, Contract, IdentityLink, Revocation, Tier } from '../contracts/model.js'
import type { Registration } from '../contracts/registration.js'
import type { Change, ContractStore } from '../contracts/store.js'
import type { SuiteRunner } from './runner.js'

export interface ContractStoreSuite extends SuiteRunner {
  /** For a store that outlives `close`: opens what `makeStore` made last, again. */
  readonly openAgain?: () => ContractStore | Promise<ContractStore>
  /** For a store that several processes may share: opens what `makeStore` made last, beside it. */
  readonly openBeside?: () => ContractStore | Promise<ContractStore>
  /** As in the store's `capabilities`. `false` leaves out, by name, what two such stores cannot promise. @default true */
  readonly atomicCommits?: boolean
}

/** The same of two stores over the same records. */
export type BesideTests = Readonly<Record<string, (store: ContractStore, other: ContractStore) => Promise<void>>>

/** Tests by title. Each is given a new, empty store, which is closed afterwards. */
export type SuiteTests = Readonly<Record<string, (store: ContractStore) => Promise<void>>>

const instant = '2026-01-02T03:04:05.678Z'
const stamps = { createdAt: instant, updatedAt: instant, updatedBy: 'suite' }

export function clientRecord(id: string, changes: Partial<Client> = {}): Client {
  const base = { id, version: firstVersion(), name: 'A client', type: 'confidential', state: 'active' } as const
  return { ...base, identities: [{ issuer: 'local', clientId: id }], secrets: [], ...stamps, ...changes }
}

export function linkRecord(clientId: string, client: string | null, issuer = 'local'): IdentityLink {
  return { issuer, clientId, version: firstVersion(), client }
}

export function contractRecord(client: string, api: string, changes: Partial<Contract> = {}): Contract {
  return { client, api, version: firstVersion(), state: 'approved', barred: false, ...stamps, ...changes }
}

export function tierRecord(api: string, name: string, changes: Partial<Tier> = {}): Tier {
  const limits = [{ requests: 10, windowSeconds: 60, algorithm: 'fixed' }] as const
  const base = { api, name, version: firstVersion(), approval: 'automatic', state: 'active', limits } as const
  return { ...base, updatedAt: instant, updatedBy: 'suite', ...changes }
}

export function revocationRecord(target: Revocation['target'], changes: Partial<Revocation> = {}): Revocation {
  return { issuer: 'https://idp.example', target, version: firstVersion(), ...stamps, ...changes }
}

export function putRevocation(value: Revocation, expect: number | null = null): Change {
  return { kind: 'revocation', key: { issuer: value.issuer, target: value.target }, expect, value }
}

export function putClient(value: Client, expect: number | null = null): Change {
  return { kind: 'client', key: { id: value.id }, expect, value }
}

export function putLink(value: IdentityLink, expect: number | null = null): Change {
  return { kind: 'identity', key: { issuer: value.issuer, clientId: value.clientId }, expect, value }
}

export function putContract(value: Contract, expect: number | null = null): Change {
  return { kind: 'contract', key: { client: value.client, api: value.api }, expect, value }
}

export function putTier(value: Tier, expect: number | null = null): Change {
  return { kind: 'tier', key: { api: value.api, name: value.name }, expect, value }
}

export function auditEntry(entry: string, changes: Partial<AuditEntry> = {}): AuditEntry {
  const digest = 'A'.repeat(43)
  return {
    entry,
    version: 1,
    at: instant,
    actor: 'suite',
    step: 'defineTier',
    previous: digest,
    hash: digest,
    ...changes,
  }
}

export function addAudit(value: AuditEntry): Change {
  return { kind: 'audit', key: { entry: value.entry }, expect: null, value }
}

/** A client that can be found by its ID. */
export function known(id: string): Change[] {
  return [putClient(clientRecord(id)), putLink(linkRecord(id, id))]
}

export function registrationRecord(id: string, changes: Partial<Registration> = {}): Registration {
  const base = {
    id,
    version: firstVersion(),
    provider: 'okta',
    issuer: 'https://idp.example',
    state: 'active',
  } as const
  return { ...base, client: `client-of-${id}`, metadata: { name: id }, ...stamps, ...changes }
}

export function putRegistration(value: Registration, expect: number | null = null): Change {
  return { kind: 'registration', key: { id: value.id }, expect, value }
}
