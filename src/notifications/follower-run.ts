import { randomBytes } from 'node:crypto'
import { isConflict } from '../contracts/lifecycle/audit-log.js'
import type { AuditEntry } from '../contracts/model.js'
import type { Follower } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { backOffMs } from '../runtime/back-off.js'
import { monotonicClock } from '../runtime/clock.js'
import { contain } from '../runtime/contain.js'
import { Pause } from '../runtime/pause.js'
import { attemptDelivery, type Delivery } from './attempt-delivery.js'
import { failureOf } from './delivery-failure.js'
import type { FollowerEvent } from './follower-events.js'
import type { CheckedFollowerOptions } from './follower-options.js'
import { save, workOf } from './follower-record.js'
import { LogScan } from './log-scan.js'

/** What a run needs to know of who is told. */
export interface Followed extends Delivery {
  readonly name: string
  /** The record as it is first written. `undefined`: there is nobody to be told any more, and the run is over. */
  readonly first: () => MaybePromise<Follower | undefined>
  readonly wants: (entry: AuditEntry) => boolean
}

/**
 * One follower in one process: waits for its turn, delivers entry by entry, and writes down how far it has come after
 * each. Of several processes one is at work; what it had not written down when it was killed is delivered once more.
 */
export class FollowerRun {
  readonly #by = randomBytes(16).toString('hex')
  readonly #pause = new Pause()
  readonly #scan: LogScan
  readonly #over: Promise<void>
  /** Resolves when the store knows where this begins, or when it is over. */
  readonly ready: Promise<void>
  #begun: () => void = () => undefined
  #isClosed = false
  #wakes = 0
  /** When this process has last seen the record change, by its own clock. */
  #seen = { version: 0, at: 0 }
  /** From when on our claim counts. */
  #claimedAt = -Infinity
  #toldAhead: string | undefined

  constructor(
    private readonly store: ContractStore,
    private readonly followed: Followed,
    private readonly options: CheckedFollowerOptions,
  ) {
    this.#scan = new LogScan(store, followed.wants)
    this.ready = new Promise((resolve) => {
      this.#begun = resolve
    })
    this.#over = this.#run().finally(this.#begun)
  }

  /** There may be something to do. */
  wake(): void {
    this.#wakes++
    this.#pause.end()
  }

  /** Resolves when the delivery under way is over, and somebody else may go on. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#pause.stop()
    return this.#over
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isClosed;) {
      try {
        const wakes = this.#wakes
        const waitMs = await this.#round()
        if (waitMs === undefined) return
        failures = 0
        if (this.#wakes === wakes) await this.#pause.wait(Math.min(waitMs, this.options.pollMs))
      } catch (error) {
        // Somebody else was quicker: what there is to do is to be found out anew.
        failures = isConflict(error) ? 0 : failures + 1
        if (failures > 0) this.#tellUnavailable(error)
        await this.#pause.wait(failures === 0 ? Math.random() * 20 : backOffMs(failures, 60_000))
      }
    }
    await this.#release().catch(() => undefined)
  }

  /** How long to wait before the next one. `undefined`: this is over. */
  async #round(): Promise<number | undefined> {
    const record = (await this.#find()) ?? (await this.#create())
    if (record === undefined) return undefined
    this.#begun()
    const othersMs = this.#othersMs(record)
    if (othersMs > 0) return othersMs
    const work = workOf(record, Date.now())
    if (work.kind === 'hold') return this.#rest(record, work.waitMs)
    const entry = work.kind === 'retry' ? work.retrying.entry : await this.#scan.next(record.after)
    if (entry === undefined) {
      this.#tellAhead(record)
      return this.#rest(record, work.kind === 'new' ? work.waitMs : 0)
    }
    const claimed = await this.#claim(record)
    const { record: after, event } = await attemptDelivery(this.store, this.followed, claimed, entry, this.options)
    await this.#save(claimed, after)
    this.#tell({ ...event, follower: this.followed.name })
    return 0
  }

  #find(): MaybePromise<Follower | undefined> {
    return this.store.find('follower', { name: this.followed.name })
  }

  async #create(): Promise<Follower | undefined> {
    const value = await this.followed.first()
    if (value === undefined) return undefined
    await this.store.commit([{ kind: 'follower', key: { name: value.name }, expect: null, value }])
    return value
  }

  /** For how long it has to be left to another process. */
  #othersMs({ claim, version }: Follower): number {
    const now = monotonicClock()
    if (version !== this.#seen.version) this.#seen = { version, at: now }
    if (claim === undefined || claim.by === this.#by) return 0
    return Math.max(0, this.#seen.at + claim.forMs - now)
  }

  /** Ours, with enough time left for a delivery. */
  async #claim(record: Follower): Promise<Follower> {
    const leftMs = this.#claimedAt + this.options.claimMs - monotonicClock()
    if (record.claim?.by === this.#by && leftMs > this.options.timeoutMs) return record
    return this.#save(record, record)
  }

  async #save(before: Follower, next: Follower): Promise<Follower> {
    const claimedAt = monotonicClock()
    const claim = { by: this.#by, forMs: this.options.claimMs }
    const saved = await save(this.store, before, { ...next, claim })
    this.#claimedAt = claimedAt
    return saved
  }

  /** Nothing to do for now, so whoever is there first when there is may do it. */
  async #rest(record: Follower, waitMs: number): Promise<number> {
    const after = this.#scan.worthKeeping(record.after)
    if (record.claim?.by === this.#by || after !== undefined) {
      const { claim: _claim, ...unclaimed } = record
      await save(this.store, record, { ...unclaimed, after: after ?? record.after })
    }
    return waitMs
  }

  async #release(): Promise<void> {
    const record = await this.#find()
    if (record?.claim?.by === this.#by) await this.#rest(record, 0)
  }

  /** Once for each place: nothing is delivered until somebody says where to begin. */
  #tellAhead({ after }: Follower): void {
    const head = this.#scan.endBefore(after)
    if (head !== undefined && this.#toldAhead !== after) {
      this.#tell({ kind: 'ahead', follower: this.followed.name, after, head })
    }
    this.#toldAhead = head === undefined ? undefined : after
  }

  #tellUnavailable(error: unknown): void {
    this.#tell({ kind: 'unavailable', follower: this.followed.name, reason: failureOf(error).reason })
  }

  #tell(event: FollowerEvent): void {
    contain(this.options.onEvent, event)
  }
}
