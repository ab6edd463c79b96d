import type { LimitUsage, Usage } from '../decisions/admission.js'
import { spanSeconds, type Limit } from '../decisions/limit.js'
import type { HeaderFields } from '../decisions/http-request.js'
import { quotedString } from './quoted-string.js'

/**
 * `ratelimit`: `RateLimit-Policy` and `RateLimit` for all limits (draft-ietf-httpapi-ratelimit-headers-11).
 * `x-ratelimit`: `x-ratelimit-limit`, `-remaining` and `-reset` in seconds, for the scarcest limit.
 * `x-ratelimit-ms`: the same with the reset in milliseconds, as MuleSoft has it.
 */
export type RateLimitFieldSet = 'ratelimit' | 'x-ratelimit' | 'x-ratelimit-ms'

const fieldNames: Readonly<Record<RateLimitFieldSet, readonly string[]>> = {
  ratelimit: ['RateLimit-Policy', 'RateLimit'],
  'x-ratelimit': ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
  'x-ratelimit-ms': ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
}

/** The names of the fields that `rateLimitFields` sets. */
export function rateLimitFieldNames(sets: readonly RateLimitFieldSet[]): readonly string[] {
  return [...new Set(sets.flatMap((set) => fieldNames[set]))]
}

/** What can be said of a tier once and for all. */
export interface RateLimitPolicy {
  /**
   * One per limit: the name of the tier if it has one limit, else name and window (`gold-60s`, `gold-100ms`,
   * `gold-gcra-60s`, `gold-day`, `gold-concurrent`). What an sf-string cannot carry (RFC 9651 §3.3.3: all but visible
   * ASCII) is percent-encoded as UTF-8.
   */
  readonly names: readonly string[]
  readonly policyField: string
  /** `RateLimit` up to the first number, one per limit. */
  readonly items: readonly string[]
}

export function rateLimitPolicy(tierName: string, limits: readonly Limit[]): RateLimitPolicy {
  const name = visibleAscii(tierName)
  const names = limits.map((limit) => (limits.length === 1 ? name : `${name}-${nameOf(limit)}`))
  const quoted = names.map(quotedString)
  return {
    names,
    policyField: limits.map((limit, index) => `${quoted[index] ?? ''};${policyParameters(limit)}`).join(', '),
    items: quoted.map((text) => `${text};r=`),
  }
}

/** The fields of one answer. `usage.limits` stands in the order of the limits that `policy` was made of. */
export function rateLimitFields(
  policy: RateLimitPolicy,
  usage: Usage,
  sets: readonly RateLimitFieldSet[],
): HeaderFields {
  const fields: Record<string, string> = {}
  for (const set of sets) {
    if (set === 'ratelimit') {
      fields['RateLimit-Policy'] = policy.policyField
      fields['RateLimit'] = serviceLimits(policy, usage.limits)
    } else {
      fields['x-ratelimit-limit'] = String(usage.limit.requests)
      fields['x-ratelimit-remaining'] = String(Math.floor(usage.remaining))
      fields['x-ratelimit-reset'] = String(Math.ceil(secondsToWait(usage) * (set === 'x-ratelimit' ? 1 : 1000)))
    }
  }
  return fields
}

/** `t` is left out where no window runs. Rounded so that nobody comes back too early or counts on too much. */
function serviceLimits({ items }: RateLimitPolicy, limits: readonly LimitUsage[]): string {
  let text = ''
  for (let index = 0; index < limits.length; index += 1) {
    const usage = limits[index] as LimitUsage
    const seconds = secondsToWait(usage)
    if (index > 0) text += ', '
    text += `${items[index] ?? ''}${Math.min(Math.floor(usage.remaining), largestInteger)}`
    if (seconds > 0) text += `;t=${Math.min(Math.ceil(seconds), largestInteger)}`
  }
  return text
}

/** Whoever has to wait hears of the moment that `Retry-After` is about; a place comes free at a moment nobody knows. */
function secondsToWait({ limit, waitSeconds, resetSeconds }: LimitUsage): number {
  if (limit.algorithm === 'concurrent') return 0
  return waitSeconds > 0 && waitSeconds < Infinity ? waitSeconds : resetSeconds
}

/** The largest Integer of RFC 9651 §3.3.1. */
const largestInteger = 999_999_999_999_999
const notVisibleAscii = /[^\x20-\x7e]/gu

/** `w` is a whole number of seconds (draft §3.1.3), so a window that is not goes without. */
function policyParameters(limit: Limit): string {
  const quota = `q=${Math.min(limit.requests, largestInteger)}`
  if (limit.algorithm === 'concurrent') return `${quota};qu="concurrent-requests"`
  const seconds = spanSeconds(limit)
  return Number.isInteger(seconds) ? `${quota};w=${seconds}` : quota
}

function nameOf(limit: Limit): string {
  if (limit.algorithm === 'concurrent') return limit.algorithm
  if (limit.algorithm === 'calendar') return limit.unit
  const { algorithm, windowSeconds } = limit
  const window = Number.isInteger(windowSeconds) ? `${windowSeconds}s` : `${Math.round(windowSeconds * 1000)}ms`
  return algorithm === 'fixed' ? window : `${algorithm}-${window}`
}

function visibleAscii(text: string): string {
  return text.replace(notVisibleAscii, (character) =>
    Buffer.from(character).toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
}
