import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import type { ReplayMemory } from '../../decisions/replay-memory.js'
import { checkOptions } from '../../runtime/check.js'
import { monotonicClock } from '../../runtime/clock.js'

export interface MemoryReplaysOptions {
  /** How many proofs are remembered at a time; then 503 until some are old enough. 1 to 10,000,000. @default 100,000 */
  readonly entries?: number
  /**
   * How many of them may be signed with one key, so that one caller takes no room from the others; then 503 for that
   * key alone. 1 to 10,000,000. @default a tenth of `entries`
   */
  readonly entriesPerKey?: number
}

const entriesSchema = z.int().min(1).max(10_000_000)
const optionsSchema = z.strictObject({
  entries: entriesSchema.default(100_000),
  entriesPerKey: entriesSchema.optional(),
})

/**
 * Remembers proofs in this process: for an API that is served by one. With several, each of them would take a proof
 * that was overheard: write `redisReplays()` of `clientele/redis` there.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function memoryReplays(options: MemoryReplaysOptions = {}): ReplayMemory {
  const { entries, entriesPerKey } = checkOptions('memoryReplays()', optionsSchema, options)
  return new ReplaysInMemory(entries, entriesPerKey ?? Math.ceil(entries / 10))
}

/** At most so often is all of it looked through, where what came first lasts longest. */
const sweepIntervalMs = 1000

interface RememberedProof {
  readonly until: number
  readonly holder: string
}

class ReplaysInMemory implements ReplayMemory {
  readonly #mostEntries: number
  readonly #mostPerHolder: number
  /** In the order in which they came, which is nearly that in which they end. */
  readonly #proofs = new Map<string, RememberedProof>()
  readonly #countOf = new Map<string, number>()
  #sweptAt = -Infinity

  constructor(mostEntries: number, mostPerHolder: number) {
    this.#mostEntries = mostEntries
    this.#mostPerHolder = mostPerHolder
  }

  remember(key: string, forMs: number, holder: string): boolean {
    const now = monotonicClock()
    this.#dropFirst(now)
    const known = this.#proofs.get(key)
    if (known !== undefined && known.until > now) return false
    if (known !== undefined) this.#drop(key, known)
    this.#requireRoom(holder, now)
    this.#proofs.set(key, { until: now + forMs, holder })
    this.#countOf.set(holder, (this.#countOf.get(holder) ?? 0) + 1)
    return true
  }

  #dropFirst(now: number): void {
    for (const [key, proof] of this.#proofs) {
      if (proof.until > now) return
      this.#drop(key, proof)
    }
  }

  #drop(key: string, { holder }: RememberedProof): void {
    this.#proofs.delete(key)
    const left = (this.#countOf.get(holder) ?? 0) - 1
    if (left > 0) this.#countOf.set(holder, left)
    else this.#countOf.delete(holder)
  }

  /** A proof that is forgotten too early could be used again: rather none is taken. */
  #requireRoom(holder: string, now: number): void {
    if (this.#shortage(holder) === undefined) return
    if (now - this.#sweptAt >= sweepIntervalMs) {
      this.#sweptAt = now
      for (const [key, proof] of this.#proofs) if (proof.until <= now) this.#drop(key, proof)
    }
    const shortage = this.#shortage(holder)
    if (shortage !== undefined) throw shortageFault(shortage)
  }

  #shortage(holder: string): keyof typeof shortages | undefined {
    if (this.#proofs.size >= this.#mostEntries) return 'full'
    return (this.#countOf.get(holder) ?? 0) >= this.#mostPerHolder ? 'key_full' : undefined
  }
}

const shortages = {
  full: 'memoryReplays() is full: it remembers as many proofs as entries says.',
  key_full: 'memoryReplays() remembers as many proofs of one key as entriesPerKey says.',
}

function shortageFault(reason: keyof typeof shortages): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_REPLAY', shortages[reason], { reason })
}
