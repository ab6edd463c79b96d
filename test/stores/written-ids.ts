import type { ContractStore } from 'clientele'
import { expect } from 'vitest'

/** Clients, identities and contracts were written three at a time: so they must stand there. Returns their IDs. */
export async function wholeIds(store: ContractStore): Promise<ReadonlySet<string>> {
  const [clients, identities, contracts] = await Promise.all([
    everyId(store, 'client', (record) => (record as { id: string }).id),
    everyId(store, 'identity', (record) => (record as { clientId: string }).clientId),
    everyId(store, 'contract', (record) => (record as { client: string }).client, 'orders'),
  ])
  expect(identities).toEqual(clients)
  expect(contracts).toEqual(clients)
  return new Set(clients)
}

async function everyId(
  store: ContractStore,
  kind: 'client' | 'identity' | 'contract',
  idOf: (record: unknown) => string,
  api?: string,
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await store.list({ kind, pageSize: 1000, ...(api && { api }), ...(cursor && { cursor }) })
    ids.push(...page.records.map(idOf))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids.sort()
}
