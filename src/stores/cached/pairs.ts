import { LRUCache } from 'lru-cache'

/** What a record is found by. Many share a group (an API, an issuer); the name tells them apart. */
export interface Pair {
  readonly group: string
  readonly name: string
}

/** A table for each group: no joined text is written, hashed and compared per find. */
export class PairMap<V> {
  readonly #groups = new Map<string, Map<string, V>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(group: string, name: string): V | undefined {
    return this.#groups.get(group)?.get(name)
  }

  set(group: string, name: string, value: V): void {
    let members = this.#groups.get(group)
    if (members === undefined) {
      members = new Map()
      this.#groups.set(group, members)
    }
    this.#size -= members.size
    members.set(name, value)
    this.#size += members.size
  }

  delete(group: string, name: string): void {
    const members = this.#groups.get(group)
    if (members?.delete(name) !== true) return
    this.#size -= 1
    // So there are never more groups than members, whoever chose their names.
    if (members.size === 0) this.#groups.delete(group)
  }

  clear(): void {
    this.#groups.clear()
    this.#size = 0
  }
}

/**
 * Not more than so many over all groups: the one that was set longest ago goes first. Not the one that was used
 * longest ago: whoever is in use is read again, and its place costs no write per use.
 */
export class BoundedPairs<V extends Pair> {
  readonly #pairs = new PairMap<V>()
  /** By the entries themselves. One for all groups: it takes the room for all that it may ever hold at once. */
  readonly #order: LRUCache<V, true>

  constructor(max: number) {
    this.#order = new LRUCache({
      max,
      dispose: (_, { group, name }, reason) => {
        if (reason === 'evict') this.#pairs.delete(group, name)
      },
    })
  }

  get(group: string, name: string): V | undefined {
    return this.#pairs.get(group, name)
  }

  set(entry: V): void {
    const { group, name } = entry
    const before = this.#pairs.get(group, name)
    if (before !== undefined) this.#order.delete(before)
    this.#pairs.set(group, name, entry)
    this.#order.set(entry, true)
  }

  delete({ group, name }: Pair): void {
    const before = this.#pairs.get(group, name)
    if (before === undefined) return
    this.#order.delete(before)
    this.#pairs.delete(group, name)
  }
}

/** A text out of a request may be a piece of a longer one, which V8 keeps whole for as long as there is the piece. */
export function detached(text: string): string {
  const bytes = Buffer.from(text, 'latin1').toString('latin1')
  return bytes === text ? bytes : Buffer.from(text, 'utf16le').toString('utf16le')
}
