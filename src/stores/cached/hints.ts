import { keyParts } from '../../contracts/keys.js'
import type { RecordKey, RecordKind } from '../../contracts/store.js'

/** What policies ask for. The audit log is no answer to them, and its entries would crowd out other hints. */
type AskedKind = Exclude<RecordKind, 'audit' | 'audit-head'>

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
  readonly #marks: Readonly<Record<AskedKind, Map<string, number>>> = {
    client: new Map(),
    identity: new Map(),
    contract: new Map(),
    revocation: new Map(),
    tier: new Map(),
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
  about(kind: AskedKind, key: string): number {
    const marks = this.#marks[kind]
    const at = marks.size === 0 ? undefined : marks.get(key)
    return at === undefined || at < this.#forgottenAt ? this.#forgottenAt : at
  }

  changed(keys: readonly RecordKey[]): void {
    const at = this.next()
    for (const key of keys) {
      if (key.kind !== 'audit' && key.kind !== 'audit-head') this.mark(key.kind, joinedKey(key), at)
    }
  }

  mark(kind: AskedKind, key: string, at: number): void {
    const marks = this.#marks[kind]
    if (marks.size >= mostMarks) {
      // Rather everything read again than one change forgotten.
      marks.clear()
      this.#forgottenAt = this.next()
    }
    marks.set(key, at)
  }

  missed(): void {
    this.#missedAt = this.next()
  }
}

/** By which look-ups and hints of one kind meet. */
function joinedKey(record: RecordKey): string {
  const [first = '', second] = keyParts(record)
  if (second === undefined) return first
  return record.kind === 'tier' ? joined(second, first) : joined(first, second)
}

const separator = ' '

/** Two pairs are never one where the second part is joinable: it is what stands after the last space. */
export function joined(first: string, second: string): string {
  return first + separator + second
}

/** No ID that could be found has a space in it. */
export function isJoinable(second: string): boolean {
  return !second.includes(separator)
}
