import type { RecordKey, RecordKind, Records } from '../contracts/store.js'
import type { Moment } from '../runtime/moment.js'

/** How far somebody has read: a place in the one history of one source. */
export interface Cursor {
  /** Another one after each start of a source: its sequences mean nothing to those of before. */
  readonly epoch: string
  readonly sequence: number
}

/** A record as it is now, or `null` where there is none any more. */
export type SourceChange = {
  [K in RecordKind]: {
    readonly kind: K
    readonly key: Records[K]['key']
    readonly value: Records[K]['value'] | null
  }
}[RecordKind]

/** What a source says: everything (`snapshot`), or what has changed since the cursor that it was asked with. */
export interface SourceAnswer extends Cursor {
  readonly kind: 'snapshot' | 'changes'
  /** As of when that was the whole truth at the source, by clocks of this process. */
  readonly knownAt: Moment
  readonly count: number
  /** Of all records of a snapshot, whatever their order; so two of the same records have the same. */
  readonly digest: string
  readonly changes: Iterable<SourceChange>
}

export interface SourceQuestion {
  /** Left out: everything. */
  readonly after: Cursor | undefined
  /** How long the source may wait for something to change before it answers. */
  readonly waitMs: number
  /** Nobody waits any more. */
  readonly signal: AbortSignal
}

/** Where a replica has its records from: a store in reach, or a feed over HTTP. */
export interface ContractSource {
  read(question: SourceQuestion): Promise<SourceAnswer>
  close(): void
}

/** A kind and a key, of a change that has more. */
export function targetOf({ kind, key }: SourceChange): RecordKey {
  return { kind, key } as RecordKey
}
