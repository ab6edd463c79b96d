import { z } from 'zod'
import { connectionOf, type RedisClient } from '../redis/client.js'
import { redisOptions } from '../redis/options.js'
import { checkOptions } from '../runtime/check.js'
import type { Counter } from './counter.js'
import { ExactCounter } from './redis/exact-counter.js'
import { CounterKeys } from './redis/keys.js'
import { CountingServer } from './redis/server.js'

/** What `redisCounter` returns. */
export interface RedisCounter extends Counter {
  /** Resolves when the server has answered and keeps what it is given; for start-up. */
  ready(): Promise<void>
  close(): Promise<void>
}

export interface RedisCounterOptions {
  /** In front of every key. 1 to 100 of `A-Z a-z 0-9 . _ : -`. @default 'clientele' */
  readonly prefix?: string
  /** How long the server may take; then it has failed, and charges nothing any more. 1 to 600,000. @default 1000 */
  readonly timeoutMs?: number
}

const optionsSchema = z.strictObject({
  ...redisOptions,
  timeoutMs: z.int().min(1).max(600_000).default(1000),
})

/**
 * For processes that count together: exact.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function redisCounter(client: RedisClient, options: RedisCounterOptions = {}): RedisCounter {
  const { prefix, timeoutMs } = checkOptions('redisCounter()', optionsSchema, options)
  const keys = new CounterKeys(prefix)
  const server = new CountingServer(connectionOf(client, 'redisCounter()'), timeoutMs, keys.account('any'))
  const counter = new ExactCounter(server, keys)
  return Object.assign(counter, {
    ready: () => server.ready(),
    close: () => {
      server.close()
      return Promise.resolve()
    },
  })
}
