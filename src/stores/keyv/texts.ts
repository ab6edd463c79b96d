import { checkRecord } from '../../contracts/check-record.js'
import type { RecordKind } from '../../contracts/store.js'
import type { AnyRecord } from '../check-changes.js'
import { outage } from './backend.js'

/** JSON with nothing in it that a column of a small character set would turn into something else. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export function decodeRecord(kind: RecordKind, text: string): AnyRecord {
  return decoded(`a ${kind} record`, text, (value) => checkRecord(kind, value))
}

/** What a text says, or `ERR_CLIENTELE_STORE`: what cannot be read is not known. */
export function decoded<T>(what: string, text: string, check: (value: unknown) => T): T {
  try {
    return check(JSON.parse(text))
  } catch (error) {
    throw outage(`${what} is damaged, or of a newer version.`, error)
  }
}
