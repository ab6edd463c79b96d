import type { RecordKind } from '../../contracts/store.js'
import { shardKeyOf, shardKeys } from './keys.js'
import type { KeyvRecords } from './records.js'

const separator = ' '

/**
 * The keys of all records of a kind, in shards: not every Keyv can be walked through, and none says when it could not.
 * A key too many does no harm, since there is no record under it; so keys come before their records and go after them.
 */
export class KeyLists {
  readonly #records: KeyvRecords

  constructor(records: KeyvRecords) {
    this.#records = records
  }

  add(keys: readonly string[]): Promise<void> {
    return this.#change(keys, (listed, key) => listed.add(key))
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#change(keys, (listed, key) => listed.delete(key))
  }

  /** In their order. `undefined`: nothing of ours is in this Keyv. */
  async all(kind: RecordKind): Promise<string[] | undefined> {
    const reading = await this.#records.read(shardKeys(kind))
    return reading?.texts.flatMap(keysIn).sort()
  }

  async #change(keys: readonly string[], change: (listed: Set<string>, key: string) => unknown): Promise<void> {
    const shards = [...new Set(keys.map(shardKeyOf))]
    const texts = (await this.#records.read(shards))?.texts ?? []
    const listed = new Map(shards.map((shard, at) => [shard, new Set(keysIn(texts[at]))]))
    for (const key of keys) change(listed.get(shardKeyOf(key)) ?? new Set(), key)
    await this.#records.put(new Map([...listed].map(([shard, all]) => [shard, [...all].join(separator)])))
  }
}

function keysIn(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(separator)
}
