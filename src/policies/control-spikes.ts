import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Outcome, Passed, Policy, Verdict } from '../decisions/policy.js'
import type { ForwardingWatch } from '../http/forwarding-watch.js'
import type { RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { ProxyOptions } from '../http/trusted-proxies.js'
import type { Charge, Charging } from '../limits/charging.js'
import { memoryCounter } from '../limits/memory-counter.js'
import { checkOptions } from '../runtime/check.js'
import { Enforcement, type Hold } from './enforcement.js'
import { limitFields, limitRefusal, standingOf } from './limit-answer.js'
import { limitPlan, type LimitPlan } from './limit-plan.js'
import { spikeSubject, type SpikeSubject } from './spike-subject.js'
import { staysCharged } from './spikes/counted.js'
import { spikeOptionsSchema, type ControlSpikesOptions } from './spikes/options.js'

export type { ControlSpikesOptions }

/** What a spike control is built with. */
export interface SpikeContext extends ProxyOptions {
  readonly api: string
  readonly counterTimeoutMs: number
  readonly forwardingWatch?: ForwardingWatch
}

const ownMaxKeys = 200_000

/**
 * For keeping guessing and floods within bounds, before anybody is identified or after: a request passes when all
 * limits have room for it. Establishes nothing about the request.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` when built. While deciding: `ERR_CLIENTELE_NOT_PROTECTED` by client
 * without an identified client, `ERR_CLIENTELE_COUNTER` when the counter does not answer sensibly and in time.
 */
export function controlSpikes(context: SpikeContext, options: ControlSpikesOptions): Policy {
  const checked = checkOptions('controlSpikes()', spikeOptionsSchema, options)
  const { by, limit, count, ipv6PrefixLength = 64, fields, name = by } = checked
  const counter = checked.counter ?? memoryCounter({ maxKeys: ownMaxKeys })
  return new SpikeControl({
    enforcement: new Enforcement({ counter, counterTimeoutMs: context.counterTimeoutMs }, checked),
    subject: spikeSubject({ ...context, by, name, ipv6PrefixLength }),
    plan: limitPlan(name, limit),
    staysCharged: staysCharged[count],
    fields,
  })
}

interface SpikeControlParts {
  readonly enforcement: Enforcement
  readonly subject: SpikeSubject
  readonly plan: LimitPlan
  readonly staysCharged: ((outcome: Outcome) => boolean) | undefined
  readonly fields: readonly RateLimitFieldSet[]
}

const passed: Passed = Object.freeze({ kind: 'passed' })

class SpikeControl implements Policy {
  readonly name = 'controlSpikes'
  readonly #parts: SpikeControlParts

  constructor(parts: SpikeControlParts) {
    this.#parts = parts
  }

  decide(request: HttpRequest, admission: Admission | undefined): MaybePromise<Verdict> {
    const { enforcement, subject, plan } = this.#parts
    const whom = subject(request, admission)
    const hold = enforcement.of(whom)
    return andThenWith(hold.charging.take(whom, plan.counterLimits, 1), this.#verdictOf, hold)
  }

  readonly #verdictOf = (charge: Charge, hold: Hold): Verdict => {
    const { enforcement, plan, staysCharged, fields } = this.#parts
    const { taken, alone, receipt } = charge
    const settles = taken && (staysCharged !== undefined || plan.settleMaxAgeMs !== undefined)
    if (taken && !settles && fields.length === 0 && alone === undefined) return passed
    const standing = standingOf(plan, charge)
    const shown = hold.enforced ? limitFields(standing, fields) : undefined
    const remarks = enforcement.remarksOf(hold, charge)
    if (!taken && hold.enforced && standing !== undefined) {
      return { kind: 'refused', refusal: limitRefusal(standing, shown), remarks }
    }
    return {
      kind: 'passed',
      remarks,
      ...(shown && { fields: shown }),
      ...(settles && { settle: this.#settlementOf(hold.charging, receipt), settleMaxAgeMs: plan.settleMaxAgeMs }),
    }
  }

  /** Into the window that was charged, by its receipt, and not into the one that runs by then. */
  #settlementOf(charging: Charging, receipt: unknown): (outcome: Outcome) => unknown {
    const { plan, staysCharged } = this.#parts
    return (outcome) => {
      const stays = staysCharged?.(outcome) ?? true
      return stays && plan.settleMaxAgeMs === undefined ? undefined : charging.giveBack(receipt, stays ? 0 : 1)
    }
  }
}
