import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { ContractStore, RecordKind, Records } from '../contracts/store.js'
import type { Cursor } from './source.js'

/** A store in this process: its finds are at hand, and a commit is made when the call returns. */
export interface LocalStore extends ContractStore {
  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Records[K]['value'] | undefined
  close(): Promise<void>
}

/** How far a replica has come, and how old that is. */
export interface Progress extends Cursor {
  readonly count: number
  readonly ageMs: number
}

/** A set of records of its own. */
export interface Generation {
  readonly store: LocalStore
  /** Closes it and leaves nothing of it behind. */
  remove(): MaybePromise<void>
}

/** Where a replica keeps what it has read. Whatever is kept is whole: half of a snapshot is never there. */
export interface ReplicaPlace {
  /** What a process of before has left, where it can be relied on. */
  readonly found: { readonly generation: Generation; readonly progress: Progress } | undefined
  /** Whether something was left that cannot be relied on. */
  readonly discarded: boolean
  /** Throws where another process has taken it over: nothing may be written any more. */
  requireOwn(): void
  /** An empty one, for a snapshot. Nothing of it counts before `save` has named it. */
  stage(): Generation
  /** From here on this is the generation, and this is how far it has come: one step, also for who comes after a crash. */
  save(generation: Generation, progress: Progress): void
  close(): Promise<void>
}
