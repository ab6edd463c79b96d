import type { Client, Contract, Identity, Tier } from '../contracts/model.js'
import type {
  Change,
  ContractStore,
  Freshness,
  ListQuery,
  Page,
  RecordKey,
  RecordKind,
  Records,
} from '../contracts/store.js'
import { ClienteleFault } from '../decisions/faults.js'
import { closed } from '../stores/check-changes.js'
import { type Watchers } from '../stores/watchers.js'
import type { LocalStore } from './place.js'
import type { ReplicaStatus } from './replica-events.js'
import type { Synchronizer } from './synchronizer.js'

/** A contract store that is kept in step with another one. Nobody writes to it but its source. */
export interface Replica extends ContractStore {
  /** For health checks: whether it would be decided on what is here, how old that is, and what went wrong last. */
  ready(): ReplicaStatus
  /**
   * Puts the snapshot that waits in force, after a person has looked at it. `digest` is that of `ready().held`.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_STATE` where no snapshot with that digest waits
   */
  accept(digest: string): Promise<void>
  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void
  /** Stops asking the source. A store that was given as source stays open. */
  close(): Promise<void>
}

export interface ReplicaTerms {
  readonly maxAgeMs: number
  readonly everyMs: number
  readonly start: 'strict' | 'flexible'
}

export class LocalReplica implements Replica {
  readonly capabilities = Object.freeze({ atomicCommits: true, indexedLists: true })
  readonly #synchronizer: Synchronizer
  readonly #watchers: Watchers
  readonly #terms: ReplicaTerms
  #closing: Promise<void> | undefined

  constructor(synchronizer: Synchronizer, watchers: Watchers, terms: ReplicaTerms) {
    this.#synchronizer = synchronizer
    this.#watchers = watchers
    this.#terms = terms
  }

  findClient(identity: Identity): Client | undefined {
    return this.#open().findClient(identity) as Client | undefined
  }

  findContract(client: string, api: string): Contract | undefined {
    return this.#open().find('contract', { client, api })
  }

  findTier(api: string, name: string): Tier | undefined {
    return this.#open().find('tier', { api, name })
  }

  find<K extends RecordKind>(kind: K, key: Records[K]['key']): Records[K]['value'] | undefined {
    return this.#open().find(kind, key)
  }

  async list<K extends RecordKind>(query: ListQuery<K>): Promise<Page<K>> {
    return this.#open().list(query)
  }

  commit(_changes: readonly Change[]): Promise<void> {
    const message = 'A replica cannot be written to: make the change at its source, and it will be here.'
    return Promise.reject(new ClienteleFault('ERR_CLIENTELE_STATE', message))
  }

  watch(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void {
    return this.#watchers.add(changed, missed)
  }

  freshness(): Freshness {
    this.#open()
    const ageMs = this.#synchronizer.ageMs ?? Infinity
    return { ageMs, leftMs: this.#terms.maxAgeMs - ageMs }
  }

  ready(): ReplicaStatus {
    return { ready: this.#closing === undefined && this.#trouble() === undefined, ...this.#synchronizer.status }
  }

  accept(digest: string): Promise<void> {
    return this.#synchronizer.accept(digest)
  }

  close(): Promise<void> {
    this.#watchers.clear()
    this.#closing ??= this.#synchronizer.close()
    return this.#closing
  }

  #open(): LocalStore {
    if (this.#closing !== undefined) throw closed()
    const { store } = this.#synchronizer
    const trouble = this.#trouble()
    if (trouble !== undefined || store === undefined) throw this.#fault(trouble ?? 'waiting')
    return store
  }

  #trouble(): 'waiting' | 'too_old' | undefined {
    const { store, ageMs = Infinity, hasSynchronized } = this.#synchronizer
    if (store === undefined || (this.#terms.start === 'strict' && !hasSynchronized)) return 'waiting'
    return ageMs < this.#terms.maxAgeMs ? undefined : 'too_old'
  }

  #fault(reason: 'waiting' | 'too_old'): ClienteleFault {
    const details = { reason, retryAfterSeconds: Math.max(1, this.#terms.everyMs / 1000) }
    return reason === 'waiting'
      ? new ClienteleFault('ERR_CLIENTELE_NOT_READY', 'The replica has not heard from its source yet.', details)
      : new ClienteleFault('ERR_CLIENTELE_STALE', 'What the replica holds is older than maxAgeMs.', details)
  }
}
