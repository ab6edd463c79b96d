import { z } from 'zod'
import { oneOrMoreLimits, type LimitInput } from '../contracts/limit-schemas.js'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Outcome, Passed, Policy, Verdict } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import type { RateLimitFieldSet } from '../http/rate-limit-fields.js'
import type { ForwardingWatch } from '../http/forwarding-watch.js'
import type { ProxyOptions } from '../http/trusted-proxies.js'
import type { Charge, Charging } from '../limits/charging.js'
import type { Counter } from '../limits/counter.js'
import { memoryCounter } from '../limits/memory-counter.js'
import { charging, type WhenCounterFails } from '../limits/when-counter-fails.js'
import { checkOptions } from '../runtime/check.js'
import { counterOption, whenCounterFailsOption } from './counter-options.js'
import { fieldSets, limitFields, limitRefusal, remarksOf, standingOf } from './limit-answer.js'
import { limitPlan, type LimitPlan } from './limit-plan.js'
import { spikeSubject, type SpikeSubject } from './spike-subject.js'

export interface ControlSpikesOptions {
  /**
   * Who shares a limit:
   * - `address`: the requests of one address, an IPv6 network counting as one. Behind a proxy this takes
   *   `trustedProxies` of `clientele()`;
   * - `client`: those of one client, once a policy before this one has identified it. Never a client that a request
   *   only claims to be of: a stranger could lock it out;
   * - `route`: all requests to what this very handler guards.
   */
  readonly by: 'address' | 'client' | 'route'
  /** At most so many `requests` in `windowSeconds`; several limits hold together. `algorithm` as in a tier. */
  readonly limit: LimitInput | readonly LimitInput[]
  /**
   * - `all`: every request;
   * - `failures`: those whose client secret or token was wrong, and those answered 401 by the application. For
   *   guessing: a request takes its place before anything is checked, and gives it back when its answer is over, so
   *   that no more guesses are under way than the limit has left. So are no more good requests: leave room for them;
   * - `successes`: those answered with a status below 400.
   * @default 'all'
   */
  readonly count?: 'all' | 'failures' | 'successes'
  /** For `by: 'address'`: how many leading bits of an IPv6 address one caller has to himself, 32 to 128. @default 64 */
  readonly ipv6PrefixLength?: number
  /**
   * Which header fields tell callers where they stand, as for `limitBySla`. None unless it is asked for: a limit that
   * several callers share would tell each what the others do.
   * @default []
   */
  readonly fields?: readonly RateLimitFieldSet[]
  /**
   * Who counts. Its own one, so that a flood of addresses takes no place from clients; it holds 200,000 callers at a
   * time, and then answers new ones with 503.
   * @default a `memoryCounter({ maxKeys: 200_000 })` of this control alone
   */
  readonly counter?: Counter
  /**
   * What callers are told is exceeded. In a `counter` that others use too, one name is one count, so it has to be
   * written there.
   * @default the value of `by`
   */
  readonly name?: string
  /** What becomes of requests when the counter does not answer, as for `limitBySla`. @default 'refuse' */
  readonly whenCounterFails?: WhenCounterFails
}

const optionsSchema = z
  .strictObject({
    by: z.enum(['address', 'client', 'route'], "expected 'address' (the IP address), 'client' or 'route'"),
    limit: oneOrMoreLimits,
    count: z.enum(['all', 'failures', 'successes']).default('all'),
    ipv6PrefixLength: z.int().min(32).max(128).optional(),
    fields: fieldSets.default([]),
    counter: counterOption.optional(),
    name: z.string().min(1).max(255).optional(),
    whenCounterFails: whenCounterFailsOption.default('refuse'),
  })
  .refine(({ by, ipv6PrefixLength }) => by === 'address' || ipv6PrefixLength === undefined, {
    path: ['ipv6PrefixLength'],
    error: "only for by: 'address'",
  })
  .refine(({ counter, name }) => counter === undefined || name !== undefined, {
    path: ['name'],
    error: 'expected one beside counter: it tells the counts of this control from those of others',
  })

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
  const checked = checkOptions('controlSpikes()', optionsSchema, options)
  const { by, limit, count, ipv6PrefixLength = 64, fields, name = by } = checked
  const counter = checked.counter ?? memoryCounter({ maxKeys: ownMaxKeys })
  return new SpikeControl({
    charging: charging({ counter, counterTimeoutMs: context.counterTimeoutMs }, checked.whenCounterFails),
    subject: spikeSubject({ ...context, by, name, ipv6PrefixLength }),
    plan: limitPlan(name, limit),
    staysCharged: staysCharged[count],
    fields,
  })
}

interface SpikeControlParts {
  readonly charging: Charging
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
    const { charging, subject, plan } = this.#parts
    const take = charging.take(subject(request, admission), plan.counterLimits, 1)
    return isPromise(take) ? take.then((answer) => this.#verdictOf(answer)) : this.#verdictOf(take)
  }

  #verdictOf(charge: Charge): Verdict {
    const { taken, alone, receipt } = charge
    const { plan, staysCharged, fields } = this.#parts
    const settles = staysCharged !== undefined || plan.settleMaxAgeMs !== undefined
    if (taken && !settles && fields.length === 0 && alone === undefined) return passed
    const standing = standingOf(plan, charge)
    const shown = limitFields(standing, fields)
    const remarks = remarksOf(charge)
    if (!taken && standing !== undefined) return { kind: 'refused', refusal: limitRefusal(standing, shown), remarks }
    return {
      kind: 'passed',
      remarks,
      ...(shown && { fields: shown }),
      ...(settles && { settle: this.#settlementOf(receipt), settleMaxAgeMs: plan.settleMaxAgeMs }),
    }
  }

  /** Into the window that was charged, by its receipt, and not into the one that runs by then. */
  #settlementOf(receipt: unknown): (outcome: Outcome) => unknown {
    const { charging, plan, staysCharged } = this.#parts
    return (outcome) => {
      const stays = staysCharged?.(outcome) ?? true
      return stays && plan.settleMaxAgeMs === undefined ? undefined : charging.giveBack(receipt, stays ? 0 : 1)
    }
  }
}

/** A credential that was looked at and is wrong. One that is missing, or cannot be read, is no guess. */
const guesses: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['client_invalid', 'token_invalid'])

/** What is unfinished stays charged: a body sent slowly enough would otherwise make room for more guesses than allowed. */
const staysCharged: Record<'all' | 'failures' | 'successes', SpikeControlParts['staysCharged']> = {
  all: undefined,
  failures: ({ refusal, status, unfinished }) =>
    refusal === undefined ? unfinished === true || status === 401 : guesses.has(refusal),
  successes: ({ refusal, status, unfinished }) => refusal === undefined && (unfinished === true || status < 400),
}
