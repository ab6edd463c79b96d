import { keySchemas } from '../../contracts/schemas.js'
import { keyParts } from '../../contracts/keys.js'
import type { RecordKey, RecordKind } from '../../contracts/store.js'

/** What a server passes on about a commit: keys, and never what stands there. */
export function hintText(keys: readonly RecordKey[]): string {
  return JSON.stringify(keys.map((key) => [key.kind, ...keyParts(key)]))
}

/** `undefined` for whatever is no such text: then anything may have changed. */
export function keysInHint(text: string): readonly RecordKey[] | undefined {
  try {
    return (JSON.parse(text) as unknown[][]).map(([kind, ...parts]) => recordKeyOf(kind as RecordKind, parts))
  } catch {
    return undefined
  }
}

/** The fields of a schema stand in the order of the parts of its keys. */
function recordKeyOf(kind: RecordKind, parts: readonly unknown[]): RecordKey {
  const schema = keySchemas[kind]
  const key = schema.parse(Object.fromEntries(Object.keys(schema.shape).map((field, at) => [field, parts[at]])))
  return { kind, key } as RecordKey
}
