import type { Admission, Usage } from '../../decisions/admission.js'
import { isLook, type HeaderFields, type HttpRequest } from '../../decisions/http-request.js'
import { andThenWith, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { Admitted, Verdict } from '../../decisions/policy.js'
import type { RateLimitFieldSet } from '../../http/rate-limit-fields.js'
import type { Charge } from '../../limits/charging.js'
import type { GuardedCounter } from '../../limits/guarded-take.js'
import { countsInMemory } from '../../limits/memory-counter.js'
import type { PolicyDescription } from '../../decisions/policy-description.js'
import { describeLimits } from '../descriptions.js'
import { Enforcement, type Hold } from '../enforcement.js'
import { limitFields, limitRefusal, standingOf } from '../limit-answer.js'
import type { LimitPlan } from '../limit-plan.js'
import { planOf } from '../tier-plan.js'
import { costOf } from './cost.js'
import type { CheckedSlaOptions } from './options.js'
import { corrects, settleCharge } from './settlement.js'
import { assertTerms, placeFor, subjectFor, type AdmissionWithTerms } from './terms.js'

/** What a limit policy works with: whose admissions it uses, and who counts. */
export interface LimitContext extends GuardedCounter {
  readonly api: string
}

/** What is asked of the counter for one request. */
export interface Asked {
  readonly admission: AdmissionWithTerms
  readonly plan: LimitPlan
  readonly cost: number
  readonly hold: Hold
  readonly subject: string
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
  readonly #enforcement: Enforcement
  readonly description: PolicyDescription

  constructor(policy: string, context: LimitContext, options: CheckedSlaOptions) {
    this.#policy = policy
    this.#api = context.api
    this.#options = options
    this.#enforcement = new Enforcement(context, options)
    const queues = policy === 'throttleBySla'
    this.description = describeLimits({ ...options, queues, countsAlone: countsInMemory(context.counter) })
  }

  get fields(): readonly RateLimitFieldSet[] {
    return this.#options.fields
  }

  ask(request: HttpRequest, admission: Admission | undefined): Asked {
    assertTerms(this.#policy, this.#api, admission)
    const plan = planOf(admission.tier)
    const cost = costOf(this.#policy, this.#options.cost, request)
    const held = this.#enforcement.ofAll ?? this.#enforcement.at(placeFor(admission))
    const hold = isLook(request) ? this.#enforcement.looking(held) : held
    return { admission, plan, cost, hold, subject: subjectFor(admission) }
  }

  take(asked: Asked): MaybePromise<Charged> {
    const { hold, plan, subject, cost } = asked
    return andThenWith(hold.charging.take(subject, plan.counterLimits, cost), chargedAs, asked)
  }

  verdictOf(charged: Charged): Verdict {
    const { asked, charge } = charged
    const { enforced } = asked.hold
    const { plan } = asked
    const standing = standingOf(plan, charge)
    // Fields that tell of a limit which is not kept would be no help to anybody.
    const fields = enforced ? limitFields(standing, this.#options.fields) : undefined
    if (charge.taken || !enforced || standing === undefined) return this.#admitted(charged, standing?.usage, fields)
    return {
      kind: 'refused',
      refusal: limitRefusal(standing, fields),
      remarks: this.#enforcement.remarksOf(asked.hold, charge),
    }
  }

  giveBack({ asked, charge }: Charged): MaybePromise<void> {
    return asked.hold.charging.giveBack(charge.receipt, asked.cost)
  }

  #admitted({ asked, charge }: Charged, usage: Usage | undefined, fields: HeaderFields | undefined): Admitted {
    const { api, authenticated, client, contract, tier, claims, scopes } = asked.admission
    const limited: EachMember = { api, authenticated, client, contract, tier, claims, scopes, usage }
    const remarks = this.#enforcement.remarksOf(asked.hold, charge)
    const admitted: Admitted = { kind: 'admitted', admission: Object.freeze(limited), fields, remarks }
    if (!charge.taken || (asked.plan.settleMaxAgeMs === undefined && !corrects(this.#options))) return admitted
    const open = { charging: asked.hold.charging, receipt: charge.receipt, cost: asked.cost }
    return {
      ...admitted,
      settle: (outcome) => settleCharge(this.#policy, this.#options, open, outcome),
      settleMaxAgeMs: asked.plan.settleMaxAgeMs,
      awaitsActualCost: this.#options.actualCost === 'handler',
    }
  }
}

function chargedAs(charge: Charge, asked: Asked): Charged {
  return { asked, charge }
}

/** Listed by hand because a spread costs more; a member that is forgotten does not compile. */
type EachMember = { [Member in keyof Required<Admission>]: Admission[Member] }
