import { z } from 'zod'
import type { LimitUsage, Usage } from '../decisions/admission.js'
import type { HeaderFields } from '../decisions/http-request.js'
import { spanSeconds } from '../decisions/limit.js'
import type { Remarks } from '../decisions/policy.js'
import type { Refusal } from '../decisions/refusals.js'
import { rateLimitFields, type RateLimitFieldSet } from '../http/rate-limit-fields.js'
import { retryAfterSeconds } from '../http/retry-after.js'
import type { Charge } from '../limits/charging.js'
import type { Reading } from '../limits/counter.js'
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

/** To who has waited, or found no place to wait: as whoever stands first was told, less what has passed since then. */
export function lateRefusal(
  { plan, charge, agoMs }: { readonly plan: LimitPlan; readonly charge: Charge; readonly agoMs: number },
  sets: readonly RateLimitFieldSet[],
  { code, reason }: { readonly code: 'limit_exceeded' | 'queue_full'; readonly reason: string },
): Refusal {
  const standing = standingOf(plan, { ...charge, readings: charge.readings.map((reading) => later(reading, agoMs)) })
  if (standing === undefined) return { code, reason, retryAfterSeconds: retryAfterSeconds(0) }
  return { ...limitRefusal(standing, limitFields(standing, sets), code), reason }
}

/** Nobody has asked since: there may be room by now, but it is for others. */
function later({ used, remaining, resetMs, waitMs }: Reading, ms: number): Reading {
  return { used, remaining, resetMs: Math.max(0, resetMs - ms), waitMs: waitMs > 0 ? Math.max(1, waitMs - ms) : 0 }
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
