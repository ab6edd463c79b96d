import { isDeepStrictEqual } from 'node:util'
import type { Change, RecordKey } from '../contracts/store.js'
import type { Generation, LocalStore, ReplicaPlace } from './place.js'
import { targetOf, type SourceAnswer, type SourceChange } from './source.js'

/** The source has an older version of a record than is known here. Only a person can say that this is meant. */
export class WentBack extends Error {}

export interface TakenIn {
  readonly targets: readonly RecordKey[]
  /** How many records there are more than before. */
  readonly added: number
}

/**
 * What has changed at the source, in one commit. What is here already, as after a crash, is passed over. `changed` is
 * told within the step in which the commit is made: no request sees a record before a cache has heard of it.
 */
export async function takeIn(
  store: LocalStore,
  changes: Iterable<SourceChange>,
  changed: (targets: readonly RecordKey[]) => void,
): Promise<TakenIn> {
  const commit: Change[] = []
  let added = 0
  for (const change of changes) {
    const before = store.find(change.kind, change.key)
    if (before === undefined && change.value === null) continue
    if (before !== undefined && change.value !== null) {
      if (isDeepStrictEqual(before, change.value)) continue
      if (change.value.version <= before.version) throw new WentBack()
    }
    added += Number(change.value !== null) - Number(before !== undefined)
    commit.push({ ...change, expect: before?.version ?? null })
  }
  const targets = commit.map((change) => targetOf(change as SourceChange))
  if (commit.length > 0) {
    const committing = store.commit(commit)
    changed(targets)
    await committing
  }
  return { targets, added }
}

/** A whole snapshot beside what is in force, and how it differs from that. */
export interface Staged {
  readonly generation: Generation
  readonly answer: SourceAnswer
  /** Records that are here, in whatever version, and in the snapshot too. */
  readonly kept: number
  /** Records of which the snapshot has an older version. */
  readonly older: number
}

const recordsAtOnce = 200

/** Throws where the snapshot is not whole, and leaves nothing behind. */
export async function stage(
  place: ReplicaPlace,
  current: LocalStore | undefined,
  answer: SourceAnswer,
): Promise<Staged> {
  const generation = place.stage()
  try {
    return { generation, answer, ...(await fill(generation.store, current, answer.changes)) }
  } catch (error) {
    await generation.remove()
    throw error
  }
}

async function fill(
  store: LocalStore,
  current: LocalStore | undefined,
  changes: Iterable<SourceChange>,
): Promise<Pick<Staged, 'kept' | 'older'>> {
  let kept = 0
  let older = 0
  let commit: Change[] = []
  const flush = async (): Promise<void> => {
    await store.commit(commit)
    commit = []
    // Requests go on meanwhile.
    await new Promise(setImmediate)
  }
  for (const change of changes) {
    if (change.value === null) throw new TypeError('A snapshot of a feed tells of a removal.')
    const before = current?.find(change.kind, change.key)
    if (before !== undefined) kept += 1
    if (before !== undefined && change.value.version < before.version) older += 1
    commit.push({ ...change, expect: null })
    if (commit.length === recordsAtOnce) await flush()
  }
  await flush()
  return { kept, older }
}
