import { isLimit } from '../contracts/limit-schemas.js'
import type { AdmittedTier } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { limitPlan, type LimitPlan } from './limit-plan.js'

const plans = new WeakMap<AdmittedTier, LimitPlan>()

/** Made once for each version of a tier, as far as the same object stands for it. */
export function planOf(tier: AdmittedTier): LimitPlan {
  let plan = plans.get(tier)
  if (plan === undefined) {
    plan = makePlan(tier)
    plans.set(tier, plan)
  }
  return plan
}

function makePlan(tier: AdmittedTier): LimitPlan {
  if (tier.limits.length === 0) throw invalid(tier, 'has no limits')
  tier.limits.forEach((limit, index) => {
    // Looked at again although stores check: NaN or a text here would be a limit that never ends.
    if (!isLimit(limit)) throw invalid(tier, `has a limit that is not valid (limits.${index})`)
  })
  return limitPlan(tier.name, tier.limits)
}

function invalid(tier: AdmittedTier, what: string): ClienteleFault {
  const name = `tier ${JSON.stringify(tier.name)} of API ${JSON.stringify(tier.api)}`
  return new ClienteleFault('ERR_CLIENTELE_STORE', `${name} ${what}; define it again`)
}
