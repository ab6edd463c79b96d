import { z } from 'zod'
import type { Admission } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThen, isPromise, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Identification, Policy, Verdict } from '../decisions/policy.js'
import type { PolicyDescription } from '../decisions/policy-description.js'
import type { WaitingLines } from '../limits/waiting-lines.js'
import { checkOptions } from '../runtime/check.js'
import { Queue, queueOptionsShape, type Attempt, type Candidate, type ToldFirst } from './queue.js'
import { SlaCharges, type Asked, type Charged, type LimitContext } from './sla/charges.js'
import { slaOptionsShape, type SlaOptions } from './sla/options.js'

export interface ThrottleBySlaOptions extends SlaOptions {
  /**
   * How long a request may wait for its turn, 1 to 600,000. One that would have to wait longer is refused at once: it
   * had better come back. Mind what proxies and callers take for a time-out. @default 5000
   */
  readonly maxWaitMs?: number
  /** How many requests of one client may wait, on all routes of the API. @default 10 */
  readonly maxWaiting?: number
  /** How many may wait in all: each holds a connection and a request in memory. @default 1000 */
  readonly maxWaitingInAll?: number
}

const optionsSchema = z.strictObject({ ...slaOptionsShape, ...queueOptionsShape })

export interface ThrottleContext extends LimitContext {
  /** One for all routes: a client waits in one line. */
  readonly lines: WaitingLines<ToldFirst>
}

/**
 * For clients that had better be slowed down than turned away: over the limits of its tier a request waits for its
 * turn, first in, first out for each client, in this process. Within them it is as `limitBySla`, and so are the
 * options. When its turn has come, credentials and contract are looked at again.
 *
 * Each that waits holds a connection. A handler behind it runs later than the request came.
 *
 * @throws ClienteleFault as `limitBySla`
 */
export function throttleBySla(context: ThrottleContext, options: ThrottleBySlaOptions = {}): Policy {
  const checked = checkOptions('throttleBySla()', optionsSchema, options)
  const { api, lines } = context
  return new SlaThrottle(new SlaCharges('throttleBySla', context, checked), new Queue({ api, lines, bounds: checked }))
}

class SlaThrottle implements Policy {
  readonly name = 'throttleBySla'
  readonly description: PolicyDescription
  readonly #charges: SlaCharges
  readonly #queue: Queue

  constructor(charges: SlaCharges, queue: Queue) {
    this.#charges = charges
    this.description = charges.description
    this.#queue = queue
  }

  decide(
    request: HttpRequest,
    admission: Admission | undefined,
    identification?: Identification,
  ): MaybePromise<Verdict> {
    const asked = this.#charges.ask(request, admission)
    // Who is only watched waits for nothing; who cannot be looked at again had better not wait.
    if (!asked.hold.enforced || identification === undefined) {
      return andThen(this.#charges.take(asked), (charged) => this.#charges.verdictOf(charged))
    }
    const told = this.#queue.toldFirst(asked.subject)
    if (told !== undefined) return this.#queue.wait(this.#candidate(request, identification, asked), told)
    const charged = this.#charges.take(asked)
    if (isPromise(charged)) return this.#later(charged, request, identification)
    return this.#decided(charged, request, identification)
  }

  async #later(charged: Promise<Charged>, request: HttpRequest, identification: Identification): Promise<Verdict> {
    return this.#decided(await charged, request, identification)
  }

  #decided(charged: Charged, request: HttpRequest, identification: Identification): MaybePromise<Verdict> {
    const { asked, charge } = charged
    if (charge.taken) return this.#queue.letIn(asked.subject, this.#charges.verdictOf(charged))
    return this.#queue.withoutRoom(this.#candidate(request, identification, asked), this.#attemptOf(charged))
  }

  #candidate(request: HttpRequest, identification: Identification, asked: Asked): Candidate {
    return {
      key: asked.subject,
      request,
      identification,
      attempt: (again) => {
        const now = again === undefined ? asked : this.#charges.ask(request, again)
        return andThen(this.#charges.take(now), (charged) => this.#attemptOf(charged))
      },
      fields: this.#charges.fields,
    }
  }

  #attemptOf(charged: Charged): Attempt {
    return {
      plan: charged.asked.plan,
      charge: charged.charge,
      verdict: () => this.#charges.verdictOf(charged),
      giveBack: () => this.#charges.giveBack(charged),
    }
  }
}
