import { z } from 'zod'
import type { LimitUsage, Usage } from '../decisions/admission.js'
import type { HeaderFields } from '../decisions/http-request.js'
import { spanSeconds } from '../decisions/limit.js'
import type { Remarks } from '../decisions/policy.js'
import type { Refusal } from '../decisions/refusals.js'
import { rateLimitFields, type RateLimitFieldSet } from '../http/rate-limit-fields.js'
import { retryAfterSeconds } from '../http/retry-after.js'
import { orElse, type Charge } from '../limits/charging.js'
import { guardedPeek, type GuardedCounter } from '../limits/guarded-take.js'
import { usageFrom } from '../limits/usage.js'
import { sharePlan, type LimitPlan } from './limit-plan.js'

/** The option `fields` of every policy that charges limits. */
export const fieldSets = z
  .array(z.enum(['ratelimit', 'x-ratelimit', 'x-ratelimit-ms']))
  .refine(
    (sets) => !(sets.includes('x-ratelimit') && sets.includes('x-ratelimit-ms')),
    'x-ratelimit and x-ratelimit-ms are the same names; choose one',
  )

/** Where somebody stands with the limits that hold at the moment. */
export interface Standing {
  readonly plan: LimitPlan
  readonly usage: Usage
}

/** `undefined` where nobody has counted. Where this process goes on alone, its share is all that there is. */
export function standingOf(plan: LimitPlan, { readings, alone }: Charge): Standing | undefined {
  if (alone === undefined) return { plan, usage: usageFrom(plan.limits, readings) }
  if (alone.processes === undefined) return undefined
  const share = sharePlan(plan, alone.processes)
  return { plan: share, usage: usageFrom(share.limits, readings) }
}

/** To who has waited, or found no place to wait: where it stands now, as far as that can be told. */
export async function lateRefusal(
  guarded: GuardedCounter,
  { plan, subject }: { readonly plan: LimitPlan; readonly subject: string },
  sets: readonly RateLimitFieldSet[],
  { code, reason }: { readonly code: 'limit_exceeded' | 'queue_full'; readonly reason: string },
): Promise<Refusal> {
  const readings = await orElse(
    () => guardedPeek(guarded, subject, plan.counterLimits),
    () => undefined,
  )
  if (readings === undefined) return { code, reason, retryAfterSeconds: retryAfterSeconds(0) }
  const standing: Standing = { plan, usage: usageFrom(plan.limits, readings) }
  return { ...limitRefusal(standing, limitFields(standing, sets), code), reason }
}

export function remarksOf({ alone }: Charge): Remarks | undefined {
  if (alone === undefined) return undefined
  return { withoutCounter: alone.processes === undefined ? 'admit' : 'localShare', fault: alone.fault }
}

export function limitFields(
  standing: Standing | undefined,
  sets: readonly RateLimitFieldSet[],
): HeaderFields | undefined {
  if (standing === undefined || sets.length === 0) return undefined
  return rateLimitFields(standing.plan.policy, standing.usage, sets)
}

export function limitRefusal(
  { plan, usage }: Standing,
  fields: HeaderFields | undefined,
  code: 'limit_exceeded' | 'queue_full' = 'limit_exceeded',
): Refusal {
  const violated = usage.limits.map(({ waitSeconds }) => waitSeconds > 0)
  const waits = usage.limits.filter((_, index) => violated[index]).map(secondsToWait)
  return {
    code,
    retryAfterSeconds: retryAfterSeconds(Math.max(0, ...waits)),
    members: { 'violated-policies': plan.policy.names.filter((_, index) => violated[index]) },
    ...(fields && { fields }),
  }
}

const aMonthSeconds = 30 * 86_400

/** A cost above the limit never has room, and no wait would help: whoever sent it is at least not sent back at once. */
function secondsToWait({ waitSeconds, resetSeconds, limit }: LimitUsage): number {
  if (waitSeconds < Infinity) return waitSeconds
  return resetSeconds > 0 ? resetSeconds : (spanSeconds(limit) ?? aMonthSeconds)
}
