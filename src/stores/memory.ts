import { keyParts, recordKey } from '../contracts/keys.js'
import type { Client, Contract, Identity, Tier } from '../contracts/model.js'
import type { Change, ContractStore, ListQuery, Page, RecordKey, RecordKind, Records } from '../contracts/store.js'
import { checkChanges, closed, conflict, writtenKeys, type AnyRecord, type CheckedChange } from './check-changes.js'
import { checkQuery, fits, type CheckedQuery } from './check-query.js'
import { Watchers } from './watchers.js'

/** By the first part of a key, then by the second: no joined string is built, hashed or thrown away per find. */
type Table = Map<string, Map<string, AnyRecord>>

/** What `memoryStore` returns: a `ContractStore` whose finds are always at hand. */
export interface MemoryStore extends ContractStore {
  findClient(identity: Identity): Client | undefined
  findContract(client: string, api: string): Contract | undefined
  findTier(api: string, name: string): Tier | undefined
  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Records[K]['value'] | undefined
  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void
  close(): Promise<void>
}

/**
 * For tests, examples and deployments whose contracts are made at start-up: everything in this process, gone
 * with it. All finds answer at once. A list reads every record of its kind.
 */
export function memoryStore(): MemoryStore {
  return new StoreInMemory()
}

class StoreInMemory implements MemoryStore {
  readonly capabilities = Object.freeze({ atomicCommits: true, indexedLists: false })
  readonly #tables: Record<RecordKind, Table> = {
    client: new Map(),
    identity: new Map(),
    contract: new Map(),
    revocation: new Map(),
    tier: new Map(),
    registration: new Map(),
    audit: new Map(),
    'audit-head': new Map(),
    follower: new Map(),
    webhook: new Map(),
  }
  readonly #watchers = new Watchers()
  #closed = false

  findClient({ issuer, clientId }: Identity): Client | undefined {
    const link = this.#read('identity', issuer, clientId) as Records['identity']['value'] | undefined
    if (link === undefined || link.client === null) return undefined
    return this.#read('client', link.client, '') as Client | undefined
  }

  findContract(client: string, api: string): Contract | undefined {
    return this.#read('contract', client, api) as Contract | undefined
  }

  findTier(api: string, name: string): Tier | undefined {
    return this.#read('tier', api, name) as Tier | undefined
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Records[K]['value'] | undefined {
    const [first = '', second = ''] = keyParts({ kind, key } as RecordKey)
    return this.#read(kind, first, second)
  }

  commit(changes: readonly Change[]): Promise<void> {
    return attempt(() => {
      const checked = checkChanges(changes)
      for (const { target, expect } of checked) {
        if ((this.find(target.kind, target.key)?.version ?? null) !== expect) throw conflict(target.kind)
      }
      for (const change of checked) this.#write(change)
      this.#watchers.changed(writtenKeys(checked))
    })
  }

  list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    return attempt(() => {
      if (this.#closed) throw closed()
      const checked = checkQuery(query)
      const page = pageOf(this.#tables[checked.kind], checked)
      return page as unknown as Page<K>
    })
  }

  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void {
    return this.#watchers.add(changed, missed)
  }

  close(): Promise<void> {
    this.#closed = true
    this.#watchers.clear()
    return Promise.resolve()
  }

  #read(kind: RecordKind, first: string, second: string): AnyRecord | undefined {
    // A closed store does not know: "no such thing" would be answered with a 401.
    if (this.#closed) throw closed()
    return this.#tables[kind].get(first)?.get(second)
  }

  #write({ target, value }: CheckedChange): void {
    if (value === undefined) return
    const [first = '', second = ''] = keyParts(target)
    const table = this.#tables[target.kind]
    const row = table.get(first) ?? new Map<string, AnyRecord>()
    if (value === null) row.delete(second)
    else row.set(second, value)
    if (row.size === 0) table.delete(first)
    else table.set(first, row)
  }
}

/** Done at once and in one go, so that no other commit comes in between; a throw is a rejection. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work())
  })
}

function pageOf(table: Table, { kind, filters, cursor, pageSize }: CheckedQuery): Page {
  const rows: (readonly [string, AnyRecord])[] = []
  for (const row of table.values()) {
    for (const record of row.values()) {
      if (!fits(record, filters)) continue
      const key = recordKey(kind, record)
      if (cursor === undefined || key > cursor) rows.push([key, record])
    }
  }
  rows.sort(([one], [other]) => (one < other ? -1 : 1))
  const last = rows.length > pageSize ? rows[pageSize - 1] : undefined
  const records = rows.slice(0, pageSize).map(([, record]) => record)
  return last === undefined ? { records } : { records, cursor: last[0] }
}
