import type { RecordKey } from '../contracts/store.js'
import { Watchers } from './watchers.js'

/** How late an edit by another process is noticed. Looking takes 10 µs. */
const pollMs = 200

/**
 * For a database that numbers its transactions and sends no messages: own commits are told with their keys, those of
 * other processes are noticed by the number.
 */
export class DiskWatch {
  readonly #revision: () => number
  readonly #watchers = new Watchers()
  #seen: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(revision: () => number) {
    this.#revision = revision
  }

  add(changed: (keys: readonly RecordKey[]) => void, missed?: () => void): () => void {
    if (this.#timer === undefined) {
      this.#seen = this.#revision()
      this.#timer = setInterval(() => {
        this.#look()
      }, pollMs).unref()
    }
    const stop = this.#watchers.add(changed, missed)
    return () => {
      stop()
      if (this.#watchers.size === 0) this.#stopLooking()
    }
  }

  committed(keys: readonly RecordKey[]): void {
    // Ours alone: nobody else's number came in between.
    const next = (this.#seen ?? 0) + 1
    if (this.#timer !== undefined && this.#told() === next) this.#seen = next
    this.#watchers.changed(keys)
  }

  clear(): void {
    this.#stopLooking()
    this.#watchers.clear()
  }

  #look(): void {
    const revision = this.#told()
    if (revision === this.#seen) return
    this.#seen = revision
    this.#watchers.missed()
  }

  /** `undefined` while the database fails: nobody waits here who could be told. Being old is the safe side. */
  #told(): number | undefined {
    try {
      return this.#revision()
    } catch {
      return undefined
    }
  }

  #stopLooking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
