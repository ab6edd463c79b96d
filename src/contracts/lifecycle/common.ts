import { ClienteleFault } from '../../decisions/faults.js'
import { checkRecord } from '../check-record.js'
import { keyOf } from '../keys.js'
import type { LifecycleStep, StepDetails } from '../model.js'
import { actor, version } from '../schema-words.js'
import type { Change, ContractStore, RecordKind, Records } from '../store.js'
import { commit, type Step } from './audit-log.js'

/** What every call of the lifecycle says: who wants it, and which revision he saw. */
export interface LifecycleInput {
  /** Who does this, for the record. */
  readonly actor: string
  /** The version of the record that the actor saw; another one now is an `ERR_CLIENTELE_CONFLICT`. */
  readonly version?: number
}

export const inputShape = { actor, version: version.optional() }

let lastVersion = 0

/** The first version of a record: above that of any predecessor, so that a re-created record is never taken for it. */
export function firstVersion(): number {
  lastVersion = Math.max(Date.now(), lastVersion + 1)
  return lastVersion
}

type Editable = 'client' | 'contract' | 'registration' | 'revocation' | 'tier' | 'webhook'

/** The next version of a record. A member that is `undefined` in `changes` goes away. */
export function edited<K extends Editable>(
  kind: K,
  record: Records[K]['value'],
  input: LifecycleInput,
  changes: Partial<Records[K]['value']>,
): Records[K]['value'] {
  const next = { ...record, ...changes, version: record.version + 1, ...stamp(input) }
  return checkRecord(kind, withoutUndefined(next))
}

export function stamp(input: LifecycleInput): { updatedAt: string; updatedBy: string } {
  return { updatedAt: new Date().toISOString(), updatedBy: input.actor }
}

export function withoutUndefined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** The record, or a fault: `ERR_CLIENTELE_NOT_FOUND`, or `ERR_CLIENTELE_CONFLICT` when the actor saw another version. */
export async function found<K extends RecordKind>(
  store: ContractStore,
  kind: K,
  key: Records[K]['key'],
  seenVersion?: number,
): Promise<Records[K]['value']> {
  const record = await store.find(kind, key)
  if (record === undefined) throw missing(kind, key)
  requireVersion(kind, record.version, seenVersion)
  return record
}

export function missing(kind: RecordKind, key: object): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', `There is no such ${kind}${whichOf(key)}${hints[kind] ?? ''}.`)
}

const internalId =
  '; "client" is the internal ID, which registerClient() gives as client.id, not the client ID that callers send'

const hints: Partial<Record<RecordKind, string>> = { client: internalId, contract: internalId }

/** Names of APIs and tiers are no secrets; an ID that was not found may be anything that somebody pasted there. */
function whichOf(key: object): string {
  const { api, name } = key as { readonly api?: string; readonly name?: string }
  const named = name === undefined ? '' : ` as ${JSON.stringify(name)}`
  return api === undefined ? '' : `${named} for API ${JSON.stringify(api)}`
}

export function requireVersion(kind: RecordKind, versionNow: number, seenVersion: number | undefined): void {
  if (seenVersion === undefined || seenVersion === versionNow) return
  throw new ClienteleFault('ERR_CLIENTELE_CONFLICT', `The ${kind} has changed since it was seen; read it again.`)
}

export function stateFault(message: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STATE', message)
}

/** Of a record that a step has changed: what the audit log says of it. */
export function stepOn<K extends Editable>(kind: K, record: Records[K]['value'], step: LifecycleStep): Step {
  return { step, actor: record.updatedBy, ...detailsOf({ kind, record } as EditedRecord) }
}

type EditedRecord = { [K in Editable]: { readonly kind: K; readonly record: Records[K]['value'] } }[Editable]

function detailsOf({ kind, record }: EditedRecord): StepDetails {
  if (kind === 'client') return { client: record.id, state: record.state }
  if (kind === 'webhook') return { webhook: record.id, state: record.state }
  if (kind === 'tier') return { api: record.api, tier: record.name, state: record.state }
  if (kind === 'registration') {
    const { client, state, issuer, clientId } = record
    return withoutUndefined({ client, state, issuer, clientId })
  }
  if (kind === 'revocation') {
    const { issuer, target, reason } = record
    return withoutUndefined({ issuer, target, reason })
  }
  const { client, api, state, tier, requestedTier, reason } = record
  return withoutUndefined({ client, api, state, tier, requestedTier, reason })
}

/** How a record is written that has been read before. */
interface Replacement {
  readonly step: LifecycleStep
  readonly details?: StepDetails
  readonly assertions?: readonly Change[]
}

/** Writes one record that has been read before. */
export async function replace<K extends Editable>(
  store: ContractStore,
  kind: K,
  before: Records[K]['value'],
  value: Records[K]['value'],
  { step, details, assertions = [] }: Replacement,
): Promise<Records[K]['value']> {
  const change = { kind, key: keyOf(kind, value), expect: before.version, value } as Change
  await commit(store, [change, ...assertions], [{ ...stepOn(kind, value, step), ...details }])
  return value
}
