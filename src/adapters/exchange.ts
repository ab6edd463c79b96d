import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Admission } from '../decisions/admission.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Absent, Identification, Policy, Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import { CapturedRequest } from '../http/capture.js'

/**
 * One request and its answer, with all that the policies have established. Kept beside the raw request, where
 * no other middleware can reach or forge it.
 */
export class Exchange implements Identification {
  readonly request: CapturedRequest
  readonly response: ServerResponse
  /** The fields that an answer which has to stay private depends on, until its header is written. */
  vary: readonly string[] | undefined = undefined
  /** Why a policy turned the request away. */
  refusal: RefusalCode | undefined = undefined
  /** Whether a limit waits to hear from the handler what the request came to, and what it has heard. */
  awaitsActualCost = false
  actualCost: number | undefined = undefined
  /** One for each API, the latest in front: there are seldom two. */
  readonly #admissions: Admission[] = []
  readonly #passed: Policy[] = []
  /** Who has identified the request, and for which API. */
  readonly #identified: Identified[] = []

  constructor(raw: IncomingMessage, response: ServerResponse, url: string, holder: object) {
    this.request = new CapturedRequest(raw, response, url, holder)
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

  pass(policy: Policy, admission: Admission | undefined): void {
    this.#passed.push(policy)
    if (admission === undefined) return
    if ('recognise' in policy || 'branches' in policy) this.#identified.push({ policy, api: admission.api })
    this.#admit(admission)
  }

  again(api: string): MaybePromise<Admission | Refused | Absent | undefined> {
    const policies = this.#identified.filter((each) => each.api === api).map(({ policy }) => policy)
    return this.#decideAgain(policies, undefined)
  }

  /** In their order, each with what those before it have admitted now. */
  #decideAgain(
    [policy, ...others]: readonly Policy[],
    admission: Admission | undefined,
  ): MaybePromise<Admission | Refused | Absent | undefined> {
    if (policy === undefined) return admission
    return andThen(policy.decide(this.request, admission, this), (verdict) => {
      if (verdict.kind === 'refused' || verdict.kind === 'absent') return verdict
      return this.#decideAgain(others, verdict.kind === 'admitted' ? verdict.admission : admission)
    })
  }

  #admit(admission: Admission): void {
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

interface Identified {
  readonly policy: Policy
  readonly api: string
}

/** Gives what it is given as `this`, so that a class that extends it adds private members to that. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- a constructor is all that is needed
class Stampable {
  constructor(target: object) {
    return target
  }
}

/**
 * Keeps an exchange in a private member of the request's state as a stream, which nobody replaces as they do its raw
 * fields; where there is none, of these. Nobody else can read or write it. Not
 * in a WeakMap, because V8 holds the values of its maps through every collection of young objects: each request
 * would live on, until a full collection, by the exchange that names it. Not on the request either: adding a member
 * to an object whose prototype Express has exchanged costs a microsecond on Node 20 and 22.
 */
class Kept extends Stampable {
  #exchange: Exchange

  constructor(keeper: object, exchange: Exchange) {
    super(keeper)
    this.#exchange = exchange
  }

  static read(keeper: object): Exchange | undefined {
    return #exchange in keeper ? keeper.#exchange : undefined
  }

  static write(keeper: object, exchange: Exchange): void {
    if (#exchange in keeper) keeper.#exchange = exchange
    else new Kept(keeper, exchange)
  }
}

/** What is no request has no fields either. */
const none = Object.freeze([])

function keeperOf(raw: Partial<IncomingMessage> & { readonly _readableState?: object }): object {
  return raw._readableState ?? raw.rawHeaders ?? none
}

/** Only the very request that it was begun for: a keeper that two requests share tells nothing. */
export function exchangeOf(raw: IncomingMessage): Exchange | undefined {
  const exchange = Kept.read(keeperOf(raw))
  return exchange?.request.raw === raw ? exchange : undefined
}

/**
 * The exchange of a raw request, begun when the first policy meets it. `url` is the unshortened target, `holder` what
 * parsers of the framework leave a body on.
 */
export function beginExchange(
  raw: IncomingMessage,
  response: ServerResponse,
  url: string,
  holder: object = raw,
): Exchange {
  const exchange = new Exchange(raw, response, url, holder)
  Kept.write(keeperOf(raw), exchange)
  return exchange
}
