import { storeFault } from '../contracts/reader.js'
import { ClienteleFault } from '../decisions/faults.js'
import { backOffMs } from '../runtime/back-off.js'
import { monotonicClock } from '../runtime/clock.js'
import { contain } from '../runtime/contain.js'
import { closed } from '../stores/check-changes.js'
import { Pause } from '../runtime/pause.js'
import type { LocalStore } from './place.js'
import type { ReplicaEvent, ReplicaStatus } from './replica-events.js'
import type { Outcome, ReplicaState } from './replica-state.js'
import type { ContractSource } from './source.js'

export interface SynchronizerOptions {
  readonly everyMs: number
  readonly onEvent: (event: ReplicaEvent) => void
}

/** Proxies cut a connection on which nothing comes for a minute, some after half of it. */
const longestWaitMs = 25_000
/** Between two answers with changes, so that a row of commits is not as many requests. */
const restMs = 50

/** Asks the source again and again, and takes in what it answers; one thing at a time. */
export class Synchronizer {
  readonly #source: ContractSource
  readonly #state: ReplicaState
  readonly #options: SynchronizerOptions
  readonly #pause = new Pause()
  #asking = new AbortController()
  #turn: Promise<unknown> = Promise.resolve()
  #isStopped = false
  #failures = 0
  #lastSuccessAt: string | undefined
  #lastError: ReplicaStatus['lastError']
  #heldDigest: string | undefined
  readonly #ended: Promise<void>

  constructor(source: ContractSource, state: ReplicaState, options: SynchronizerOptions) {
    this.#source = source
    this.#state = state
    this.#options = options
    this.#ended = this.#run()
  }

  get store(): LocalStore | undefined {
    return this.#state.store
  }

  get ageMs(): number | undefined {
    return this.#state.ageMs
  }

  /** Whether this process has heard from the source. */
  get hasSynchronized(): boolean {
    return this.#lastSuccessAt !== undefined
  }

  get status(): Omit<ReplicaStatus, 'ready'> {
    const { ageMs, count, held } = this.#state
    return { ageMs, records: count, lastSuccessAt: this.#lastSuccessAt, lastError: this.#lastError, held }
  }

  accept(digest: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state.held?.digest !== digest) {
        throw new ClienteleFault(
          'ERR_CLIENTELE_STATE',
          'accept(): no snapshot with this digest waits; look at ready().held.',
        )
      }
      const staged = await this.#state.accept()
      if (staged !== undefined) this.#tell({ kind: 'replaced', staged })
    })
  }

  async close(): Promise<void> {
    this.#isStopped = true
    this.#asking.abort()
    this.#pause.stop()
    this.#source.close()
    await this.#ended
    await this.#inTurn(() => this.#state.close())
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const askedAt = monotonicClock()
      const pauseMs = await this.#ask().then(
        (outcome) => this.#afterSuccess(outcome, monotonicClock() - askedAt),
        (error: unknown) => this.#afterFailure(error),
      )
      await this.#pause.wait(pauseMs)
    }
  }

  async #ask(): Promise<Outcome> {
    // One for each question: a signal that lives on would keep what every question has hung on it.
    this.#asking = new AbortController()
    const { cursor } = this.#state
    const waitMs = cursor === undefined || this.#failures > 0 ? 0 : Math.min(this.#options.everyMs, longestWaitMs)
    const { signal } = this.#asking
    const answer = await Promise.race([this.#source.read({ after: cursor, waitMs, signal }), aborted(signal)])
    return this.#inTurn(() => this.#state.take(answer))
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  /** How long to leave the source alone. One that answers at once, though nothing has changed, does not wait itself. */
  #afterSuccess(outcome: Outcome, tookMs: number): number {
    this.#failures = 0
    this.#lastError = undefined
    this.#tell(outcome)
    const { everyMs } = this.#options
    if (outcome.kind === 'held') return everyMs
    this.#lastSuccessAt = new Date().toISOString()
    const isQuiet = outcome.kind === 'updated' && outcome.targets.length === 0
    return isQuiet ? Math.max(restMs, Math.min(everyMs, longestWaitMs) - tookMs) : restMs
  }

  #afterFailure(error: unknown): number {
    if (this.#isStopped) return 0
    this.#failures += 1
    const fault = storeFault(error)
    const { message, reason } = fault
    this.#lastError = { at: new Date().toISOString(), message, reason }
    this.#emit({ kind: 'failed', fault, ageMs: this.#state.ageMs })
    // Its age goes on, and a process that comes after this one shall know of it.
    this.#saveAge()
    return backOffMs(this.#failures, Math.max(1000, this.#options.everyMs))
  }

  #saveAge(): void {
    try {
      this.#state.save()
    } catch {
      // The disk is what failed, or will be the next to fail; either is told of.
    }
  }

  #tell(outcome: Outcome): void {
    if (outcome.kind === 'updated') {
      if (outcome.targets.length === 0) return
      this.#emit({ kind: 'updated', changes: outcome.targets.length })
      return
    }
    const { digest, count: records } = outcome.staged.answer
    if (outcome.kind === 'replaced') {
      this.#heldDigest = undefined
      this.#emit({ kind: 'replaced', digest, records })
      return
    }
    const { held } = this.#state
    if (held !== undefined && this.#heldDigest !== digest) this.#emit({ kind: 'held', ...held })
    this.#heldDigest = digest
  }

  #emit(event: ReplicaEvent): void {
    contain(this.#options.onEvent, event)
  }
}

/** A source need not heed the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(closed())
    })
  })
}
