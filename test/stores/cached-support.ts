import type { Client, Contract, ContractReader, ContractStore, Identity, MaybePromise, Tier } from 'clientele'
import { memoryStore } from 'clientele'
import {
  clientRecord,
  contractRecord,
  linkRecord,
  putClient,
  putLink,
} from '../../src/testing/contract-store-fixtures.js'

export type Answer = Client | Contract | Tier | undefined

interface Held {
  readonly question: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A distant store of one's own, whose answers come when the test says so. */
export class HeldReader implements ContractReader {
  readonly held: Held[] = []

  findClient = ({ issuer, clientId }: Identity) => this.#hold<Client>(`client ${issuer} ${clientId}`)
  findContract = (client: string, api: string) => this.#hold<Contract>(`contract ${client} ${api}`)
  findTier = (api: string, name: string) => this.#hold<Tier>(`tier ${api} ${name}`)

  get questions(): string[] {
    return this.held.map(({ question }) => question)
  }

  #hold<T>(question: string): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.held.push({ question, resolve: resolve as Held['resolve'], reject })
    })
  }

  /** Answers the oldest question, or the one at a place. */
  answer(answer: Answer, at = 0): Promise<void> {
    this.held.splice(at, 1)[0]?.resolve(answer)
    return turn()
  }

  fail(at = 0): Promise<void> {
    this.held.splice(at, 1)[0]?.reject(new Error('down'))
    return turn()
  }
}

/** Lets everything happen that waits for nothing but promises. */
export async function turn(): Promise<void> {
  for (let index = 0; index < 50; index += 1) await Promise.resolve()
}

export const one: Identity = { issuer: 'local', clientId: 'one' }

export function client(version: number, changes: Partial<Client> = {}): Client {
  return clientRecord('one', { version, name: `v${version}`, ...changes })
}

export function contract(version: number, changes: Partial<Contract> = {}): Contract {
  return contractRecord('one', 'orders', { version, ...changes })
}

/** A store that can be watched, counts what it is asked, and can be made to fail. */
export function countingStore(): { store: ContractStore; asked: () => number; fail: (failing: boolean) => void } {
  const inner = memoryStore()
  let asked = 0
  let failing = false
  const ask = <T>(answer: () => MaybePromise<T>): MaybePromise<T> => {
    asked += 1
    if (failing) throw new Error('down')
    return answer()
  }
  const store: ContractStore = {
    capabilities: inner.capabilities,
    findClient: (identity) => ask(() => inner.findClient(identity)),
    findContract: (id, api) => ask(() => inner.findContract(id, api)),
    findTier: (api, name) => ask(() => inner.findTier(api, name)),
    find: (kind, key) => inner.find(kind, key),
    commit: (changes) => inner.commit(changes),
    list: (query) => inner.list(query),
    watch: (changed, missed) => inner.watch(changed, missed),
  }
  return {
    store,
    asked: () => asked,
    fail: (now) => {
      failing = now
    },
  }
}

export const knownClient = (id: string) => [putClient(clientRecord(id)), putLink(linkRecord(id, id))]
