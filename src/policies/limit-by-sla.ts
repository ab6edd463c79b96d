import { z } from 'zod'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Admitted, Policy, Verdict } from '../decisions/policy.js'
import type { Take } from '../limits/counter.js'
import { guardedTake, type GuardedCounter } from '../limits/guarded-take.js'
import { usageFrom } from '../limits/usage.js'
import { checkOptions } from '../runtime/check.js'
import { limitFields, limitRefusal } from './limit-answer.js'
import type { LimitPlan } from './limit-plan.js'
import { costOf } from './sla/cost.js'
import { slaOptionsShape, type CheckedSlaOptions, type SlaOptions } from './sla/options.js'
import { corrects, settleCharge } from './sla/settlement.js'
import { assertTerms, subjectFor } from './sla/terms.js'
import { planOf } from './tier-plan.js'

/** Every option has a default. */
export type LimitBySlaOptions = SlaOptions

const optionsSchema = z.strictObject(slaOptionsShape)

/** What a limit policy works with: whose admissions it uses, and who counts. */
export interface LimitContext extends GuardedCounter {
  readonly api: string
}

/**
 * For keeping every client to the pace of its contract: a request passes when all limits of its tier have room, and
 * is then charged to all of them; a refused one is charged to none.
 *
 * Goes after a policy that identifies the client for the same API. A client that gave an ID alone (`secret:
 * 'optional'`) is counted apart from the same client with its secret.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built. While deciding: `ERR_CLIENTELE_NOT_PROTECTED` without an
 * identified client, contract and tier, `ERR_CLIENTELE_COUNTER` when the counter does not answer sensibly and in time.
 */
export function limitBySla(context: LimitContext, options: LimitBySlaOptions = {}): Policy {
  return new SlaLimit(context, checkOptions('limitBySla()', optionsSchema, options))
}

class SlaLimit implements Policy {
  readonly name = 'limitBySla'
  readonly #context: LimitContext
  readonly #options: CheckedSlaOptions

  constructor(context: LimitContext, options: CheckedSlaOptions) {
    this.#context = context
    this.#options = options
  }

  decide(request: HttpRequest, admission: Admission | undefined): MaybePromise<Verdict> {
    assertTerms(this.name, this.#context.api, admission)
    const plan = planOf(admission.tier)
    const cost = costOf(this.name, this.#options.cost, request)
    const take = guardedTake(this.#context, subjectFor(admission), plan.counterLimits, cost)
    if (isPromise(take)) return take.then((answer) => this.#verdictOf(admission, plan, cost, answer))
    return this.#verdictOf(admission, plan, cost, take)
  }

  #verdictOf(admission: Admission, plan: LimitPlan, cost: number, { taken, readings, receipt }: Take): Verdict {
    const usage = usageFrom(plan.limits, readings)
    const fields = limitFields(plan, usage, this.#options.fields)
    if (!taken) return { kind: 'refused', refusal: limitRefusal(plan, usage, fields) }
    const { api, authenticated, client, contract, tier, claims, scopes } = admission
    const limited: EachMember = { api, authenticated, client, contract, tier, claims, scopes, usage }
    const admitted: Admitted = { kind: 'admitted', admission: Object.freeze(limited), fields }
    if (plan.settleMaxAgeMs === undefined && !corrects(this.#options)) return admitted
    const charge = { counter: this.#context.counter, receipt, cost }
    return {
      ...admitted,
      settle: (outcome) => settleCharge(this.name, this.#options, charge, outcome),
      settleMaxAgeMs: plan.settleMaxAgeMs,
      awaitsActualCost: this.#options.actualCost === 'handler',
    }
  }
}

/** Listed by hand because a spread costs more; a member that is forgotten does not compile. */
type EachMember = { [Member in keyof Required<Admission>]: Admission[Member] }
