import { z } from 'zod'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Policy, Verdict } from '../decisions/policy.js'
import type { PolicyDescription } from '../decisions/policy-description.js'
import { checkOptions } from '../runtime/check.js'
import { SlaCharges, type LimitContext } from './sla/charges.js'
import { slaOptionsShape, type SlaOptions } from './sla/options.js'

/** Every option has a default. */
export type LimitBySlaOptions = SlaOptions

const optionsSchema = z.strictObject(slaOptionsShape)

/**
 * For keeping every client to the pace of its contract: a request passes when all limits of its tier have room, and
 * is then charged to all of them; a refused one is charged to none.
 *
 * Goes after a policy that identifies the client for the same API. A client that gave an ID alone (`secret:
 * 'optional'`) is counted apart from the same client with its secret.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built. While deciding: `ERR_CLIENTELE_NOT_PROTECTED` without an
 * identified client, contract and tier, `ERR_CLIENTELE_COUNTER` when the counter does not answer sensibly and in time
 * and `whenCounterFails` says nothing else.
 */
export function limitBySla(context: LimitContext, options: LimitBySlaOptions = {}): Policy {
  return new SlaLimit(new SlaCharges('limitBySla', context, checkOptions('limitBySla()', optionsSchema, options)))
}

class SlaLimit implements Policy {
  readonly name = 'limitBySla'
  readonly description: PolicyDescription
  readonly #charges: SlaCharges

  constructor(charges: SlaCharges) {
    this.#charges = charges
    this.description = charges.description
  }

  decide(request: HttpRequest, admission: Admission | undefined): MaybePromise<Verdict> {
    const charged = this.#charges.take(this.#charges.ask(request, admission))
    if (isPromise(charged)) return charged.then((later) => this.#charges.verdictOf(later))
    return this.#charges.verdictOf(charged)
  }
}
