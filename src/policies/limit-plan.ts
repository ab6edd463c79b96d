import { limitKey, type Limit } from '../decisions/limit.js'
import { rateLimitPolicy, type RateLimitPolicy } from '../http/rate-limit-fields.js'
import type { CounterLimit } from '../limits/counter.js'
import { counterLimitOf } from '../limits/counter-limit.js'

/** What limits mean to a policy that charges them. `limits` and `counterLimits` stand in the same order. */
export interface LimitPlan {
  readonly limits: readonly Limit[]
  readonly counterLimits: readonly CounterLimit[]
  readonly policy: RateLimitPolicy
  /**
   * There when requests in flight are counted: each has to be settled, and for that to be waited for as long as its
   * place may last, but no less than for any other.
   */
  readonly settleMaxAgeMs: number | undefined
}

const usualMs = 5 * 60_000

/** `name` is what callers are told: that of the tier, or of the spike control. There is at least one limit. */
export function limitPlan(name: string, limits: readonly Limit[]): LimitPlan {
  const strictest = new Map<string, Limit>()
  for (const limit of limits) {
    const key = limitKey(limit)
    if ((strictest.get(key)?.requests ?? Infinity) > limit.requests) strictest.set(key, limit)
  }
  const kept = [...strictest.values()]
  const counterLimits = kept.map(counterLimitOf)
  const concurrent = counterLimits.find(({ algorithm }) => algorithm === 'concurrent')
  return {
    limits: kept,
    counterLimits,
    policy: rateLimitPolicy(name, kept),
    settleMaxAgeMs: concurrent?.algorithm === 'concurrent' ? Math.max(usualMs, concurrent.maxAgeMs) : undefined,
  }
}
