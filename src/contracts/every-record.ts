import type { ContractStore, ListQuery, RecordKind, Records } from './store.js'

type Listed<K extends RecordKind> = Pick<ListQuery<K>, 'kind' | 'api' | 'client' | 'state'>

/** Page by page, so that a list of any length takes little memory. */
export async function* everyRecord<K extends RecordKind>(
  store: Pick<ContractStore, 'list'>,
  query: Listed<K>,
): AsyncGenerator<Records[K]['value']> {
  let cursor: string | undefined
  do {
    const page = await store.list<K>({ ...query, pageSize: 1000, ...(cursor === undefined ? {} : { cursor }) })
    yield* page.records
    cursor = page.cursor
  } while (cursor !== undefined)
}

export async function listAll<K extends RecordKind>(
  store: Pick<ContractStore, 'list'>,
  query: Listed<K>,
): Promise<Records[K]['value'][]> {
  const records: Records[K]['value'][] = []
  for await (const record of everyRecord(store, query)) records.push(record)
  return records
}
