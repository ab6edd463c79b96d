import type { Conduct, DecisionEvent } from '../clientele.js'
import { ClienteleFault, isOutage } from '../decisions/faults.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Admitted, Policy, Verdict } from '../decisions/policy.js'
import type { Refusal } from '../decisions/refusals.js'
import { replyToOutage, replyToRefusal, type HttpReply } from '../http/reply.js'
import type { Exchange } from './exchange.js'
import { RefusalError } from './refusal-error.js'
import { contain } from './contain.js'

/** What the adapter does next. */
export type Step =
  | { readonly kind: 'proceed'; readonly admitted: Admitted | undefined }
  | { readonly kind: 'reply'; readonly reply: HttpReply }
  | { readonly kind: 'forward'; readonly error: unknown }

const proceed: Step = Object.freeze({ kind: 'proceed', admitted: undefined })

/**
 * The one run loop: asks a policy and says what becomes of the request. Sync when the policy is; never throws
 * and never rejects.
 */
export function run(conduct: Conduct, policy: Policy, exchange: Exchange): MaybePromise<Step> {
  if (exchange.hasPassed(policy)) return proceed
  try {
    if (conduct.skip?.(exchange.request) === true) return proceed
    const verdict = policy.decide(exchange.request, exchange.admissionFor(conduct.api))
    if (!isPromise(verdict)) return stepOf(conduct, policy, exchange, verdict)
    return verdict
      .then((later) => stepOf(conduct, policy, exchange, later))
      .catch((error: unknown) => stepOfError(conduct, policy, error))
  } catch (error) {
    return stepOfError(conduct, policy, error)
  }
}

function stepOf(conduct: Conduct, policy: Policy, exchange: Exchange, verdict: Verdict): Step {
  if (verdict.kind === 'admitted') {
    exchange.pass(policy, verdict.admission)
    report(conduct, policy, 'admitted', undefined, verdict.admission.client?.id)
    return { kind: 'proceed', admitted: verdict }
  }
  const refusal: Refusal =
    verdict.kind === 'refused' ? verdict.refusal : { code: verdict.code, challenges: verdict.challenges }
  report(conduct, policy, 'refused', refusal.code, exchange.admissionFor(conduct.api)?.client?.id)
  const reply = shaped(conduct, refusal)
  return conduct.onRefusal === 'forward'
    ? { kind: 'forward', error: new RefusalError(refusal, reply) }
    : { kind: 'reply', reply }
}

function stepOfError(conduct: Conduct, policy: Policy, error: unknown): Step {
  report(conduct, policy, 'fault', error instanceof ClienteleFault ? error.code : undefined, undefined)
  return isOutage(error) && conduct.faults !== 'forward'
    ? { kind: 'reply', reply: replyToOutage(error) }
    : { kind: 'forward', error }
}

function shaped(conduct: Conduct, refusal: Refusal): HttpReply {
  const reply = replyToRefusal(refusal)
  const { answer } = conduct
  if (answer === undefined) return reply
  const reshaped = contain(() => answer(refusal, reply))
  return isReply(reshaped) ? reshaped : reply
}

function isStatus(status: unknown): boolean {
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599
}

/** What a hook returns is checked as little as it is typed: enough that it can be written. */
function isReply(value: unknown): value is HttpReply {
  if (typeof value !== 'object' || value === null) return false
  const { status, fields, body } = value as Partial<HttpReply>
  return isStatus(status) && typeof fields === 'object' && (fields as unknown) !== null && typeof body === 'string'
}

function report(
  { api, onDecision }: Conduct,
  policy: Policy,
  verdict: DecisionEvent['verdict'],
  code: DecisionEvent['code'],
  client: string | undefined,
): void {
  if (onDecision === undefined) return
  contain(() => {
    onDecision({ api, policy: policy.name, verdict, ...(code && { code }), ...(client !== undefined && { client }) })
  })
}
