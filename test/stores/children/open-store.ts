import { Redis } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import type { ContractStore } from '../../../src/contracts/store.js'
import { diskStore } from '../../../src/stores/disk.js'
import { postgresStore } from '../../../src/stores/postgres.js'
import { redisStore } from '../../../src/redis.js'

/** Where a store is, in words that one process can tell another. */
export type StorePlace =
  | { readonly kind: 'disk'; readonly path: string }
  | { readonly kind: 'redis' | 'ioredis'; readonly url: string; readonly prefix: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string }

export interface OpenedStore {
  readonly store: ContractStore
  close(): Promise<void>
}

/** As somebody would who follows the guide. */
export async function openStore(place: StorePlace): Promise<OpenedStore> {
  switch (place.kind) {
    case 'disk': {
      const store = diskStore({ path: place.path })
      return { store, close: () => store.close() }
    }
    case 'redis': {
      const client = createClient({ url: place.url, disableOfflineQueue: true, socket: { reconnectStrategy: 200 } })
      client.on('error', ignore)
      await client.connect()
      const store = redisStore(client, { prefix: place.prefix })
      return {
        store,
        close: () =>
          store.close().then(() => {
            client.destroy()
          }),
      }
    }
    case 'ioredis': {
      const client = new Redis(place.url, { retryStrategy: () => 200 })
      client.on('error', ignore)
      const store = redisStore(client, { prefix: place.prefix })
      return {
        store,
        close: () =>
          store.close().then(() => {
            client.disconnect()
          }),
      }
    }
    case 'postgres': {
      const pool = new pg.Pool({ connectionString: place.url, connectionTimeoutMillis: 1000 })
      const store = postgresStore(pool, { schema: place.schema })
      return { store, close: () => store.close().then(() => pool.end()) }
    }
  }
}

function ignore(): void {
  return undefined
}
