import { isPolicyKind, policyKinds } from '../contracts/policy-kinds.js'
import type { ContractStore, RecordKey, RecordKind } from '../contracts/store.js'
import { storeFault, tooLate } from '../contracts/reader.js'
import type { ClienteleFault } from '../decisions/faults.js'
import { backOffMs } from '../runtime/back-off.js'
import { monotonicClock } from '../runtime/clock.js'
import { deadline } from '../runtime/deadline.js'
import { earlier, momentNow, type Moment } from '../runtime/moment.js'
import type { Journal } from './journal.js'
import { Pause } from '../runtime/pause.js'

export interface KeeperTimes {
  /** How often the whole store is read, whatever hints have told. */
  readonly scanEveryMs: number
  /** How long one call of the store may take. */
  readonly timeoutMs: number
}

const longAgo: Moment = { monotonicMs: -Infinity, wallMs: -Infinity }
const pageSize = 1000
/** Records that hints have named, read side by side. */
const mostAtOnce = 200
/** However fast a store says that it has changed, reading it whole takes at most a fifth of the time. */
const shareOfReading = 4

/**
 * Keeps a journal in step with its store, by one thing at a time, so that no answer overtakes another: records that a
 * hint names are read again between two pages of a scan, and a scan finds what no hint has told.
 */
export class JournalKeeper {
  readonly #store: ContractStore
  readonly #journal: Journal
  readonly #times: KeeperTimes
  readonly #hinted = new Map<string, RecordKey>()
  readonly #pause = new Pause()
  readonly #stopWatching: (() => void) | undefined
  #nextScanAt = -Infinity
  #notBefore = -Infinity
  #failures = 0
  #isStopped = false
  #knownAt: Moment | undefined
  #begin: () => void = () => undefined
  /** Resolves when the store has been read whole for the first time. */
  readonly begun = new Promise<void>((resolve) => (this.#begin = resolve))
  /** What went wrong the last time, until something goes right. */
  fault: ClienteleFault | undefined

  constructor(store: ContractStore, journal: Journal, times: KeeperTimes) {
    this.#store = store
    this.#journal = journal
    this.#times = times
    // Before the first scan: what changes while it runs must not be missed.
    this.#stopWatching = store.watch?.(
      (keys) => {
        this.#hint(keys)
      },
      () => {
        this.#missed()
      },
    )
    void this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatching?.()
    this.#pause.stop()
  }

  #hint(keys: readonly RecordKey[]): void {
    for (const key of keys) if (isPolicyKind(key.kind)) this.#hinted.set(JSON.stringify(key), key)
    this.#pause.end()
  }

  #missed(): void {
    this.#nextScanAt = -Infinity
    this.#pause.end()
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#readHinted()
        if (this.#msToScan() <= 0) await this.#scan()
        this.#failures = 0
        this.fault = undefined
        if (this.#hinted.size === 0) await this.#pause.wait(this.#msToScan())
      } catch (error) {
        this.fault = storeFault(error)
        // What was hinted at may be lost by now.
        this.#nextScanAt = -Infinity
        this.#failures += 1
        await this.#pause.wait(backOffMs(this.#failures, this.#times.scanEveryMs))
      }
    }
  }

  #msToScan(): number {
    return Math.max(this.#nextScanAt, this.#notBefore) - monotonicClock()
  }

  async #readHinted(): Promise<void> {
    const hinted = [...this.#hinted].slice(0, mostAtOnce)
    const targets = hinted.map(([, target]) => target)
    for (const [text] of hinted) this.#hinted.delete(text)
    const records = await Promise.all(targets.map(({ kind, key }) => this.#ask(() => this.#store.find(kind, key))))
    targets.forEach((target, at) => {
      const record = records[at]
      if (record === undefined) this.#journal.remove(target)
      else this.#journal.put(target.kind, record)
    })
  }

  async #scan(): Promise<void> {
    const begunAt = monotonicClock()
    const knownAt = earlier(momentNow(), this.#store.freshness?.().ageMs ?? 0)
    this.#nextScanAt = begunAt + this.#times.scanEveryMs
    this.#journal.beginScan()
    for (const kind of policyKinds) await this.#scanKind(kind)
    await this.#readHinted()
    if (this.#isStopped) return
    this.#journal.endScan()
    this.#knownAt = knownAt
    this.#begin()
    const now = monotonicClock()
    this.#notBefore = now + shareOfReading * (now - begunAt)
  }

  async #scanKind(kind: RecordKind): Promise<void> {
    let cursor: string | undefined
    do {
      const query = cursor === undefined ? { kind, pageSize } : { kind, pageSize, cursor }
      const page = await this.#ask(() => this.#store.list(query))
      for (const record of page.records) this.#journal.put(kind, record)
      cursor = page.cursor
      // Stores that answer at once would hold up everybody else until the last page.
      await this.#readHinted()
      await new Promise(setImmediate)
    } while (cursor !== undefined && !this.#isStopped)
  }

  async #ask<T>(work: () => Promise<T> | T): Promise<T> {
    const { timeoutMs } = this.#times
    return deadline(Promise.resolve(work()), timeoutMs, () => tooLate(timeoutMs))
  }

  /** When the journal was the whole truth; endlessly long ago before the store has been read whole. */
  get knownAt(): Moment {
    return this.#knownAt ?? longAgo
  }
}
