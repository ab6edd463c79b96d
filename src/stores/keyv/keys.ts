import { createHash } from 'node:crypto'
import { recordKey } from '../../contracts/keys.js'
import type { RecordKind, Records } from '../../contracts/store.js'

/** Before every key, so that other data in the same Keyv is never taken for ours. */
const prefix = 'clientele/'

/**
 * The adapters for SQL have a column of 255 characters, file names end there too, and the namespace of the Keyv takes
 * its share. Adapters that make file names of keys write three characters for each that is no letter or digit.
 */
const maximumWeight = 180

/** What Keyv 6 takes out of keys where its `sanitize` is on. */
const cutByKeyv = /\.\.|--/

/** The one text under which a record stands in any Keyv: that of `recordKey`, or a digest of it. */
export function keyvKey<K extends RecordKind>(kind: K, key: Records[K]['key']): string {
  return shortened(kind, recordKey(kind, key))
}

/** No part of a key begins with `=k`, so no key can pass for the digest of another. */
export function shortened(kind: RecordKind, storeKey: string): string {
  if (weightOf(prefix + storeKey) <= maximumWeight && !cutByKeyv.test(storeKey)) return prefix + storeKey
  return `${prefix}${kind}/=k${createHash('sha256').update(storeKey).digest('hex')}`
}

/** Where the pages of a list begin and end. */
export function cursorOf(key: string): string {
  return key.slice(prefix.length)
}

/** As heavy as a key can be, so that a place too small for some record is too small for the first thing written. */
export const headKey = padded(`${prefix}head/`)

function padded(key: string): string {
  return key + '0'.repeat(maximumWeight - weightOf(key))
}

const shardCount = 64

/** Which list of keys names this one. */
export function shardKeyOf(key: string): string {
  const [byte = 0] = createHash('sha256').update(key).digest()
  return shardKey(kindOf(key), byte % shardCount)
}

export function shardKeys(kind: RecordKind): string[] {
  return Array.from({ length: shardCount }, (_, shard) => shardKey(kind, shard))
}

function shardKey(kind: string, shard: number): string {
  return `${prefix}keys/${kind}/${String(shard)}`
}

function kindOf(key: string): string {
  return key.slice(prefix.length, key.indexOf('/', prefix.length))
}

function weightOf(key: string): number {
  return key.length + 2 * key.replace(/[a-z0-9]/g, '').length
}
