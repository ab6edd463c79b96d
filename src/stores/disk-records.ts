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

export interface Tables {
  readonly records: Table
  /** Store keys by field, always changed in the same transaction. */
  readonly index: Table
}

/** The bytes that stand there now, whoever wrote them. Valid until the next read. */
export function readRecord(
  { records }: Tables,
  storeKey: string,
): { readonly bytes: Buffer; readonly length: number } | undefined {
  const bytes = records.getBinaryFast(storeKey)
  return bytes === undefined ? undefined : { bytes, length: bytes.length }
}

/** For use in a transaction. */
export function commitRecords(
  { records, index }: Tables,
  changes: readonly CheckedChange[],
  decode: (bytes: Buffer) => AnyRecord,
): void {
  const before = changes.map(({ storeKey }) => valueOf(records, storeKey, decode))
  changes.forEach((change, at) => {
    if ((before[at]?.version ?? null) !== change.expect) throw conflict(change.target.kind)
  })
  changes.forEach((change, at) => {
    write(records, index, change, before[at])
  })
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

/** The next store keys in their order, from after the cursor on. */
export function recordKeys(
  { records, index }: Tables,
  query: CheckedQuery,
  cursor: string | undefined,
): readonly string[] {
  const { kind, pageSize } = query
  const [narrowest] = query.filters
  const prefix = narrowest === undefined ? '' : indexPrefix(kind, ...narrowest) + separator
  const start = prefix + (cursor ?? kind + separator)
  const end = prefix + kind + afterSeparator
  const database = prefix === '' ? records : index
  const keys = database.getKeys({ start, end, exclusiveStart: true, limit: pageSize + 1 })
  return [...keys].map((key) => key.slice(prefix.length))
}
