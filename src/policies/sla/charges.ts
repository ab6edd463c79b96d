import type { Admission, Usage } from '../../decisions/admission.js'
import type { HeaderFields, HttpRequest } from '../../decisions/http-request.js'
import { andThenWith, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { Admitted, Verdict } from '../../decisions/policy.js'
import type { Charge, Charging } from '../../limits/charging.js'
import type { GuardedCounter } from '../../limits/guarded-take.js'
import { subjectOf } from '../../limits/subject.js'
import { charging } from '../../limits/when-counter-fails.js'
import { isEnforced } from '../enforcement.js'
import { limitFields, limitRefusal, remarksOf, standingOf } from '../limit-answer.js'
import type { LimitPlan } from '../limit-plan.js'
import { planOf } from '../tier-plan.js'
import { costOf } from './cost.js'
import type { CheckedSlaOptions } from './options.js'
import { corrects, settleCharge } from './settlement.js'
import { assertTerms, subjectFor, type AdmissionWithTerms } from './terms.js'

/** What a limit policy works with: whose admissions it uses, and who counts. */
export interface LimitContext extends GuardedCounter {
  readonly api: string
}

interface Asked {
  readonly admission: AdmissionWithTerms
  readonly plan: LimitPlan
  readonly cost: number
  /** Whether this client is held to its limits, or only watched. */
  readonly enforced: boolean
  readonly charging: Charging
}

/** One request that was charged to its client's tier, or had no room there. */
export interface Charged {
  readonly asked: Asked
  readonly charge: Charge
}

/** What policies that hold a client to its tier have in common: the charge, and what becomes of it. */
export class SlaCharges {
  readonly #policy: string
  readonly #api: string
  readonly #options: CheckedSlaOptions
  readonly #charging: Charging
  /** Where nobody is to be turned away, an outage turns nobody away either. */
  readonly #watching: Charging

  constructor(policy: string, context: LimitContext, options: CheckedSlaOptions) {
    const { whenCounterFails } = options
    this.#policy = policy
    this.#api = context.api
    this.#options = options
    this.#charging = charging(context, whenCounterFails)
    this.#watching = charging(context, whenCounterFails === 'refuse' ? 'admit' : whenCounterFails)
  }

  take(request: HttpRequest, admission: Admission | undefined): MaybePromise<Charged> {
    assertTerms(this.#policy, this.#api, admission)
    const plan = planOf(admission.tier)
    const cost = costOf(this.#policy, this.#options.cost, request)
    const { enforce } = this.#options
    const enforced = enforce === true || isEnforced(enforce, subjectOf(this.#api, admission.contract.client))
    const asked: Asked = { admission, plan, cost, enforced, charging: enforced ? this.#charging : this.#watching }
    return andThenWith(asked.charging.take(subjectFor(admission), plan.counterLimits, cost), chargedAs, asked)
  }

  verdictOf(charged: Charged): Verdict {
    const { asked, charge } = charged
    const { enforced, plan } = asked
    const standing = standingOf(plan, charge)
    // Fields that tell of a limit which is not kept would be no help to anybody.
    const fields = enforced ? limitFields(standing, this.#options.fields) : undefined
    if (charge.taken || !enforced || standing === undefined) return this.#admitted(charged, standing?.usage, fields)
    return { kind: 'refused', refusal: limitRefusal(standing, fields), remarks: remarksOf(charge) }
  }

  #admitted({ asked, charge }: Charged, usage: Usage | undefined, fields: HeaderFields | undefined): Admitted {
    const { api, authenticated, client, contract, tier, claims, scopes } = asked.admission
    const limited: EachMember = { api, authenticated, client, contract, tier, claims, scopes, usage }
    const remarks = this.#remarksOf(asked, charge)
    const admitted: Admitted = { kind: 'admitted', admission: Object.freeze(limited), fields, remarks }
    if (!charge.taken || (asked.plan.settleMaxAgeMs === undefined && !corrects(this.#options))) return admitted
    const open = { charging: asked.charging, receipt: charge.receipt, cost: asked.cost }
    return {
      ...admitted,
      settle: (outcome) => settleCharge(this.#policy, this.#options, open, outcome),
      settleMaxAgeMs: asked.plan.settleMaxAgeMs,
      awaitsActualCost: this.#options.actualCost === 'handler',
    }
  }

  #remarksOf({ enforced }: Asked, charge: Charge): Admitted['remarks'] {
    const remarks = remarksOf(charge)
    if (enforced) return remarks
    if (!charge.taken) return { ...remarks, notEnforced: 'limit_exceeded' }
    const wouldBeRefused = charge.alone !== undefined && this.#options.whenCounterFails === 'refuse'
    return wouldBeRefused ? { fault: charge.alone.fault, notEnforced: charge.alone.fault.code } : remarks
  }
}

function chargedAs(charge: Charge, asked: Asked): Charged {
  return { asked, charge }
}

/** Listed by hand because a spread costs more; a member that is forgotten does not compile. */
type EachMember = { [Member in keyof Required<Admission>]: Admission[Member] }
