import { limitKey, type Limit } from '../decisions/limit.js'
import { rateLimitPolicy, type RateLimitPolicy } from '../http/rate-limit-fields.js'
import type { CounterLimit } from '../limits/counter.js'
import { counterLimitOf } from '../limits/counter-limit.js'
import { shareOf } from '../limits/local-share.js'

/** What limits mean to a policy that charges them. `limits` and `counterLimits` stand in the same order. */
export interface LimitPlan {
  readonly name: string
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
    name,
    limits: kept,
    counterLimits,
    policy: rateLimitPolicy(name, kept),
    settleMaxAgeMs: concurrent?.algorithm === 'concurrent' ? Math.max(usualMs, concurrent.maxAgeMs) : undefined,
  }
}

const shares = new WeakMap<LimitPlan, Map<number, LimitPlan>>()

/** What callers are told while one of `processes` goes on with its share: that, and no more, is what they can have. */
export function sharePlan(plan: LimitPlan, processes: number): LimitPlan {
  const known = shares.get(plan) ?? new Map<number, LimitPlan>()
  const share = known.get(processes) ?? makeShare(plan, processes)
  shares.set(plan, known.set(processes, share))
  return share
}

function makeShare({ name, limits }: LimitPlan, processes: number): LimitPlan {
  return limitPlan(
    name,
    limits.map((limit) => shareOf(limit, processes)),
  )
}
