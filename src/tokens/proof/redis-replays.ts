import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import type { ReplayMemory } from '../../decisions/replay-memory.js'
import { commandsOf } from '../../redis/client.js'
import type { RedisCommandClient } from '../../redis/clients.js'
import type { RedisCommands } from '../../redis/connection.js'
import { EvictionCheck } from '../../redis/eviction.js'
import { redisOptions } from '../../redis/options.js'
import { listOf, textOf } from '../../redis/replies.js'
import { runScript, script } from '../../redis/script.js'
import { checkOptions } from '../../runtime/check.js'
import { monotonicClock } from '../../runtime/clock.js'
import { deadline } from '../../runtime/deadline.js'

export interface RedisReplaysOptions {
  /** In front of every key, in braces. 1 to 100 of `A-Z a-z 0-9 . _ : -`. @default 'clientele' */
  readonly prefix?: string
  /** How long the server may take; then it has failed. 1 to 60,000. @default 1000 */
  readonly timeoutMs?: number
}

const optionsSchema = z.strictObject({ ...redisOptions, timeoutMs: z.int().min(1).max(60_000).default(1000) })

/**
 * KEYS: the epoch, what is to be remembered. ARGV: a new epoch, a mark of this call, for how many milliseconds. The
 * epoch, and whether the mark is the first to stand there: a call sent twice, as clients do after a lost connection, is
 * one.
 */
const rememberScript = script(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return { redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]) == ARGV[2] and 'first' or 'again' }
`)

/**
 * Remembers proofs in Redis 6 or newer, for all processes that serve an address: pass a client of `redis` or `ioredis`,
 * which stays yours. A server that evicts keys is refused, and one that comes back empty is not believed for as long as
 * a proof from before could still be taken: both are 503.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function redisReplays(client: RedisCommandClient, options: RedisReplaysOptions = {}): ReplayMemory {
  const { prefix, timeoutMs } = checkOptions('redisReplays()', optionsSchema, options)
  return new ReplaysInRedis(commandsOf(client, 'redisReplays()'), `{${prefix}}:replays`, timeoutMs)
}

class ReplaysInRedis implements ReplayMemory {
  readonly #connection: RedisCommands
  readonly #name: string
  readonly #timeoutMs: number
  readonly #eviction: EvictionCheck
  #epoch: string | undefined
  #distrustedUntil = -Infinity

  constructor(connection: RedisCommands, name: string, timeoutMs: number) {
    this.#connection = connection
    this.#name = name
    this.#timeoutMs = timeoutMs
    this.#eviction = new EvictionCheck(connection, this.#epochName, () =>
      failed('may forget proofs; set its maxmemory-policy to noeviction'),
    )
  }

  async remember(key: string, forMs: number): Promise<boolean> {
    const asked = deadline(this.#ask(key, forMs), this.#timeoutMs, () => failed('does not answer'))
    const reply = await asked.catch((cause: unknown) => {
      throw cause instanceof ClienteleFault ? cause : failed('failed', cause)
    })
    const [epoch, answer] = listOf(reply).map(textOf)
    this.#checkEpoch(epoch, forMs)
    return answer === 'first'
  }

  get #epochName(): string {
    return `${this.#name}:epoch`
  }

  async #ask(key: string, forMs: number): Promise<unknown> {
    const parameters = [randomUUID(), randomUUID(), String(Math.ceil(forMs))]
    await this.#eviction.ready()
    return runScript(this.#connection, rememberScript, [this.#epochName, `${this.#name}:${key}`], parameters)
  }

  /** A server that has lost what it knew would take every proof once more. */
  #checkEpoch(epoch: string | undefined, forMs: number): void {
    const now = monotonicClock()
    if (this.#epoch !== undefined && epoch !== this.#epoch) this.#distrustedUntil = now + forMs
    this.#epoch = epoch
    if (now < this.#distrustedUntil)
      throw failed('has lost the proofs that it knew', undefined, this.#distrustedUntil - now)
  }
}

function failed(what: string, cause?: unknown, retryAfterMs?: number): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_REPLAY', `redisReplays(): the server ${what}.`, {
    cause,
    ...(retryAfterMs !== undefined && { retryAfterSeconds: retryAfterMs / 1000 }),
  })
}
