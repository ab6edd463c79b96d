import { z } from 'zod'
import { connectionOf } from '../redis/client.js'
import type { RedisClient } from '../redis/clients.js'
import { redisOptions } from '../redis/options.js'
import { checkOptions } from '../runtime/check.js'
import { RedisBackend } from './redis/backend.js'
import { RedisKeys } from './redis/keys.js'
import { ServerContractStore, type ServerStore } from './server/server-store.js'

export interface RedisStoreOptions {
  /** In front of every key and channel, in braces. 1 to 100 of `A-Z a-z 0-9 . _ : -`. @default 'clientele' */
  readonly prefix?: string
  /** How long the server may take; then it has failed. 1 to 600,000. @default 5000 */
  readonly timeoutMs?: number
}

const optionsSchema = z.strictObject({
  ...redisOptions,
  timeoutMs: z.int().min(1).max(600_000).default(5000),
})

/**
 * For contracts in Redis 6 or newer, shared by any number of processes: pass a client of `redis` or `ioredis`. A commit
 * is one script; a change is told to every process that watches, as `cachedStore` does, on a connection of its own. The
 * client stays yours: close the store, then the client.
 *
 * How durable a commit is, is the server's to say: it takes `appendonly yes`. A server that evicts keys is refused:
 * every call fails, and `ready()`, to be called at start-up, says why.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): ServerStore {
  const { prefix, timeoutMs } = checkOptions('redisStore()', optionsSchema, options)
  return new ServerContractStore(
    new RedisBackend(connectionOf(client, 'redisStore()'), new RedisKeys(prefix), timeoutMs),
  )
}
