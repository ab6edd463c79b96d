import { ClienteleFault } from '../decisions/faults.js'
import { checkKey, checkRecord } from '../contracts/check-record.js'
import { keyParts, recordKey } from '../contracts/keys.js'
import { recordSchemas } from '../contracts/schemas.js'
import type { Change, RecordKey, RecordKind, Records } from '../contracts/store.js'

export type AnyRecord = Records[RecordKind]['value']

/** A change that a store can carry out without a further look at its shape. */
export interface CheckedChange {
  readonly target: RecordKey
  /** What a backend keeps the record under. */
  readonly storeKey: string
  readonly expect: number | null
  /** Frozen. `null`: nothing stands there afterwards; `undefined`: only the expectation is checked. */
  readonly value: AnyRecord | null | undefined
}

/**
 * For the `commit` of every store: all that can be said about a list of changes without looking at what is
 * stored. Throws `ERR_CLIENTELE_INVALID`.
 */
export function checkChanges(changes: readonly Change[]): readonly CheckedChange[] {
  const checked = changes.map(checkChange)
  if (new Set(checked.map((change) => change.storeKey)).size < checked.length) {
    throw invalid('two changes of one commit have the same key; make them one')
  }
  return checked
}

function checkChange(change: Change): CheckedChange {
  const { kind, expect, value } = change
  if (!Object.hasOwn(recordSchemas, kind)) throw invalid('a change has a kind that no record has')
  if (expect !== null && !Number.isSafeInteger(expect)) throw invalid(`${kind}: expected a version or null as expect`)
  const target = { kind, key: checkKey(kind, change.key) } as RecordKey
  const storeKey = recordKey(kind, target.key)
  if (kind === 'audit' && value !== undefined && (expect !== null || value === null)) {
    throw invalid('audit: entries are added, and neither edited nor removed')
  }
  if (value === undefined || value === null) return { target, storeKey, expect, value }
  const record = checkRecord(kind, value)
  if (recordKey(kind, record) !== storeKey) throw invalid(`${kind}: the record has another key than the change`)
  if (record.version <= (expect ?? 0)) throw invalid(`${kind}: expected a version above that of expect`)
  return { target, storeKey, expect, value: record }
}

/** What watchers are told of a commit. */
export function writtenKeys(changes: readonly CheckedChange[]): readonly RecordKey[] {
  return changes.filter(({ value }) => value !== undefined).map(({ target }) => target)
}

/** Whether a record that was found is the very one that was asked for. */
export function isRecordOf<K extends RecordKind>(
  kind: K,
  record: Records[K]['value'],
  key: Records[K]['key'],
): boolean {
  const own = keyParts({ kind, key: record } as unknown as RecordKey)
  const asked = keyParts({ kind, key } as RecordKey)
  return own.every((part, index) => part === asked[index])
}

export function conflict(kind: RecordKind): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_CONFLICT', `The ${kind} has changed since it was read; read it again.`)
}

export function closed(): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', 'The contract store is closed.')
}

function invalid(message: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_INVALID', `commit(): ${message}`)
}
