import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Admission } from '../decisions/admission.js'
import type { Policy } from '../decisions/policy.js'
import { CapturedRequest } from '../http/capture.js'

/**
 * One request and its answer, with all that the policies have established. Kept beside the raw request, where
 * no other middleware can reach or forge it.
 */
export class Exchange {
  readonly request: CapturedRequest
  readonly response: ServerResponse
  /** The fields that an answer which has to stay private depends on, until its header is written. */
  vary: readonly string[] | undefined = undefined
  /** One for each API, the latest in front: there are seldom two. */
  readonly #admissions: Admission[] = []
  readonly #passed: Policy[] = []

  constructor(raw: IncomingMessage, response: ServerResponse, url: string) {
    this.request = new CapturedRequest(raw, response, url)
    this.response = response
  }

  /** The admission of the policy that ran last, whatever its API. */
  get latest(): Admission | undefined {
    return this.#admissions[0]
  }

  admissionFor(api: string): Admission | undefined {
    for (const admission of this.#admissions) if (admission.api === api) return admission
    return undefined
  }

  /** A policy that has let a request pass does not look, or charge, again: routers match more than once. */
  hasPassed(policy: Policy): boolean {
    return this.#passed.includes(policy)
  }

  pass(policy: Policy, admission: Admission): void {
    this.#passed.push(policy)
    const admissions = this.#admissions
    if (admissions[0]?.api === admission.api) {
      admissions[0] = admission
      return
    }
    const former = admissions.findIndex(({ api }) => api === admission.api)
    if (former > 0) admissions.splice(former, 1)
    admissions.unshift(admission)
  }
}

const exchanges = new WeakMap<IncomingMessage, Exchange>()

export function exchangeOf(raw: IncomingMessage): Exchange | undefined {
  return exchanges.get(raw)
}

/** The exchange of a raw request, begun when the first policy meets it. `url` is the unshortened target. */
export function beginExchange(raw: IncomingMessage, response: ServerResponse, url: string): Exchange {
  const exchange = new Exchange(raw, response, url)
  exchanges.set(raw, exchange)
  return exchange
}
