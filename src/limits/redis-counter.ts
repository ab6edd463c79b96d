import { z } from 'zod'
import { commandsOf } from '../redis/client.js'
import type { RedisCommandClient } from '../redis/clients.js'
import { redisOptions } from '../redis/options.js'
import { checkOptions } from '../runtime/check.js'
import { monotonicClock, wallClock } from '../runtime/clock.js'
import type { Counter } from './counter.js'
import { ExactCounter } from './redis/exact-counter.js'
import { CounterKeys } from './redis/keys.js'
import { LeaseCounter } from './redis/lease-counter.js'
import { RedisLeases, type LeaseTerms } from './redis/lease-server.js'
import { Names } from './redis/names.js'
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
  /** Spends shares of the limits in this process. Without it, each request asks the server. */
  readonly lease?: {
    /** How long a share may be spent, and be missed by others. 100 to 60,000. @default 2000 */
    readonly maxMs?: number
    /** At most this part of what is left of a limit is one share: above 0, at most 0.5. @default 0.1 */
    readonly share?: number
  }
}

const optionsSchema = z.strictObject({
  ...redisOptions,
  timeoutMs: z.int().min(1).max(600_000).default(1000),
  lease: z
    .strictObject({
      maxMs: z.int().min(100).max(60_000).default(2000),
      share: z.number().gt(0).max(0.5).default(0.1),
    })
    .optional(),
})

/**
 * For processes that count together, on Redis 6 or newer or Valkey, also a cluster: pass a client of `redis`, `ioredis` or
 * `@valkey/valkey-glide`. Exact, in one round trip for all limits of a request; with `lease`, a process takes shares of windows and spends them without a
 * trip, and the limit is still never passed. The client stays yours: close the counter, then the client.
 *
 * What the server forgets is not charged any more: it has to keep what it is given. One that evicts keys is refused:
 * every call fails, and `ready()`, to be called at start-up, says why.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function redisCounter(client: RedisCommandClient, options: RedisCounterOptions = {}): RedisCounter {
  const { prefix, timeoutMs, lease } = checkOptions('redisCounter()', optionsSchema, options)
  const keys = new CounterKeys(prefix)
  const server = new CountingServer(commandsOf(client, 'redisCounter()'), timeoutMs, keys.account('any'))
  return lease === undefined ? exact(server, keys) : leasing(server, keys, lease)
}

function exact(server: CountingServer, keys: CounterKeys): RedisCounter {
  return Object.assign(new ExactCounter(server, keys, new Names()), {
    ready: () => server.ready(),
    close: () => {
      server.close()
      return Promise.resolve()
    },
  })
}

function leasing(server: CountingServer, keys: CounterKeys, terms: LeaseTerms): RedisCounter {
  const names = new Names()
  const clocks = { monotonicMs: monotonicClock, wallMs: wallClock }
  const counter = new LeaseCounter(new RedisLeases(server, keys, names, terms), clocks, () => names.next())
  const timer = setInterval(() => void counter.sweep(), terms.maxMs).unref()
  return Object.assign(counter, {
    ready: () => server.ready(),
    close: async () => {
      clearInterval(timer)
      await counter.end()
      server.close()
    },
  })
}
