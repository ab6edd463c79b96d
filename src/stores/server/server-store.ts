import { checkRecord, readRecord } from '../../contracts/check-record.js'
import type { Client, Contract, Identity, Tier } from '../../contracts/model.js'
import { storeFault, tooLate } from '../../contracts/reader.js'
import type { Change, ContractStore, ListQuery, Page, RecordKey, RecordKind, Records } from '../../contracts/store.js'
import { ClienteleFault, isOutage } from '../../decisions/faults.js'
import { deadline } from '../../runtime/deadline.js'
import { checkChanges, closed, isRecordOf, writtenKeys, type CheckedChange } from '../check-changes.js'
import { checkQuery, type CheckedQuery } from '../check-query.js'
import { Watchers } from '../watchers.js'
import { keysInHint } from './hint-text.js'
import { Subscription, type Channel } from './subscription.js'

/** A store that has to be closed, so that it lets go of the connection on which it listens. */
export interface ServerStore extends ContractStore {
  /** For start-up: rejects with `ERR_CLIENTELE_STORE` where the server does not answer, or may not be used as it is. */
  ready(): Promise<void>
  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void
  /** Waits for what is being written. The client or pool that the store was given stays open: it is yours to close. */
  close(): Promise<void>
}

export interface TextPage {
  readonly texts: readonly string[]
  readonly cursor: string | undefined
}

/** What a server is asked for: records as texts, all that comes in checked already. */
export interface ServerBackend extends Channel {
  readonly timeoutMs: number
  ready(): Promise<void>
  record<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<string | undefined>
  client(identity: Identity): Promise<string | undefined>
  page(query: CheckedQuery): Promise<TextPage>
  /** Tells all who listen, too. */
  commit(changes: readonly CheckedChange[]): Promise<void>
  close(): void
}

export class ServerContractStore implements ServerStore {
  readonly capabilities = Object.freeze({ atomicCommits: true, indexedLists: true })
  readonly #backend: ServerBackend
  readonly #watchers = new Watchers()
  readonly #writing = new Set<Promise<void>>()
  #subscription: Subscription | undefined
  #closing: Promise<void> | undefined

  constructor(backend: ServerBackend) {
    this.#backend = backend
  }

  ready(): Promise<void> {
    return this.#ask(() => this.#backend.ready())
  }

  findClient(identity: Identity): Promise<Client | undefined> {
    return this.#ask(async () => readText('client', await this.#backend.client(identity)))
  }

  findContract(client: string, api: string): Promise<Contract | undefined> {
    return this.#findToRead('contract', { client, api })
  }

  findTier(api: string, name: string): Promise<Tier | undefined> {
    return this.#findToRead('tier', { api, name })
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Promise<Records[K]['value'] | undefined> {
    return this.#ask(async () => {
      const text = await this.#backend.record(kind, key)
      const record = text === undefined ? undefined : checkText(kind, text)
      return record !== undefined && isRecordOf(kind, record, key) ? record : undefined
    })
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const checked = checkChanges(changes)
    if (this.#closing !== undefined) throw closed()
    const writing = this.#write(checked)
    this.#writing.add(writing)
    await writing.finally(() => this.#writing.delete(writing))
  }

  async list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    const checked = checkQuery(query)
    return this.#ask(async () => {
      const { texts, cursor } = await this.#backend.page(checked)
      const records = texts.map((text) => checkText(query.kind, text))
      return cursor === undefined ? { records } : { records, cursor }
    })
  }

  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void {
    if (this.#closing !== undefined) throw closed()
    const stop = this.#watchers.add(changed, missed)
    this.#subscription ??= new Subscription(this.#backend, {
      message: (text) => {
        const keys = keysInHint(text)
        if (keys === undefined) this.#watchers.missed()
        else this.#watchers.changed(keys)
      },
      begun: () => {
        this.#watchers.missed()
      },
    })
    return () => {
      stop()
      if (this.#watchers.size === 0) void this.#unsubscribe()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#watchers.clear()
    await Promise.allSettled([...this.#writing, this.#unsubscribe()])
    this.#backend.close()
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription
    this.#subscription = undefined
    await subscription?.stop()
  }

  /** For policies, which read what a newer version of this package has written, too. */
  #findToRead<K extends 'contract' | 'tier'>(
    kind: K,
    key: Records[K]['key'],
  ): Promise<Records[K]['value'] | undefined> {
    return this.#ask(async () => {
      const record = readText(kind, await this.#backend.record(kind, key))
      return record !== undefined && isRecordOf(kind, record, key) ? record : undefined
    })
  }

  async #write(checked: readonly CheckedChange[]): Promise<void> {
    const { timeoutMs } = this.#backend
    try {
      await deadline(this.#backend.commit(checked), timeoutMs, () => tooLate(timeoutMs))
    } catch (error) {
      if (error instanceof ClienteleFault && error.code === 'ERR_CLIENTELE_CONFLICT') throw error
      this.#watchers.changed(writtenKeys(checked))
      const message = 'The contract store failed in a commit. Whether it was carried out is not known: read again.'
      throw isOutage(error) ? error : new ClienteleFault('ERR_CLIENTELE_STORE', message, { cause: error })
    }
    this.#watchers.changed(writtenKeys(checked))
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closed()
    const { timeoutMs } = this.#backend
    try {
      return await deadline(work(), timeoutMs, () => tooLate(timeoutMs))
    } catch (error) {
      throw storeFault(error)
    }
  }
}

function readText<K extends 'client' | 'contract' | 'tier'>(
  kind: K,
  text: string | undefined,
): Records[K]['value'] | undefined {
  return text === undefined ? undefined : readRecord(kind, JSON.parse(text) as object)
}

/** For people and the lifecycle, which must not write back half of what they do not understand. */
function checkText<K extends RecordKind>(kind: K, text: string): Records[K]['value'] {
  return checkRecord(kind, JSON.parse(text))
}
