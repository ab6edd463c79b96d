import { open, type Database, type RootDatabase } from 'lmdb'
import { escapePart } from '../contracts/keys.js'
import type { RecordKind } from '../contracts/store.js'
import type { AnyRecord, CheckedChange } from './check-changes.js'
import { conflict } from './check-changes.js'
import { fieldOf, listFields, type CheckedQuery } from './check-query.js'

const separator = '/'
/** The character after the separator: where a range over a prefix ends. */
const afterSeparator = '0'

export interface LmdbRecords {
  /** The bytes that stand there now, whoever wrote them. Valid until the next read. */
  read(storeKey: string): { readonly bytes: Buffer; readonly length: number } | undefined
  commit(changes: readonly CheckedChange[], decode: (bytes: Buffer) => AnyRecord): void
  /** The next store keys in their order, from after the cursor on. */
  keys(query: CheckedQuery, cursor: string | undefined): readonly string[]
  close(): Promise<void>
}

/** One record per key, and an index of keys by field, always changed in the same transaction. */
export function openRecords(path: string): LmdbRecords {
  const root: RootDatabase<Buffer, string> = open({
    path,
    noSubdir: false,
    maxDbs: 2,
    encoding: 'binary',
    // A commit is on the disk before anyone sees it, so that no process decides on a record that a crash takes back.
    overlappingSync: false,
  })
  const records = root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' })
  const index = root.openDB<Buffer, string>({ name: 'index', encoding: 'binary' })
  return {
    read: (storeKey) => read(root, records, storeKey),
    commit(changes, decode) {
      // Synchronous: one transaction under the lock of all processes, rolled back by a throw, on the disk on return.
      root.transactionSync(() => {
        const before = changes.map(({ storeKey }) => valueOf(records, storeKey, decode))
        changes.forEach((change, at) => {
          if ((before[at]?.version ?? null) !== change.expect) throw conflict(change.target.kind)
        })
        changes.forEach((change, at) => {
          write(records, index, change, before[at])
        })
      })
    },
    keys(query, cursor) {
      root.resetReadTxn()
      return keysOf(records, index, query, cursor)
    },
    close: () => root.close(),
  }
}

type Bytes = Database<Buffer, string>

function read(root: Bytes, records: Bytes, storeKey: string): { bytes: Buffer; length: number } | undefined {
  // lmdb keeps one read transaction per turn of the event loop; an edit by another process shows in a new one only.
  root.resetReadTxn()
  const bytes = records.getBinaryFast(storeKey)
  return bytes === undefined ? undefined : { bytes, length: bytes.length }
}

function valueOf(records: Bytes, storeKey: string, decode: (bytes: Buffer) => AnyRecord): AnyRecord | undefined {
  const bytes = records.getBinary(storeKey)
  return bytes === undefined ? undefined : decode(bytes)
}

function write(records: Bytes, index: Bytes, change: CheckedChange, before: AnyRecord | undefined): void {
  const { target, storeKey, value } = change
  if (value === undefined) return
  if (before !== undefined) for (const key of indexKeys(target.kind, before, storeKey)) index.removeSync(key)
  if (value === null) {
    records.removeSync(storeKey)
    return
  }
  records.putSync(storeKey, Buffer.from(JSON.stringify(value)))
  for (const key of indexKeys(target.kind, value, storeKey)) index.putSync(key, Buffer.from(storeKey))
}

function indexKeys(kind: RecordKind, record: AnyRecord, storeKey: string): string[] {
  return listFields[kind].flatMap((field) => {
    const value = fieldOf(record, field)
    return value === undefined ? [] : [indexPrefix(kind, field, value) + separator + storeKey]
  })
}

function indexPrefix(kind: RecordKind, field: string, value: string): string {
  return [kind, field, escapePart(value)].join(separator)
}

function keysOf(records: Bytes, index: Bytes, query: CheckedQuery, cursor: string | undefined): readonly string[] {
  const { kind, limit } = query
  const [narrowest] = query.filters
  const prefix = narrowest === undefined ? '' : indexPrefix(kind, ...narrowest) + separator
  const start = prefix + (cursor ?? kind + separator)
  const end = prefix + kind + afterSeparator
  const database = prefix === '' ? records : index
  const keys = database.getKeys({ start, end, exclusiveStart: true, limit: limit + 1 })
  return [...keys].map((key) => key.slice(prefix.length))
}
