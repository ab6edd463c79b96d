import type { Conduct, DecisionEvent } from '../clientele.js'
import type { Admission } from '../decisions/admission.js'
import { ClienteleFault, isOutage } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Absent, Admitted, Passage, Passed, Policy, Refused, Remarks, Verdict } from '../decisions/policy.js'
import { refusals, type Refusal } from '../decisions/refusals.js'
import { replyToOutage, replyToRefusal, type HttpReply } from '../http/reply.js'
import { contain } from '../runtime/contain.js'
import { warn } from '../runtime/warn.js'
import type { Exchange } from './exchange.js'
import { RefusalError } from './refusal-error.js'

/** What the adapter does next. */
export type Step =
  | { readonly kind: 'proceed'; readonly passage: Passage | undefined }
  | { readonly kind: 'reply'; readonly reply: HttpReply }
  | { readonly kind: 'forward'; readonly error: unknown }

const proceed: Step = Object.freeze({ kind: 'proceed', passage: undefined })

/**
 * The one run loop: asks a policy and says what becomes of the request. Sync when the policy is; never throws
 * and never rejects.
 */
export function run(conduct: Conduct, policy: Policy, exchange: Exchange): MaybePromise<Step> {
  if (exchange.hasPassed(policy)) return proceed
  try {
    if (skips(conduct, exchange)) return proceed
    const verdict = policy.decide(exchange.request, exchange.admissionFor(conduct.api), exchange)
    if (!isPromise(verdict)) return stepOf(conduct, policy, exchange, verdict)
    return verdict
      .then((later) => stepOf(conduct, policy, exchange, later))
      .catch((error: unknown) => stepOfError(conduct, policy, exchange, error))
  } catch (error) {
    return stepOfError(conduct, policy, exchange, error)
  }
}

function skips({ skip }: Conduct, { request }: Exchange): boolean {
  if (skip === undefined) return false
  const skipped: unknown = skip(request)
  if (typeof skipped === 'boolean') return skipped
  if (isPromise(skipped)) Promise.resolve(skipped).catch(() => undefined)
  throw new TypeError('skip() of clientele(): expected true or false, and at once.')
}

function stepOf(conduct: Conduct, policy: Policy, exchange: Exchange, verdict: Verdict): Step {
  if (verdict.kind === 'admitted' || verdict.kind === 'passed') return proceedWith(conduct, policy, exchange, verdict)
  const refusal = refusalOf(policy, verdict)
  exchange.refusal = refusal.code
  const client = exchange.admissionFor(conduct.api)?.client?.id
  const remarks = verdict.kind === 'refused' ? verdict.remarks : undefined
  report(conduct, policy, exchange, { verdict: 'refused', code: refusal.code, reason: refusal.reason, client }, remarks)
  const reply = shaped(conduct, refusal)
  return conduct.onRefusal === 'forward'
    ? { kind: 'forward', error: new RefusalError(refusal, reply) }
    : { kind: 'reply', reply }
}

const nobody: Pick<Admission, 'client'> = {}

function proceedWith(conduct: Conduct, policy: Policy, exchange: Exchange, verdict: Admitted | Passed): Step {
  const admission = verdict.kind === 'admitted' ? verdict.admission : undefined
  exchange.pass(policy, admission)
  const { client } = admission ?? exchange.admissionFor(conduct.api) ?? nobody
  report(conduct, policy, exchange, { verdict: verdict.kind, client: client?.id }, verdict.remarks)
  return { kind: 'proceed', passage: verdict }
}

/** Somebody's own policy may answer anything, whatever its type says. */
function refusalOf(policy: Policy, verdict: Partial<Refused> | Absent): Refusal {
  if (verdict.kind === 'absent') return { code: verdict.code, challenges: verdict.challenges }
  if (verdict.refusal !== undefined && Object.hasOwn(refusals, verdict.refusal.code)) return verdict.refusal
  throw new TypeError(
    `The policy "${policy.name}" gave no verdict: absent, refused, admitted or passed, with what belongs to it.`,
  )
}

function stepOfError(conduct: Conduct, policy: Policy, exchange: Exchange, error: unknown): Step {
  const fault = error instanceof ClienteleFault ? error : undefined
  const outage = isOutage(error) && conduct.faults !== 'forward'
  report(conduct, policy, exchange, { verdict: 'fault', code: fault?.code, reason: fault?.reason, fault })
  if (outage && conduct.onDecision === undefined) warnOf(error)
  return outage ? { kind: 'reply', reply: replyToOutage(error) } : { kind: 'forward', error }
}

/** An outage that nobody is told of would be looked for in vain. */
function warnOf({ code, message, cause }: ClienteleFault): void {
  warn(`${code}: ${cause instanceof ClienteleFault ? `${message} ${cause.message}` : message}`)
}

function shaped(conduct: Conduct, refusal: Refusal): HttpReply {
  const reply = replyToRefusal(refusal)
  const { answer } = conduct
  if (answer === undefined) return reply
  const reshaped = contain(answer, refusal, reply)
  return isReply(reshaped) ? reshaped : reply
}

function isStatus(status: unknown): boolean {
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599
}

/** What a hook returns is checked as little as it is typed: enough that it can be written. */
function isReply(value: unknown): value is HttpReply {
  if (typeof value !== 'object' || value === null) return false
  const { status, fields, body } = value as Record<keyof HttpReply, unknown>
  return isStatus(status) && typeof fields === 'object' && fields !== null && typeof body === 'string'
}

function report(
  { api, onDecision }: Conduct,
  policy: Policy,
  { request }: Exchange,
  what: Omit<DecisionEvent, 'api' | 'policy'>,
  remarks?: Remarks,
): void {
  if (onDecision === undefined) {
    if (remarks?.fault !== undefined) warnOf(remarks.fault)
    return
  }
  const event: DecisionEvent = { api, policy: policy.name, ...what, ...remarks }
  contain(onDecision, event, request)
}
