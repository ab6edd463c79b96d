import type { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { check } from '../runtime/check.js'
import { deepFreeze } from '../runtime/deep-freeze.js'
import { keySchemas, readSchemas, recordSchemas } from './schemas.js'
import type { RecordKind, Records } from './store.js'

/** Records that came out of `checkRecord`: they are frozen, so one check is enough. */
const checkedAs = new WeakMap<object, RecordKind>()

/** Records that came out of `readRecord`: as frozen, but checked with more patience. */
const readAs = new WeakMap<object, RecordKind>()

/**
 * For everything that takes records from outside: a frozen copy of the value, or `ERR_CLIENTELE_INVALID` with
 * kind and place. The message names no values, since records hold secrets' hashes.
 */
export function checkRecord<K extends RecordKind>(kind: K, value: unknown): Records[K]['value'] {
  if (typeof value === 'object' && value !== null && checkedAs.get(value) === kind) return value as Records[K]['value']
  const record = parse(kind, recordSchemas[kind] as unknown as z.ZodType<Records[K]['value']>, value)
  checkedAs.set(deepFreeze(record), kind)
  return record
}

export function checkKey<K extends RecordKind>(kind: K, key: unknown): Records[K]['key'] {
  return parse(`key of ${kind}`, keySchemas[kind] as unknown as z.ZodType<Records[K]['key']>, key)
}

/** For what people hand to the lifecycle, beside a store: the input as its type says, or `ERR_CLIENTELE_INVALID`. */
export function parseInput<T>(where: string, schema: z.ZodType<T>, input: unknown): T {
  if (input !== undefined) return parse(where, schema, input)
  const message = `${where}: expected an object after the store; the first argument is the store`
  throw new ClienteleFault('ERR_CLIENTELE_INVALID', message)
}

export function parse<T>(where: string, schema: z.ZodType<T>, value: unknown): T {
  return check('ERR_CLIENTELE_INVALID', where, schema, value)
}

/** For records that somebody else keeps: read with more patience than what is written here. */
export function readRecord<K extends 'client' | 'contract' | 'tier'>(kind: K, value: object): Records[K]['value'] {
  if (checkedAs.get(value) === kind || readAs.get(value) === kind) return value as Records[K]['value']
  const record = deepFreeze(parse(kind, readSchemas[kind] as unknown as z.ZodType<Records[K]['value']>, value))
  readAs.set(record, kind)
  return record
}
