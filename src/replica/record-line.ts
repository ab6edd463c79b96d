import { checkKey, checkRecord } from '../contracts/check-record.js'
import { keyOf } from '../contracts/keys.js'
import { isPolicyKind } from '../contracts/policy-kinds.js'
import type { RecordKey, RecordKind } from '../contracts/store.js'
import type { AnyRecord } from '../stores/check-changes.js'

import type { SourceChange } from './source.js'

/** One line of a feed: a record. The same record is the same text, in whatever order its members came. */
export function recordLine(kind: RecordKind, value: AnyRecord): string {
  return `{"kind":"${kind}","value":${canonicalText(value)}}`
}

/** One line of a feed: that there is no such record any more. */
export function removalLine({ kind, key }: RecordKey): string {
  return `{"kind":"${kind}","key":${canonicalText(key)},"value":null}`
}

/** Throws for whatever is no such line. */
export function readLine(line: string): SourceChange {
  const { kind, key, value } = JSON.parse(line) as { kind?: unknown; key?: unknown; value?: unknown }
  if (!isPolicyKind(kind)) throw new TypeError('A line of a feed has a kind that no replica keeps.')
  if (value === null) return { kind, key: checkKey(kind, key), value } as SourceChange
  const record = checkRecord(kind, value)
  return { kind, key: keyOf(kind, record), value: record } as SourceChange
}

function canonicalText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`
  const members = value as Readonly<Record<string, unknown>>
  const names = Object.keys(members).filter((name) => members[name] !== undefined)
  const texts = names.sort().map((name) => `${JSON.stringify(name)}:${canonicalText(members[name])}`)
  return `{${texts.join(',')}}`
}
