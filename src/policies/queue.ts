import { z } from 'zod'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Identification, Remarks, Verdict } from '../decisions/policy.js'
import type { Refusal } from '../decisions/refusals.js'
import type { Charge } from '../limits/charging.js'
import type { CounterLimit } from '../limits/counter.js'
import type { Leaving, LineBounds, WaitingLines } from '../limits/waiting-lines.js'
import { monotonicClock } from '../runtime/clock.js'

const count = (usual: number) => z.int().min(1).max(1_000_000).default(usual)

/** Of every policy at which requests may wait. */
export const queueOptionsShape = {
  maxWaitMs: z.int().min(1).max(600_000).default(5000),
  maxWaiting: count(10),
  maxWaitingInAll: count(1000),
}

/** A request that asked for room: what it was told, and what becomes of it so. */
export interface Attempt {
  readonly charge: Charge
  readonly limits: readonly CounterLimit[]
  readonly verdict: () => Verdict
  /** For one that got room when nobody was there any more. */
  readonly giveBack: () => unknown
}

/** A request that may wait, and whom it waits behind. */
export interface Candidate {
  readonly key: string
  readonly request: HttpRequest
  readonly identification: Identification | undefined
  /** `again`: what is known of the caller now, if that was asked for; else as when it came. */
  readonly attempt: (again: Admission | undefined) => MaybePromise<Attempt>
  /** The answer to who does not get room in time, or finds no place to wait for it. */
  readonly turnAway: (code: 'limit_exceeded' | 'queue_full', reason: string) => MaybePromise<Refusal>
}

interface QueueParts {
  readonly api: string
  readonly lines: WaitingLines
  readonly bounds: LineBounds
}

interface Answer {
  readonly verdict: Verdict
  readonly attempt?: Attempt
}

/** Room for requests is told of at the time when it comes, but nobody knows when one in flight is over. */
const concurrentWaitMs = 25

/** Lets requests that have no room wait for their turn. */
export class Queue {
  readonly #parts: QueueParts

  constructor(parts: QueueParts) {
    this.#parts = parts
  }

  /** Whoever comes while others wait goes behind them. */
  decide(candidate: Candidate): MaybePromise<Verdict> {
    if (this.#parts.lines.hasLine(candidate.key)) return this.#wait(candidate, 0)
    return andThen(candidate.attempt(undefined), (attempt) => {
      const waitMs = waitOf(attempt)
      // To let it wait in vain would help nobody.
      if (waitMs === undefined || waitMs > this.#parts.bounds.maxWaitMs) return this.#verdictOf(attempt, candidate.key)
      return this.#wait(candidate, waitMs)
    })
  }

  async #wait(candidate: Candidate, waitMs: number): Promise<Verdict> {
    const { bounds, lines } = this.#parts
    const { key, request } = candidate
    const sinceMs = monotonicClock()
    const waited = await lines.join<Answer>(key, waitMs, {
      bounds,
      signal: request.signal,
      ask: () => this.#ask(candidate),
      undo: ({ attempt }) => attempt?.giveBack(),
    })
    const remarks: Remarks = { waitedMs: Math.round(monotonicClock() - sinceMs) }
    if ('answer' in waited) return withRemarks(waited.answer.verdict, remarks)
    const { code, reason } = leavings[waited.left]
    return { kind: 'refused', refusal: await candidate.turnAway(code, reason), remarks }
  }

  /** Credentials and contract are looked at again: they may have ended while it waited. */
  async #ask({ attempt, identification, key }: Candidate): Promise<{ answer: Answer } | { waitMs: number }> {
    const known = await identification?.again(this.#parts.api)
    if (known !== undefined && 'kind' in known) return { answer: { verdict: known } }
    const tried = await attempt(known)
    const waitMs = waitOf(tried)
    if (waitMs !== undefined && waitMs < Infinity) return { waitMs }
    return { answer: { verdict: this.#verdictOf(tried, key), attempt: tried } }
  }

  /** What is given back when a request is over makes room at once. */
  #verdictOf(attempt: Attempt, key: string): Verdict {
    const verdict = attempt.verdict()
    if (!('settle' in verdict) || verdict.settle === undefined) return verdict
    const { settle } = verdict
    const { lines } = this.#parts
    return {
      ...verdict,
      settle: (outcome) =>
        andThen(settle(outcome), () => {
          lines.poke(key)
        }),
    }
  }
}

const leavings: Record<Leaving, { readonly code: 'limit_exceeded' | 'queue_full'; readonly reason: string }> = {
  full: { code: 'queue_full', reason: 'queue_full' },
  late: { code: 'limit_exceeded', reason: 'waited_in_vain' },
  gone: { code: 'limit_exceeded', reason: 'hung_up' },
  closed: { code: 'limit_exceeded', reason: 'shutdown' },
}

/** `undefined` for who need not wait. */
function waitOf({ charge, limits }: Attempt): number | undefined {
  if (charge.taken) return undefined
  const waits = charge.readings.map(({ waitMs }, index) =>
    limits[index]?.algorithm === 'concurrent' && waitMs > 0 ? Math.max(waitMs, concurrentWaitMs) : waitMs,
  )
  return Math.max(1, ...waits)
}

function withRemarks(verdict: Verdict, remarks: Remarks): Verdict {
  if (verdict.kind === 'absent') return verdict
  return { ...verdict, remarks: { ...verdict.remarks, ...remarks } }
}
