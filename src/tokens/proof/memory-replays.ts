import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import type { ReplayMemory } from '../../decisions/replay-memory.js'
import { checkOptions } from '../../runtime/check.js'
import { monotonicClock } from '../../runtime/clock.js'

export interface MemoryReplaysOptions {
  /** How many proofs are remembered at a time; then 503 until some are old enough. 1 to 10,000,000. @default 100,000 */
  readonly entries?: number
}

const optionsSchema = z.strictObject({ entries: z.int().min(1).max(10_000_000).default(100_000) })

/**
 * Remembers proofs in this process: for an API that is served by one. With several, each of them would take a proof
 * that was overheard: write `redisReplays()` of `clientele/redis` there.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function memoryReplays(options: MemoryReplaysOptions = {}): ReplayMemory {
  const { entries } = checkOptions('memoryReplays()', optionsSchema, options)
  return new ReplaysInMemory(entries)
}

/** At most so often is all of it looked through, where what came first lasts longest. */
const sweepIntervalMs = 1000

class ReplaysInMemory implements ReplayMemory {
  readonly #mostEntries: number
  /** Until when, in the order in which they came, which is nearly that in which they end. */
  readonly #until = new Map<string, number>()
  #sweptAt = -Infinity

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries
  }

  remember(key: string, forMs: number): boolean {
    const now = monotonicClock()
    this.#dropFirst(now)
    const until = this.#until.get(key)
    if (until !== undefined && until > now) return false
    if (this.#until.size >= this.#mostEntries) this.#sweep(now)
    if (until !== undefined) this.#until.delete(key)
    this.#until.set(key, now + forMs)
    return true
  }

  #dropFirst(now: number): void {
    for (const [key, until] of this.#until) {
      if (until > now) return
      this.#until.delete(key)
    }
  }

  /** A proof that is forgotten too early could be used again: rather none is taken. */
  #sweep(now: number): void {
    if (now - this.#sweptAt >= sweepIntervalMs) {
      this.#sweptAt = now
      for (const [key, until] of this.#until) if (until <= now) this.#until.delete(key)
    }
    if (this.#until.size < this.#mostEntries) return
    throw new ClienteleFault(
      'ERR_CLIENTELE_REPLAY',
      `memoryReplays() is full: it remembers ${this.#mostEntries} proofs.`,
    )
  }
}
