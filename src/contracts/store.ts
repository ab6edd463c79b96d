import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { AuditEntry, AuditHead, Client, Contract, Identity, IdentityLink, Revocation, Tier } from './model.js'
import type { Registration } from './registration.js'
import type { Follower, Webhook } from './notification-model.js'

/**
 * All that the policies ask of a store, so that a store of one's own can be three functions.
 *
 * `undefined` means "no such thing"; a rejection or a throw means "I do not know" and is answered with a 503,
 * never with a 401. A record that is handed over is checked once and frozen: a change is a new object.
 */
export interface ContractReader {
  findClient(identity: Identity): MaybePromise<Client | undefined>
  findContract(client: Client['id'], api: string): MaybePromise<Contract | undefined>
  findTier(api: string, name: string): MaybePromise<Tier | undefined>
  /** Of a copy alone, as a replica is one: how far what it answers now can be relied on. Throws where it cannot. */
  freshness?(): Freshness
}

/** Bounds that hold through all layers: a cache, a feed or another replica over a copy goes by them. */
export interface Freshness {
  /** How long ago, at most, all that is answered was so at the source. */
  readonly ageMs: number
  /** For how much longer an answer of now may be taken for true. */
  readonly leftMs: number
}

/** The kinds of record, each with what it is found by. */
export interface Records {
  readonly client: { readonly key: { readonly id: string }; readonly value: Client }
  readonly identity: { readonly key: Identity; readonly value: IdentityLink }
  readonly contract: { readonly key: { readonly client: string; readonly api: string }; readonly value: Contract }
  readonly revocation: { readonly key: Pick<Revocation, 'issuer' | 'target'>; readonly value: Revocation }
  readonly tier: { readonly key: { readonly api: string; readonly name: string }; readonly value: Tier }
  /** Clients at an issuer, through a client provider. For people: policies never ask for one. */
  readonly registration: { readonly key: { readonly id: string }; readonly value: Registration }
  /** Entries are added and neither edited nor removed; a store refuses both. */
  readonly audit: { readonly key: { readonly entry: string }; readonly value: AuditEntry }
  readonly 'audit-head': { readonly key: { readonly log: 'lifecycle' }; readonly value: AuditHead }
  /** How far somebody who is told of each step has come. */
  readonly follower: { readonly key: { readonly name: string }; readonly value: Follower }
  readonly webhook: { readonly key: { readonly id: string }; readonly value: Webhook }
}

export type RecordKind = keyof Records

/** A kind of record and its key. */
export type RecordKey = { [K in RecordKind]: { readonly kind: K; readonly key: Records[K]['key'] } }[RecordKind]

/**
 * One change of a commit. `expect`: the version that must stand there now, `null` for "nothing". `value`:
 * what stands there afterwards, `null` for "nothing"; left out, only the expectation is checked. A value's own
 * version must be above the expected one.
 */
export type Change = {
  [K in RecordKind]: {
    readonly kind: K
    readonly key: Records[K]['key']
    readonly expect: number | null
    readonly value?: Records[K]['value'] | null
  }
}[RecordKind]

export interface ListQuery<K extends RecordKind = RecordKind> {
  readonly kind: K
  /** Contracts, tiers and audit entries of this API. */
  readonly api?: string
  /** Contracts, registrations and audit entries of, and identities held by, this client. */
  readonly client?: string
  readonly state?: string
  /** Where the last page ended. */
  readonly cursor?: string
  /** 1 to 1000. @default 100 */
  readonly pageSize?: number
}

export interface Page<K extends RecordKind = RecordKind> {
  readonly records: readonly Records[K]['value'][]
  /** There is more; ask again with it. */
  readonly cursor?: string
}

/** What a backend can promise. The published suite and whoever chooses a store go by it; no function asks for it. */
export interface StoreCapabilities {
  /**
   * Several records change together or not at all, and of two writers, in whatever processes, one wins. Without it one
   * process may write, in which both hold; the store refuses another where it can.
   */
  readonly atomicCommits: boolean
  /** A list by API, client or state does not read everything. */
  readonly indexedLists: boolean
}

/** What people, the lifecycle and tools need besides. */
export interface ContractStore extends ContractReader {
  find<K extends RecordKind>(kind: K, key: Records[K]['key']): MaybePromise<Records[K]['value'] | undefined>
  /** All or nothing, and durable once resolved. Rejects with `ERR_CLIENTELE_CONFLICT` when an expectation fails. */
  commit(changes: readonly Change[]): Promise<void>
  list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>>
  /**
   * Where the backend can tell: a hint to read again, never the data itself. `missed`: hints may have been lost, as
   * while a connection was, so whatever was read before may have changed. Returns the way to stop.
   */
  watch?(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void
  close?(): Promise<void>
  readonly capabilities: StoreCapabilities
}
