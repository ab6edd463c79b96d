import { z } from 'zod'
import type { Admission, AdmittedContract, AdmittedTier, LimitUsage, Usage } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Policy, Verdict } from '../decisions/policy.js'
import type { Refusal } from '../decisions/refusals.js'
import { rateLimitFields, type RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { Take } from '../limits/counter.js'
import { guardedTake, type GuardedCounter } from '../limits/guarded-take.js'
import { subjectOf } from '../limits/subject.js'
import { usageFrom } from '../limits/usage.js'
import { checkOptions } from '../runtime/check.js'
import { planOf, type TierPlan } from './tier-plan.js'

export interface LimitBySlaOptions {
  /**
   * What one request is charged to every limit of the tier: a finite number, 0 or more. Above the smallest limit no
   * request can ever pass: each gets its 429.
   * @default 1
   */
  readonly cost?: number
  /**
   * Which header fields tell the client where it stands; `[]` for none. `x-ratelimit` and `x-ratelimit-ms` are the
   * same names in seconds and in milliseconds, so one of them at most.
   * @default ['ratelimit']
   */
  readonly fields?: readonly RateLimitFieldSet[]
}

const optionsSchema = z.strictObject({
  cost: z.number('expected a finite number, 0 or more').min(0, 'expected a finite number, 0 or more').default(1),
  fields: z
    .array(z.enum(['ratelimit', 'x-ratelimit', 'x-ratelimit-ms']))
    .refine(
      (sets) => !(sets.includes('x-ratelimit') && sets.includes('x-ratelimit-ms')),
      'x-ratelimit and x-ratelimit-ms are the same names; choose one',
    )
    .default(['ratelimit']),
})

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
  const { cost, fields } = checkOptions('limitBySla()', optionsSchema, options)
  return new SlaLimit(context, cost, fields)
}

class SlaLimit implements Policy {
  readonly name = 'limitBySla'
  readonly #context: LimitContext
  readonly #cost: number
  readonly #fields: readonly RateLimitFieldSet[]

  constructor(context: LimitContext, cost: number, fields: readonly RateLimitFieldSet[]) {
    this.#context = context
    this.#cost = cost
    this.#fields = fields
  }

  decide(_request: HttpRequest, admission: Admission | undefined): MaybePromise<Verdict> {
    assertTerms(this.#context.api, admission)
    const plan = planOf(admission.tier)
    const subjects = admission.authenticated ? authenticatedSubjects : unauthenticatedSubjects
    const subject = subjects.get(admission.contract) ?? rememberSubject(subjects, admission)
    const take = guardedTake(this.#context, subject, plan.counterLimits, this.#cost)
    if (isPromise(take)) return take.then((answer) => this.#verdictOf(admission, plan, answer))
    return this.#verdictOf(admission, plan, take)
  }

  #verdictOf(admission: Admission, plan: TierPlan, { taken, readings }: Take): Verdict {
    const usage = usageFrom(plan.limits, readings)
    const fields = this.#fields.length === 0 ? undefined : rateLimitFields(plan.policy, usage, this.#fields)
    if (!taken) return { kind: 'refused', refusal: { ...refusalOf(plan, usage, this.#cost), fields } }
    const { api, authenticated, client, contract, tier, claims, scopes } = admission
    const limited: EachMember = { api, authenticated, client, contract, tier, claims, scopes, usage }
    return { kind: 'admitted', admission: Object.freeze(limited), fields }
  }
}

/** Listed by hand because a spread costs more; a member that is forgotten does not compile. */
type EachMember = { [Member in keyof Required<Admission>]: Admission[Member] }

interface AdmissionWithTerms extends Admission {
  readonly contract: AdmittedContract
  readonly tier: AdmittedTier
}

/** Another API's admission is nobody's here: limits hold for the contract of this API. */
function assertTerms(api: string, admission: Admission | undefined): asserts admission is AdmissionWithTerms {
  if (admission?.api !== api) {
    throw unprotected(api, 'nobody is identified; put a policy that identifies the client for this API before it')
  }
  if (admission.contract === undefined) {
    throw unprotected(api, "the request was admitted without its contract; leave out contract: 'skip' before a limit")
  }
  if (admission.tier === undefined) {
    throw unprotected(
      api,
      'the contract has no tier; define one with defineTier() and give it to the contract with changeTier()',
    )
  }
}

function unprotected(api: string, what: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `limitBySla() of API ${JSON.stringify(api)}: ${what}`)
}

type Subjects = WeakMap<AdmittedContract, string>

const authenticatedSubjects: Subjects = new WeakMap()
const unauthenticatedSubjects: Subjects = new WeakMap()

function rememberSubject(subjects: Subjects, { api, authenticated, contract }: AdmissionWithTerms): string {
  const subject = subjectOf(api, contract.client, authenticated)
  subjects.set(contract, subject)
  return subject
}

function refusalOf(plan: TierPlan, usage: Usage, cost: number): Refusal {
  const violated = usage.limits.map((limit) => hasNoRoom(limit, cost))
  const waits = usage.limits.filter((_, index) => violated[index]).map(waitSeconds)
  return {
    code: 'limit_exceeded',
    retryAfterSeconds: Math.max(1, Math.ceil(Math.max(...waits))),
    members: { 'violated-policies': plan.policy.names.filter((_, index) => violated[index]) },
  }
}

function hasNoRoom({ used, limit }: LimitUsage, cost: number): boolean {
  return used + cost > limit.requests
}

/** Where no window runs, only a cost above the limit can be in the way, and no wait would help. */
function waitSeconds({ resetSeconds, limit }: LimitUsage): number {
  return resetSeconds > 0 ? resetSeconds : limit.windowSeconds
}
