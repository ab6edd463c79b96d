import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { checkRecord } from '../contracts/check-record.js'
import { recordKey } from '../contracts/keys.js'
import type { Client, Contract, Identity, Tier } from '../contracts/model.js'
import type { Change, ContractStore, ListQuery, Page, RecordKey, RecordKind, Records } from '../contracts/store.js'
import { checkOptions } from '../runtime/check.js'
import { checkChanges, isRecordOf, writtenKeys, type AnyRecord } from './check-changes.js'
import { checkQuery, fits, type CheckedQuery } from './check-query.js'
import { DiskEngine } from '../runtime/disk-engine.js'
import { commitRecords, readRecord, recordKeys, type Tables } from './disk-records.js'
import { DiskWatch } from './disk-watch.js'

/** A contract store that has to be closed before another process may move its files. */
export interface DiskStore extends ContractStore {
  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void
  /** Waits for what is being written. */
  close(): Promise<void>
}

export interface DiskStoreOptions {
  /** A directory of its own, made if it is not there: it and the files in it become readable by their owner alone. */
  readonly path: string
  /** How many records are kept decoded. @default 10000 */
  readonly cachedRecords?: number
}

const optionsSchema = z.strictObject({
  path: z.string().min(1),
  cachedRecords: z.int().min(1).optional(),
})

/**
 * For contracts that outlive the process, without a server: a directory that several processes of one machine may
 * share. A resolved `commit` survives a kill of the process and, as far as the disk keeps its word, a power loss;
 * each find sees what any process has committed. The bytes of a removed record may stay in the file until they are
 * written over: delete the directory to be rid of them. Not for network file systems. A commit holds the event
 * loop until it is on the disk, some 0.4 ms.
 *
 * lmdb rather than SQLite: its binaries come inside its registry packages, where better-sqlite3 needs a download or
 * a compiler; a find takes a third of the time and no lock, also while another process writes.
 */
export function diskStore(options: DiskStoreOptions): DiskStore {
  const { path, cachedRecords = 10_000 } = checkOptions('diskStore()', optionsSchema, options)
  return new LmdbStore(engineAt(path), cachedRecords)
}

function engineAt(path: string): DiskEngine<Tables> {
  return new DiskEngine({
    path,
    name: 'diskStore()',
    code: 'ERR_CLIENTELE_STORE',
    remedy: 'put a backup in its place, or move it away to begin anew',
    // A commit is on the disk before anyone sees it, so that no process decides on a record that a crash takes back.
    options: { maxDbs: 2, encoding: 'binary', overlappingSync: false },
    tables: (root) => ({
      records: root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' }),
      index: root.openDB<Buffer, string>({ name: 'index', encoding: 'binary' }),
    }),
  })
}

interface Decoded {
  readonly bytes: Buffer
  readonly record: AnyRecord
}

class LmdbStore implements DiskStore {
  readonly capabilities = Object.freeze({ atomicCommits: true, indexedLists: true })
  readonly #engine: DiskEngine<Tables>
  readonly #decoded: LRUCache<string, Decoded>
  readonly #watch: DiskWatch

  constructor(engine: DiskEngine<Tables>, cachedRecords: number) {
    this.#engine = engine
    this.#watch = new DiskWatch(() => engine.revision())
    this.#decoded = new LRUCache({ max: cachedRecords })
  }

  findClient(identity: Identity): Client | undefined {
    const link = this.find('identity', identity)
    return link === undefined || link.client === null ? undefined : this.find('client', { id: link.client })
  }

  findContract(client: string, api: string): Contract | undefined {
    return this.find('contract', { client, api })
  }

  findTier(api: string, name: string): Tier | undefined {
    return this.find('tier', { api, name })
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Records[K]['value'] | undefined {
    const record = this.#read(kind, recordKey(kind, key)) as Records[K]['value'] | undefined
    return record !== undefined && isRecordOf(kind, record, key) ? record : undefined
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw has to become a rejection
  async commit(changes: readonly Change[]): Promise<void> {
    const checked = checkChanges(changes)
    this.#engine.change(checked.length, (tables) => {
      commitRecords(tables, checked, (bytes) => JSON.parse(bytes.toString()) as AnyRecord)
    })
    this.#watch.committed(writtenKeys(checked))
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a throw has to become a rejection
  async list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    return this.#page(checkQuery(query)) as unknown as Page<K>
  }

  #page(query: CheckedQuery): Page {
    const records: AnyRecord[] = []
    let { cursor } = query
    for (;;) {
      const keys = this.#engine.read((tables) => recordKeys(tables, query, cursor))
      for (const key of keys) {
        if (records.length === query.pageSize) return cursor === undefined ? { records } : { records, cursor }
        const record = this.#read(query.kind, key)
        if (record !== undefined && fits(record, query.filters)) records.push(record)
        cursor = key
      }
      if (keys.length <= query.pageSize) return { records }
    }
  }

  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void {
    return this.#watch.add(changed, missed)
  }

  close(): Promise<void> {
    this.#watch.clear()
    return this.#engine.close()
  }

  /** A record that was decoded before is used again only if the very same bytes stand there now. */
  #read(kind: RecordKind, storeKey: string): AnyRecord | undefined {
    return this.#engine.read((tables) => {
      const stored = readRecord(tables, storeKey)
      if (stored === undefined) return undefined
      const { bytes, length } = stored
      const known = this.#decoded.get(storeKey)
      if (known?.bytes.length === length && known.bytes.compare(bytes, 0, length) === 0) return known.record
      const copy = Buffer.from(bytes.subarray(0, length))
      const record = checkRecord(kind, JSON.parse(copy.toString()))
      this.#decoded.set(storeKey, { bytes: copy, record })
      return record
    })
  }
}
