import { escapePart } from '../contracts/keys.js'
import type { RecordKind } from '../contracts/store.js'
import type { AnyRecord, CheckedChange } from './check-changes.js'
import { conflict } from './check-changes.js'
import { fieldOf, listFields, type CheckedQuery } from './check-query.js'

const separator = '/'
/** The character after the separator: where a range over a prefix ends. */
const afterSeparator = '0'

/** What is used of one table of the engine. */
export interface Table {
  getBinary(key: string): Buffer | undefined
  /** Valid until the next read. */
  getBinaryFast(key: string): Buffer | undefined
  getKeys(range: { start: string; end: string; exclusiveStart: boolean; limit: number }): Iterable<string>
  putSync(key: string, value: Buffer): void
  removeSync(key: string): boolean
}

/** What is used of the engine itself. */
export interface Engine {
  resetReadTxn(): void
  getStats(): object
  /** Under the lock of all processes; rolled back by a throw, on the disk on return. */
  transactionSync(work: () => void): void
  close(): Promise<void>
}

export interface DiskRecords {
  /** The bytes that stand there now, whoever wrote them. Valid until the next read. */
  read(storeKey: string): { readonly bytes: Buffer; readonly length: number } | undefined
  commit(changes: readonly CheckedChange[], decode: (bytes: Buffer) => AnyRecord): void
  /** The next store keys in their order, from after the cursor on. */
  keys(query: CheckedQuery, cursor: string | undefined): readonly string[]
  /** Grows with each commit, whoever makes it. */
  revision(): number
  close(): Promise<void>
}

/** One record per key, and an index of keys by field, always changed in the same transaction. */
export function diskRecords(engine: Engine, records: Table, index: Table): DiskRecords {
  return {
    read: (storeKey) => read(engine, records, storeKey),
    commit(changes, decode) {
      engine.transactionSync(() => {
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
      engine.resetReadTxn()
      return keysOf(records, index, query, cursor)
    },
    revision: () => (engine.getStats() as { readonly lastTxnId: number }).lastTxnId,
    close: () => engine.close(),
  }
}

function read(engine: Engine, records: Table, storeKey: string): { bytes: Buffer; length: number } | undefined {
  // lmdb keeps one read transaction per turn of the event loop; an edit by another process shows in a new one only.
  engine.resetReadTxn()
  const bytes = records.getBinaryFast(storeKey)
  return bytes === undefined ? undefined : { bytes, length: bytes.length }
}

function valueOf(records: Table, storeKey: string, decode: (bytes: Buffer) => AnyRecord): AnyRecord | undefined {
  const bytes = records.getBinary(storeKey)
  return bytes === undefined ? undefined : decode(bytes)
}

function write(records: Table, index: Table, change: CheckedChange, before: AnyRecord | undefined): void {
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

function keysOf(records: Table, index: Table, query: CheckedQuery, cursor: string | undefined): readonly string[] {
  const { kind, pageSize } = query
  const [narrowest] = query.filters
  const prefix = narrowest === undefined ? '' : indexPrefix(kind, ...narrowest) + separator
  const start = prefix + (cursor ?? kind + separator)
  const end = prefix + kind + afterSeparator
  const database = prefix === '' ? records : index
  const keys = database.getKeys({ start, end, exclusiveStart: true, limit: pageSize + 1 })
  return [...keys].map((key) => key.slice(prefix.length))
}
