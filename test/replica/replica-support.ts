import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, type Change, type ContractStore, type MemoryStore } from 'clientele'
import {
  contractFeed,
  httpSource,
  replicate,
  type ContractFeed,
  type HttpSourceOptions,
  type ReplicaEvent,
  type ReplicateOptions,
} from 'clientele/replica'
import { onTestFinished } from 'vitest'
import {
  clientRecord,
  contractRecord,
  linkRecord,
  putClient,
  putContract,
  putLink,
} from '../../src/testing/contract-store-fixtures.js'
import { listen } from '../support/frameworks.js'

export const sharedKey = 'a key of thirty-two characters or more'
export const signature = { sharedKey }

/** A directory of a test's own. */
export function ownDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'clientele-replica-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return join(path, 'replica')
}

/** A client with a contract, as changes. */
export function approved(id: string): Change[] {
  return [putClient(clientRecord(id)), putLink(linkRecord(id, id)), putContract(contractRecord(id, 'orders'))]
}

export async function storeWith(...ids: readonly string[]): Promise<MemoryStore> {
  const store = memoryStore()
  for (const id of ids) await store.commit(approved(id))
  return store
}

export const names = (count: number, prefix = 'client'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

/** The same contract in another state, one version later. */
export async function setState(store: ContractStore, client: string, state: 'approved' | 'revoked'): Promise<void> {
  const before = await store.findContract(client, 'orders')
  if (before === undefined) throw new Error(`there is no contract of ${client}`)
  const value = { ...before, state, version: before.version + 1 }
  await store.commit([putContract(value, before.version)])
}

export async function removeContract(store: ContractStore, client: string): Promise<void> {
  const before = await store.findContract(client, 'orders')
  const key = { client, api: 'orders' }
  await store.commit([{ kind: 'contract', key, expect: before?.version ?? null, value: null }])
}

export function replica(options: Partial<ReplicateOptions> & Pick<ReplicateOptions, 'from'>) {
  const events: ReplicaEvent[] = []
  const made = replicate({
    into: 'memory',
    everyMs: 200,
    maxAgeMs: 3_600_000,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  onTestFinished(() => made.close())
  return Object.assign(made, { events })
}

export const kinds = (events: readonly ReplicaEvent[]): string[] => events.map(({ kind }) => kind)

/** A feed on a socket. */
export async function serve(feed: (request: IncomingMessage, response: ServerResponse) => void) {
  const running = await listen(feed)
  onTestFinished(() => running.close())
  return running
}

export function feedOf(store: ContractStore, options: Partial<Parameters<typeof contractFeed>[1]> = {}): ContractFeed {
  const feed = contractFeed(store, { authorize: () => true, signature, scanEveryMs: 1000, ...options })
  onTestFinished(() => feed.close())
  return feed
}

export function sourceAt(url: string, options: Partial<HttpSourceOptions> = {}) {
  return httpSource({ url, signature, allowInsecureRequests: true, timeoutMs: 3000, ...options })
}

/** Methods as members, so that some can be left out. */
export function bound(store: MemoryStore) {
  const { capabilities } = store
  return {
    capabilities,
    findClient: store.findClient.bind(store),
    findContract: store.findContract.bind(store),
    findTier: store.findTier.bind(store),
    find: store.find.bind(store),
    commit: store.commit.bind(store),
    list: store.list.bind(store),
    watch: store.watch.bind(store),
  }
}
