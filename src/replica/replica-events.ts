import type { ClienteleFault } from '../decisions/faults.js'

/** A snapshot that is not taken before a person has looked at it. */
export interface HeldSnapshot {
  /** Names these records and no others, for `accept`. */
  readonly digest: string
  readonly records: number
  /** Records that are here and not in the snapshot. */
  readonly dropped: number
  /** Records of which the snapshot has an older version than is here. */
  readonly older: number
}

/** What happens between a replica and its source, for logs and alarms. Holds no record. */
export type ReplicaEvent =
  /** What has changed at the source is here. */
  | { readonly kind: 'updated'; readonly changes: number }
  /** A whole snapshot is in force. */
  | { readonly kind: 'replaced'; readonly digest: string; readonly records: number }
  /** A snapshot waits for a person: it is empty, drops more than a tenth of the records, or has older ones. */
  | ({ readonly kind: 'held' } & HeldSnapshot)
  /** The source did not answer, or not with what can be used; `ageMs`: how old what is here has become. */
  | { readonly kind: 'failed'; readonly fault: ClienteleFault; readonly ageMs: number | undefined }
  /** What a process of before has left cannot be relied on: it is damaged, or somebody has put older files back. */
  | { readonly kind: 'discarded' }

/** For health checks, at any time. */
export interface ReplicaStatus {
  /** Whether a request would be decided on now. */
  readonly ready: boolean
  /** How long ago, at most, what is here was the whole truth at the source. */
  readonly ageMs: number | undefined
  /** How many there are; clients, contracts, tiers and identities together. */
  readonly records: number
  /** ISO 8601, of this process. */
  readonly lastSuccessAt: string | undefined
  /** The last failure, if nothing has gone right since. Its message names hosts at most. */
  readonly lastError: { readonly at: string; readonly message: string; readonly reason: string | undefined } | undefined
  readonly held: HeldSnapshot | undefined
}
