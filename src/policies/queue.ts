import { z } from 'zod'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Identification, Remarks, Verdict } from '../decisions/policy.js'
import type { RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { Charge } from '../limits/charging.js'
import type { Leaving, LineBounds, Told, WaitingLines } from '../limits/waiting-lines.js'
import { monotonicClock } from '../runtime/clock.js'
import { lateRefusal } from './limit-answer.js'
import type { LimitPlan } from './limit-plan.js'

const count = (usual: number) => z.int().min(1).max(1_000_000).default(usual)

/** Of every policy at which requests may wait. */
export const queueOptionsShape = {
  maxWaitMs: z.int().min(1).max(600_000).default(5000),
  maxWaiting: count(10),
  maxWaitingInAll: count(1000),
}

/** A request that asked for room: what it was told, and what becomes of it so. */
export interface Attempt {
  readonly plan: LimitPlan
  readonly charge: Charge
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
  /** What it is told in if it does not get room in time, or finds no place to wait for it. */
  readonly fields: readonly RateLimitFieldSet[]
}

/** What the first of a line was told, and when. */
export interface ToldFirst extends Told {
  readonly plan: LimitPlan
  readonly charge: Charge
  readonly atMs: number
}

interface QueueParts {
  readonly api: string
  readonly lines: WaitingLines<ToldFirst>
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

  /** There where others wait: whoever comes then goes behind them. */
  toldFirst(key: string): ToldFirst | undefined {
    return this.#parts.lines.toldLast(key)
  }

  /** For one that got no room, and found nobody waiting. */
  withoutRoom(candidate: Candidate, attempt: Attempt): MaybePromise<Verdict> {
    const told = toldBy(attempt)
    // To let it wait in vain would help nobody.
    if (told.waitMs > this.#parts.bounds.maxWaitMs) return attempt.verdict()
    return this.wait(candidate, told)
  }

  async wait(candidate: Candidate, told: ToldFirst): Promise<Verdict> {
    const { bounds, lines } = this.#parts
    const { key, request, fields } = candidate
    const sinceMs = monotonicClock()
    const waited = await lines.join<Answer>(key, told, {
      bounds,
      signal: request.signal,
      ask: () => this.#ask(candidate),
      undo: ({ attempt }) => attempt?.giveBack(),
    })
    const nowMs = monotonicClock()
    const remarks: Remarks = { waitedMs: Math.round(nowMs - sinceMs) }
    if ('answer' in waited) return withRemarks(waited.answer.verdict, remarks)
    const { plan, charge, atMs } = waited.told
    const refusal = lateRefusal({ plan, charge, agoMs: nowMs - atMs }, fields, leavings[waited.left])
    return { kind: 'refused', refusal, remarks }
  }

  /** What is given back when a request is over makes room at once. */
  letIn(key: string, verdict: Verdict): Verdict {
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

  /** Credentials and contract are looked at again: they may have ended while it waited. */
  async #ask({ attempt, identification, key }: Candidate): Promise<{ answer: Answer } | ToldFirst> {
    const known = await identification?.again(this.#parts.api)
    if (known !== undefined && 'kind' in known) return { answer: { verdict: known } }
    const tried = await attempt(known)
    if (tried.charge.taken) return { answer: { verdict: this.letIn(key, tried.verdict()), attempt: tried } }
    const told = toldBy(tried)
    return told.waitMs < Infinity ? told : { answer: { verdict: tried.verdict(), attempt: tried } }
  }
}

const leavings: Record<Leaving, { readonly code: 'limit_exceeded' | 'queue_full'; readonly reason: string }> = {
  full: { code: 'queue_full', reason: 'queue_full' },
  late: { code: 'limit_exceeded', reason: 'waited_in_vain' },
  gone: { code: 'limit_exceeded', reason: 'hung_up' },
  closed: { code: 'limit_exceeded', reason: 'shutdown' },
}

function toldBy({ plan, charge }: Attempt): ToldFirst {
  const waits = charge.readings.map(({ waitMs }, index) =>
    plan.counterLimits[index]?.algorithm === 'concurrent' && waitMs > 0 ? Math.max(waitMs, concurrentWaitMs) : waitMs,
  )
  return { plan, charge, atMs: monotonicClock(), waitMs: Math.max(1, ...waits) }
}

function withRemarks(verdict: Verdict, remarks: Remarks): Verdict {
  if (verdict.kind === 'absent') return verdict
  return { ...verdict, remarks: { ...verdict.remarks, ...remarks } }
}
