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
  #latest: Admission | undefined
  readonly #admissions = new Map<string, Admission>()
  readonly #passed: Policy[] = []

  constructor(raw: IncomingMessage, response: ServerResponse, url: string) {
    this.request = new CapturedRequest(raw, response, url)
    this.response = response
  }

  /** The admission of the policy that ran last, whatever its API. */
  get latest(): Admission | undefined {
    return this.#latest
  }

  admissionFor(api: string): Admission | undefined {
    return this.#admissions.get(api)
  }

  /** A policy that has let a request pass does not look, or charge, again: routers match more than once. */
  hasPassed(policy: Policy): boolean {
    return this.#passed.includes(policy)
  }

  pass(policy: Policy, admission: Admission): void {
    this.#passed.push(policy)
    this.#admissions.set(admission.api, admission)
    this.#latest = admission
  }
}

const exchanges = new WeakMap<IncomingMessage, Exchange>()

export function exchangeOf(raw: IncomingMessage): Exchange | undefined {
  return exchanges.get(raw)
}

/** The exchange of a raw request, begun when the first policy meets it. `url` is the unshortened target. */
export function beginExchange(raw: IncomingMessage, response: ServerResponse, url: string): Exchange {
  const known = exchanges.get(raw)
  if (known !== undefined) return known
  const exchange = new Exchange(raw, response, url)
  exchanges.set(raw, exchange)
  Object.defineProperty(raw, 'clientele', view)
  return exchange
}

/** `req.clientele`: to look at, not to put in. Whatever stood there before is gone. */
const view: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  enumerable: false,
  get() {
    return exchanges.get(this)?.latest
  },
}
