import type { Client, Contract, Identity, Tier } from '../../contracts/model.js'
import type {
  Change,
  ContractReader,
  ContractStore,
  ListQuery,
  Page,
  RecordKind,
  Records,
  StoreCapabilities,
} from '../../contracts/store.js'
import { isOutage } from '../../decisions/faults.js'
import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { closed } from '../check-changes.js'
import { Hints } from './hints.js'
import { Lookups } from './lookups.js'
import { missBudget } from './miss-budget.js'
import type { LookupBounds, LookupTimes } from './question.js'
import { clientQuestion, contractQuestion, tierQuestion } from './questions.js'

export interface CacheSettings extends LookupTimes, LookupBounds {
  readonly missesPerSecond: number
}

/** What policies ask, answered from memory. */
export class CachedReader implements ContractReader {
  readonly #clients: Lookups<Client>
  readonly #contracts: Lookups<Contract>
  readonly #tiers: Lookups<Tier>

  constructor(reader: ContractReader, hints: Hints, settings: CacheSettings) {
    const budget = missBudget(settings.missesPerSecond)
    this.#clients = new Lookups(clientQuestion(reader, hints, budget), hints, settings, settings)
    this.#contracts = new Lookups(contractQuestion(reader, hints), hints, settings, settings)
    this.#tiers = new Lookups(tierQuestion(reader, hints), hints, settings, settings)
  }

  findClient({ issuer, clientId }: Identity): MaybePromise<Client | undefined> {
    return this.#clients.find(issuer, clientId)
  }

  findContract(client: string, api: string): MaybePromise<Contract | undefined> {
    return this.#contracts.find(api, client)
  }

  findTier(api: string, name: string): MaybePromise<Tier | undefined> {
    return this.#tiers.find(api, name)
  }
}

/** The same for a whole store: people read and write past the cache, and it learns what changes. */
export class CachedContractStore implements ContractStore {
  readonly capabilities: StoreCapabilities
  readonly watch?: NonNullable<ContractStore['watch']>
  readonly freshness?: NonNullable<ContractStore['freshness']>
  readonly #store: ContractStore
  readonly #reader: ContractReader
  readonly #hints: Hints
  readonly #stopWatching: (() => void) | undefined
  #isClosed = false

  constructor(store: ContractStore, settings: CacheSettings) {
    const hints = new Hints()
    this.#store = store
    this.#hints = hints
    this.#reader = new CachedReader(store, hints, settings)
    this.capabilities = store.capabilities
    this.#stopWatching = store.watch?.(
      (keys) => {
        hints.changed(keys)
      },
      () => {
        hints.missed()
      },
    )
    if (store.watch !== undefined) this.watch = store.watch.bind(store)
    if (store.freshness !== undefined) this.freshness = store.freshness.bind(store)
  }

  findClient(identity: Identity): MaybePromise<Client | undefined> {
    return this.#open(this.#reader).findClient(identity)
  }

  findContract(client: string, api: string): MaybePromise<Contract | undefined> {
    return this.#open(this.#reader).findContract(client, api)
  }

  findTier(api: string, name: string): MaybePromise<Tier | undefined> {
    return this.#open(this.#reader).findTier(api, name)
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): MaybePromise<Records[K]['value'] | undefined> {
    return this.#open(this.#store).find(kind, key)
  }

  async commit(changes: readonly Change[]): Promise<void> {
    try {
      await this.#store.commit(changes)
      this.#hints.changed(changes)
    } catch (error) {
      // It may have happened all the same.
      if (isOutage(error)) this.#hints.changed(changes)
      throw error
    }
  }

  list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    return this.#store.list(query)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopWatching?.()
    await this.#store.close?.()
  }

  #open<T>(inner: T): T {
    if (this.#isClosed) throw closed()
    return inner
  }
}
