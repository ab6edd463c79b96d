import { LRUCache } from 'lru-cache'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/**
 * Where the provider keeps opaque tokens: in memory, so they end with the process. Machines get tokens by
 * `client_credentials` alone, so what belongs to people's log-ins is not there.
 */
export function issuerStorage(): AdapterFactory {
  const records = new LRUCache<string, AdapterPayload>({ max: 10_000 })
  return (model) => storageOf(model, records)
}

function storageOf(model: string, records: LRUCache<string, AdapterPayload>): Adapter {
  const keyOf = (id: string): string => `${model}:${id}`
  const unused = (): Promise<undefined> => Promise.resolve(undefined)
  return {
    find: (id) => Promise.resolve(records.get(keyOf(id))),
    upsert: (id, payload, expiresInSeconds) => {
      records.set(keyOf(id), payload, expiresInSeconds === undefined ? {} : { ttl: expiresInSeconds * 1000 })
      return unused()
    },
    destroy: (id) => {
      records.delete(keyOf(id))
      return unused()
    },
    consume: unused,
    findByUid: unused,
    findByUserCode: unused,
    revokeByGrantId: unused,
  }
}
