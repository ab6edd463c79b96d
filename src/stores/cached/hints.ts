import { keyParts } from '../../contracts/keys.js'
import { isPolicyKind, type PolicyKind } from '../../contracts/policy-kinds.js'
import type { RecordKey } from '../../contracts/store.js'
import { PairMap, type Pair } from './pairs.js'

/** Where an ID alone says which record it is. */
export const noGroup = ''

/** Hints that are kept by key, for each kind. */
const mostMarks = 10_000

/**
 * What watching the store has told, in the order of one sequence that look-ups share: an answer that was asked for
 * before a hint has to be read again, whenever it comes in.
 */
export class Hints {
  #sequence = 0
  #missedAt = 0
  #forgottenAt = 0
  readonly #marks: Readonly<Record<PolicyKind, PairMap<number>>> = {
    client: new PairMap(),
    identity: new PairMap(),
    contract: new PairMap(),
    revocation: new PairMap(),
    tier: new PairMap(),
  }

  /** The moment of whatever begins now. */
  next(): number {
    return ++this.#sequence
  }

  /** When changes of any record may last have gone by unseen. */
  get missedAt(): number {
    return this.#missedAt
  }

  /** When this very record was last said to have changed. */
  about(kind: PolicyKind, group: string, name: string): number {
    const marks = this.#marks[kind]
    const at = marks.size === 0 ? undefined : marks.get(group, name)
    return at === undefined || at < this.#forgottenAt ? this.#forgottenAt : at
  }

  changed(keys: readonly RecordKey[]): void {
    const at = this.next()
    for (const key of keys) {
      // Entries of the audit log would crowd out other hints.
      if (isPolicyKind(key.kind)) this.mark(key.kind, pairOf(key), at)
    }
  }

  mark(kind: PolicyKind, { group, name }: Pair, at: number): void {
    const marks = this.#marks[kind]
    if (marks.size >= mostMarks) {
      // Rather everything read again than one change forgotten.
      marks.clear()
      this.#forgottenAt = this.next()
    }
    marks.set(group, name, at)
  }

  missed(): void {
    this.#missedAt = this.next()
  }
}

/** By which look-ups and hints of one kind meet. */
function pairOf(record: RecordKey): Pair {
  const [first = '', second] = keyParts(record)
  if (second === undefined) return { group: noGroup, name: first }
  return record.kind === 'contract' ? { group: second, name: first } : { group: first, name: second }
}
