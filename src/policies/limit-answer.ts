import { z } from 'zod'
import type { LimitUsage, Usage } from '../decisions/admission.js'
import type { HeaderFields } from '../decisions/http-request.js'
import { spanSeconds } from '../decisions/limit.js'
import type { Refusal } from '../decisions/refusals.js'
import { rateLimitFields, type RateLimitFieldSet } from '../http/rate-limit-fields.js'
import { retryAfterSeconds } from '../http/retry-after.js'
import type { LimitPlan } from './limit-plan.js'

/** The option `fields` of every policy that charges limits. */
export const fieldSets = z
  .array(z.enum(['ratelimit', 'x-ratelimit', 'x-ratelimit-ms']))
  .refine(
    (sets) => !(sets.includes('x-ratelimit') && sets.includes('x-ratelimit-ms')),
    'x-ratelimit and x-ratelimit-ms are the same names; choose one',
  )

export function limitFields(
  plan: LimitPlan,
  usage: Usage,
  sets: readonly RateLimitFieldSet[],
): HeaderFields | undefined {
  return sets.length === 0 ? undefined : rateLimitFields(plan.policy, usage, sets)
}

export function limitRefusal(plan: LimitPlan, usage: Usage, fields: HeaderFields | undefined): Refusal {
  const violated = usage.limits.map(({ waitSeconds }) => waitSeconds > 0)
  const waits = usage.limits.filter((_, index) => violated[index]).map(secondsToWait)
  return {
    code: 'limit_exceeded',
    retryAfterSeconds: retryAfterSeconds(Math.max(...waits)),
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
