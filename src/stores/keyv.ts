import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Client, Contract, Identity, Tier } from '../contracts/model.js'
import type { Change, ContractStore, ListQuery, Page, RecordKind, Records } from '../contracts/store.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { checkChanges, closed, isRecordOf, type AnyRecord } from './check-changes.js'
import { checkQuery, fits, type CheckedQuery } from './check-query.js'
import { backendOf, type Backend, type KeyvLike } from './keyv/backend.js'
import { KeyLists } from './keyv/key-lists.js'
import { cursorOf, keyvKey } from './keyv/keys.js'
import { KeyvRecords } from './keyv/records.js'
import { decodeRecord } from './keyv/texts.js'
import { KeyvWriter, nothingThere } from './keyv/writer.js'

export type { KeyvLike } from './keyv/backend.js'

/** A contract store that has to be closed, so that its Keyv lets go of its connections. */
export interface KeyvStore extends ContractStore {
  /** Waits for what is being written, then disconnects the Keyv. */
  close(): Promise<void>
}

export interface KeyvStoreOptions {
  /**
   * States that this process, and no other, writes to this Keyv. Without it the store is for reading, and a commit is
   * `ERR_CLIENTELE_OPTIONS`. @default false
   */
  readonly soleWriter?: boolean
  /** How long a call of the Keyv may take; then it has failed. 1 to 600,000. @default 5000 */
  readonly timeoutMs?: number
  /** How many records are kept decoded. @default 10000 */
  readonly cachedRecords?: number
}

const optionsSchema = z.strictObject({
  soleWriter: z.boolean().optional(),
  timeoutMs: z.int().min(1).max(600_000).optional(),
  cachedRecords: z.int().min(1).optional(),
})

/**
 * For contracts in whatever Keyv has an adapter for: `new Keyv(...)` of version 5 or 6, best with a namespace of its
 * own. Any number of processes may read; exactly one may write, with `soleWriter: true`. Keyv can neither compare and
 * set nor change two records in one step, so two that write at the same moment would lose each other's updates; one
 * that comes later takes over, and the earlier is refused from then on.
 *
 * An error that Keyv hides is `ERR_CLIENTELE_STORE` here, and so is a Keyv in which no writer has begun yet. For that
 * the Keyv gets an error listener. Records have no lifetime, whatever that of the Keyv is. A list reads every record
 * of its kind.
 */
export function keyvStore(keyv: KeyvLike, options: KeyvStoreOptions = {}): KeyvStore {
  const {
    soleWriter = false,
    timeoutMs = 5000,
    cachedRecords = 10_000,
  } = checkOptions('keyvStore()', optionsSchema, options)
  const missing = methods.find((name) => typeof (keyv as Partial<KeyvLike> | undefined)?.[name] !== 'function')
  if (missing !== undefined) throw optionsFault('keyvStore()', `expected an instance of Keyv, with a method ${missing}`)
  if ((keyv.store ?? keyv.opts?.store) === undefined) {
    const remedy = "new Keyv({ store: adapter, namespace: 'contracts' })"
    throw optionsFault('keyvStore()', `expected an instance of Keyv; this is an adapter: ${remedy}`)
  }
  const backend = backendOf(keyv, timeoutMs)
  const records = new KeyvRecords(backend)
  const writer = soleWriter ? new KeyvWriter(keyv, backend, records) : undefined
  return new KeyvContractStore(backend, records, writer, cachedRecords)
}

const methods = ['get', 'set', 'delete', 'disconnect', 'on'] as const satisfies readonly (keyof KeyvLike)[]

interface Decoded {
  readonly text: string
  readonly record: AnyRecord
}

/** How many records a list asks for at a time. */
const batchSize = 500

class KeyvContractStore implements KeyvStore {
  readonly capabilities = Object.freeze({ atomicCommits: false, indexedLists: false })
  readonly #backend: Backend
  readonly #records: KeyvRecords
  readonly #lists: KeyLists
  readonly #writer: KeyvWriter | undefined
  readonly #decoded: LRUCache<string, Decoded>
  #closing: Promise<void> | undefined

  constructor(backend: Backend, records: KeyvRecords, writer: KeyvWriter | undefined, cachedRecords: number) {
    this.#backend = backend
    this.#records = records
    this.#lists = new KeyLists(records)
    this.#writer = writer
    this.#decoded = new LRUCache({ max: cachedRecords })
  }

  async findClient(identity: Identity): Promise<Client | undefined> {
    const link = await this.find('identity', identity)
    return link === undefined || link.client === null ? undefined : this.find('client', { id: link.client })
  }

  findContract(client: string, api: string): Promise<Contract | undefined> {
    return this.find('contract', { client, api })
  }

  findTier(api: string, name: string): Promise<Tier | undefined> {
    return this.find('tier', { api, name })
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<Records[K]['value'] | undefined> {
    return this.#open(async () => {
      const [record] = (await this.#read(kind, [keyvKey(kind, key)])) as (Records[K]['value'] | undefined)[]
      return record !== undefined && isRecordOf(kind, record, key) ? record : undefined
    })
  }

  commit(changes: readonly Change[]): Promise<void> {
    return this.#open(async () => {
      const checked = checkChanges(changes)
      if (this.#writer === undefined) {
        throw optionsFault('keyvStore()', 'opened for reading; pass soleWriter: true in the one process that writes')
      }
      await this.#writer.commit(checked)
    })
  }

  list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    return this.#open(async () => (await this.#page(checkQuery(query))) as unknown as Page<K>)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writer?.idle()
    await this.#backend.close()
  }

  async #page({ kind, filters, cursor = '', pageSize }: CheckedQuery): Promise<Page> {
    const listed = await this.#there(() => this.#lists.all(kind))
    const keys = listed.filter((key) => cursorOf(key) > cursor)
    const records: AnyRecord[] = []
    let last = cursor
    for (let start = 0; start < keys.length; start += batchSize) {
      const batch = keys.slice(start, start + batchSize)
      for (const [at, record] of (await this.#read(kind, batch)).entries()) {
        if (records.length === pageSize) return { records, cursor: last }
        if (record !== undefined && fits(record, filters)) records.push(record)
        last = cursorOf(batch[at] ?? '')
      }
    }
    return { records }
  }

  async #read(kind: RecordKind, keys: readonly string[]): Promise<(AnyRecord | undefined)[]> {
    const { texts } = await this.#there(() => this.#records.read(keys))
    return texts.map((text, at) => (text === undefined ? undefined : this.#decode(kind, keys[at] ?? '', text)))
  }

  /** A Keyv that was never written to is an empty store for who writes, and no store at all for others. */
  async #there<T>(read: () => Promise<T | undefined>): Promise<T> {
    const wasMet = this.#records.met
    let answer = await read()
    if (answer === undefined && !wasMet && this.#writer !== undefined) {
      await this.#writer.begin()
      answer = await read()
    }
    if (answer === undefined) throw nothingThere()
    return answer
  }

  /** A record that was decoded before is used again only if the very same text stands there now. */
  #decode(kind: RecordKind, key: string, text: string): AnyRecord {
    const known = this.#decoded.get(key)
    if (known?.text === text) return known.record
    const record = decodeRecord(kind, text)
    this.#decoded.set(key, { text, record })
    return record
  }

  async #open<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closed()
    return work()
  }
}
