import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Change, Contract } from 'clientele'
import { diskStore } from 'clientele/disk'

export const api = 'orders'
export const contracts = 1_000_000
/** As many as a busy API sees in a while. */
export const clientsInUse = 1000
const changesPerCommit = 5000

/** A directory with a million contracts in it. */
export interface World {
  readonly path: string
  remove(): Promise<void>
}

/** As random as IDs are, and told again by their number. */
export const clientAt = (number: number): string =>
  `client-${((number * 2_654_435_761) % 2 ** 32).toString(36)}-${number}`

export function contractAt(number: number): Contract {
  const createdAt = '2026-01-02T03:04:05.678Z'
  const stamps = { createdAt, updatedAt: createdAt, updatedBy: 'bench' }
  return { client: clientAt(number), api, version: 1, state: 'approved', tier: 'gold', barred: false, ...stamps }
}

export async function makeWorld(): Promise<World> {
  const path = await mkdtemp(join(tmpdir(), 'clientele-bench-'))
  const store = diskStore({ path })
  // In the order of their keys, which a tree takes fastest.
  const inOrder = Array.from({ length: contracts }, (_, number) => contractAt(number))
  inOrder.sort((one, other) => (one.client < other.client ? -1 : 1))
  for (let from = 0; from < contracts; from += changesPerCommit) {
    await store.commit(inOrder.slice(from, from + changesPerCommit).map(putContract))
  }
  await store.close()
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

function putContract(value: Contract): Change {
  return { kind: 'contract', key: { client: value.client, api }, expect: null, value }
}
