import { windowBounds, type AdmittedTier, type Limit } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { rateLimitPolicy, type RateLimitPolicy } from '../http/rate-limit-fields.js'
import { algorithms } from '../limits/algorithms/table.js'
import type { CounterLimit } from '../limits/counter.js'

/** What a tier means to a limit policy. `limits` and `counterLimits` stand in the same order. */
export interface TierPlan {
  readonly limits: readonly Limit[]
  readonly counterLimits: readonly CounterLimit[]
  readonly policy: RateLimitPolicy
}

const plans = new WeakMap<AdmittedTier, TierPlan>()

/** Made once for each version of a tier, as far as the same object stands for it. */
export function planOf(tier: AdmittedTier): TierPlan {
  let plan = plans.get(tier)
  if (plan === undefined) {
    plan = makePlan(tier)
    plans.set(tier, plan)
  }
  return plan
}

function makePlan(tier: AdmittedTier): TierPlan {
  const strictest = new Map<string, CounterLimit & { readonly limit: Limit }>()
  if (tier.limits.length === 0) throw invalid(tier, 'has no limits')
  tier.limits.forEach((limit, index) => {
    if (!isLimit(limit)) throw invalid(tier, `has a limit that is not valid (limits.${index})`)
    const windowMs = Math.round(limit.windowSeconds * 1000)
    // The key leaves out tier and ceiling: whoever changes tier keeps what is charged.
    const key = `${limit.algorithm}:${windowMs}`
    if ((strictest.get(key)?.requests ?? Infinity) <= limit.requests) return
    strictest.set(key, { key, requests: limit.requests, windowMs, algorithm: limit.algorithm, limit })
  })
  const counterLimits = [...strictest.values()]
  const limits = counterLimits.map(({ limit }) => limit)
  return { limits, counterLimits, policy: rateLimitPolicy(tier.name, limits) }
}

/** Looked at again although stores check: NaN or a text here would be a limit that never ends. */
function isLimit({ requests, windowSeconds, algorithm }: Limit): boolean {
  return (
    Number.isSafeInteger(requests) &&
    requests >= 1 &&
    windowSeconds >= windowBounds.shortestSeconds &&
    windowSeconds <= windowBounds.longestSeconds &&
    typeof windowSeconds === 'number' &&
    Object.hasOwn(algorithms, algorithm)
  )
}

function invalid(tier: AdmittedTier, what: string): ClienteleFault {
  const name = `tier ${JSON.stringify(tier.name)} of API ${JSON.stringify(tier.api)}`
  return new ClienteleFault('ERR_CLIENTELE_STORE', `${name} ${what}; define it again`)
}
