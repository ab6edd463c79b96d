import { createHash } from 'node:crypto'
import { keySchemas } from './schemas.js'
import type { RecordKey, RecordKind, Records } from './store.js'

const plain = /^[a-z0-9.-]*$/
const maximumPartLength = 200
const separator = '/'

/**
 * For backends: one string per record, in which case, accent, padding and truncation cannot join two. A
 * database that compares loosely (MySQL and MariaDB on their default collation) would otherwise answer `ACME`
 * with acme's row. Only `a-z`, `0-9`, `.`, `-`, `=` and `/` come out; at most 410 characters.
 */
export function recordKey<K extends RecordKind>(kind: K, key: Records[K]['key']): string {
  const parts = keyParts({ kind, key } as RecordKey)
  return kind + separator + parts.map(escapePart).join(separator)
}

/**
 * The fields a record is found by, in the order in which they stand in its key. Spelt out: going by a list of names
 * makes a find on disk a tenth slower.
 */
export function keyParts(record: RecordKey): readonly string[] {
  switch (record.kind) {
    case 'client':
      return [record.key.id]
    case 'identity':
      return [record.key.issuer, record.key.clientId]
    case 'contract':
      return [record.key.client, record.key.api]
    case 'revocation':
      return [record.key.issuer, record.key.target]
    case 'tier':
      return [record.key.api, record.key.name]
    case 'registration':
      return [record.key.id]
    case 'audit':
      return [record.key.entry]
    case 'audit-head':
      return [record.key.log]
    case 'follower':
      return [record.key.name]
    case 'webhook':
      return [record.key.id]
  }
}

/** The key alone, out of a record, which has its fields under the same names. */
export function keyOf<K extends RecordKind>(kind: K, record: Records[K]['value']): Records[K]['key'] {
  const members = record as unknown as Readonly<Record<string, unknown>>
  const fields = Object.keys(keySchemas[kind].shape).map((field) => [field, members[field]])
  return Object.fromEntries(fields) as Records[K]['key']
}

/** One part of a key. Never holds the separator, so that `a` + `b/c` and `a/b` + `c` stay two. */
export function escapePart(part: string): string {
  if (part.length <= maximumPartLength && plain.test(part)) return part
  // A digest also for ill-formed text: UTF-8 would turn every lone surrogate into the same character.
  if (part.length > maximumPartLength || loneSurrogate.test(part)) return digestOf(part)
  const escaped = escapeBytes(part)
  return escaped.length <= maximumPartLength ? escaped : digestOf(part)
}

const loneSurrogate = /\p{Surrogate}/u

function escapeBytes(part: string): string {
  let escaped = ''
  for (const byte of Buffer.from(part, 'utf8')) {
    const character = String.fromCharCode(byte)
    escaped += plain.test(character) ? character : `=${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}

/** `=h` is never the beginning of an escaped byte, so no text can pass for the digest of another. */
function digestOf(part: string): string {
  return `=h${createHash('sha256').update(part, 'utf16le').digest('hex')}`
}
