import type { Admission } from '../decisions/admission.js'
import { isLook, type HttpRequest } from '../decisions/http-request.js'
import { andThen, andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Identification, Outcome, Passed, Policy, Verdict } from '../decisions/policy.js'
import type { PolicyDescription } from '../decisions/policy-description.js'
import type { ForwardingWatch } from '../http/forwarding-watch.js'
import type { RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { ProxyOptions } from '../http/trusted-proxies.js'
import type { Charge, Charging } from '../limits/charging.js'
import { countsInMemory, memoryCounter } from '../limits/memory-counter.js'
import type { WaitingLines } from '../limits/waiting-lines.js'
import { checkOptions } from '../runtime/check.js'
import { describeLimits } from './descriptions.js'
import { Enforcement, type Hold } from './enforcement.js'
import { limitFields, limitRefusal, standingOf } from './limit-answer.js'
import { limitPlan, type LimitPlan } from './limit-plan.js'
import { Queue, type Attempt, type Candidate, type ToldFirst } from './queue.js'
import { spikeSubject, type SpikeSubject } from './spike-subject.js'
import { staysCharged } from './spikes/counted.js'
import { spikeOptionsSchema, type ControlSpikesOptions } from './spikes/options.js'

export type { ControlSpikesOptions }

/** What a spike control is built with. */
export interface SpikeContext extends ProxyOptions {
  readonly api: string
  readonly counterTimeoutMs: number
  readonly forwardingWatch?: ForwardingWatch
  /** Those of a control of its own: two controls may count one caller in two ways. */
  readonly newLines: () => WaitingLines<ToldFirst>
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
  const guarded = { counter, counterTimeoutMs: context.counterTimeoutMs }
  const lines = checked.queue && context.newLines()
  const described = describeLimits({
    ...checked,
    queues: checked.queue !== undefined,
    countsAlone: countsInMemory(counter),
  })
  const parts: SpikeControlParts = {
    enforcement: new Enforcement(guarded, checked),
    subject: spikeSubject({ ...context, by, name, ipv6PrefixLength }),
    plan: limitPlan(name, limit),
    staysCharged: staysCharged[count],
    fields,
    queue: checked.queue && lines && new Queue({ api: context.api, lines, bounds: checked.queue }),
  }
  return new SpikeControl(parts, described)
}

interface Asked {
  readonly request: HttpRequest
  readonly whom: string
  readonly hold: Hold
  readonly identification: Identification | undefined
}

interface SpikeControlParts {
  readonly enforcement: Enforcement
  readonly subject: SpikeSubject
  readonly plan: LimitPlan
  readonly staysCharged: ((outcome: Outcome) => boolean) | undefined
  readonly fields: readonly RateLimitFieldSet[]
  readonly queue: Queue | undefined
}

const passed: Passed = Object.freeze({ kind: 'passed' })

class SpikeControl implements Policy {
  readonly name = 'controlSpikes'
  readonly description: PolicyDescription
  readonly #parts: SpikeControlParts

  constructor(parts: SpikeControlParts, description: PolicyDescription) {
    this.description = description
    this.#parts = parts
  }

  decide(
    request: HttpRequest,
    admission: Admission | undefined,
    identification?: Identification,
  ): MaybePromise<Verdict> {
    const { enforcement, queue, subject, plan } = this.#parts
    const whom = subject(request, admission)
    const hold = enforcement.of(whom)
    if (isLook(request)) {
      const look = enforcement.looking(hold)
      return andThenWith(look.charging.take(whom, plan.counterLimits, 1), this.#verdictOf, look)
    }
    if (queue !== undefined && hold.enforced) {
      return this.#decideWith(queue, { request, whom, hold, identification: admission && identification })
    }
    return andThenWith(hold.charging.take(whom, plan.counterLimits, 1), this.#verdictOf, hold)
  }

  #decideWith(queue: Queue, asked: Asked): MaybePromise<Verdict> {
    const { whom, hold } = asked
    const told = queue.toldFirst(whom)
    if (told !== undefined) return queue.wait(this.#candidate(asked), told)
    return andThen(hold.charging.take(whom, this.#parts.plan.counterLimits, 1), (charge) =>
      charge.taken
        ? queue.letIn(whom, this.#verdictOf(charge, hold))
        : queue.withoutRoom(this.#candidate(asked), this.#attemptOf(charge, hold)),
    )
  }

  #candidate({ request, whom, hold, identification }: Asked): Candidate {
    const { plan, fields } = this.#parts
    return {
      key: whom,
      request,
      identification,
      attempt: () =>
        andThen(hold.charging.take(whom, plan.counterLimits, 1), (charge) => this.#attemptOf(charge, hold)),
      fields,
    }
  }

  #attemptOf(charge: Charge, hold: Hold): Attempt {
    return {
      plan: this.#parts.plan,
      charge,
      verdict: () => this.#verdictOf(charge, hold),
      giveBack: () => hold.charging.giveBack(charge.receipt, 1),
    }
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
