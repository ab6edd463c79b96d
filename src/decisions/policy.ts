import type { Admission } from './admission.js'
import type { Challenge } from './challenge.js'
import type { ClienteleFault, FaultCode } from './faults.js'
import type { BodyPath, HeaderFields, HttpRequest } from './http-request.js'
import type { MaybePromise } from './maybe-promise.js'
import type { PolicyDescription } from './policy-description.js'
import type { Refusal, RefusalCode } from './refusals.js'

/** Places out of which credentials are taken before the handler sees the request. Names in lower case for headers. */
export interface Strip {
  readonly headers: readonly string[]
  readonly query: readonly string[]
  /** What goes out of a body that was asked for as `request.body()`. */
  readonly body?: readonly BodyPath[]
}

/** How a request ended, for a policy that has something to put right afterwards. */
export interface Outcome {
  readonly status: number
  readonly bytes: number
  readonly aborted: boolean
  /** The maximum age was over before anybody had begun an answer: `status` says nothing then. */
  readonly unfinished?: boolean
  /** Why a policy turned the request away, whatever `answer` or an error handler made of the status. */
  readonly refusal?: RefusalCode | undefined
  /** What the request came to, as its handler said with `setActualCost()`. */
  readonly actualCost?: number | undefined
}

/** What one policy says of one request. */
export type Verdict = Absent | Refused | Admitted | Passed

/** Nothing here for this policy. The code and the challenges are what the caller gets if nobody else knows him. */
export interface Absent {
  readonly kind: 'absent'
  readonly code: 'credentials_missing' | 'token_missing'
  readonly challenges: readonly Challenge[]
}

export interface Refused {
  readonly kind: 'refused'
  readonly refusal: Refusal
  readonly remarks?: Remarks | undefined
}

/** What events say of a verdict besides, where it did not come about as usual. */
export interface Remarks {
  /** The counter has not answered, and this was done instead; `fault` says why. */
  readonly withoutCounter?: 'admit' | 'localShare' | undefined
  readonly fault?: ClienteleFault | undefined
  /** How long it has waited for its turn. */
  readonly waitedMs?: number | undefined
  /** With this it would have been turned away, if the limit were enforced. */
  readonly notEnforced?: RefusalCode | FaultCode | undefined
}

/** What belongs to a request that goes on, whether or not something was established about it. */
export interface Passage {
  readonly fields?: HeaderFields
  readonly strip?: Strip | undefined
  /**
   * There when the credentials stood outside of `Authorization`, which is all that shared caches know of: the
   * fields that the answer depends on.
   */
  readonly vary?: readonly string[] | undefined
  /**
   * Called once, when handler and response are both over, or after the maximum age. Nobody waits for it, and what it
   * throws or rejects with is contained.
   */
  readonly settle?: ((outcome: Outcome) => unknown) | undefined
  /** How long a request may take until it is settled as it stands then. @default five minutes */
  readonly settleMaxAgeMs?: number | undefined
  readonly remarks?: Remarks | undefined
  /** Whether `settle` makes something of what the handler says the request came to. */
  readonly awaitsActualCost?: boolean
}

export interface Admitted extends Passage {
  readonly kind: 'admitted'
  readonly admission: Admission
}

/** Goes on, and nothing was established: what is known of the request stays what it was, be it nothing at all. */
export interface Passed extends Passage {
  readonly kind: 'passed'
}

/**
 * One check on a request, built once and free of per-request state. A refusal is returned; only our own
 * trouble is thrown, as a `ClienteleFault`.
 */
export interface Policy {
  /** The word by which events name it. */
  readonly name: string
  /**
   * Taken out of a request that this policy, or another one of its `clientele()`, turns away: an access log or an error
   * handler may look at it afterwards.
   */
  readonly strip?: Strip | undefined
  /** What clients have to know of it. A policy of one's own that has none is left out of descriptions of an API. */
  readonly description?: PolicyDescription | undefined
  decide(request: HttpRequest, admission: Admission | undefined, identification?: Identification): MaybePromise<Verdict>
}

/** How a request was identified, for a policy that lets time pass before it decides. */
export interface Identification {
  /**
   * Has the policies that identified the request for this API decide once more: what is admitted now, or the verdict
   * that turns it away.
   */
  again(api: string): MaybePromise<Admission | Refused | Absent | undefined>
}

/**
 * How sure a branch of `anyOf` is that a request speaks to it, judged by place and shape alone, never by
 * validity: `own` (this is for me), `place` (my place is used, but not in my shape), `unread` (my place is too large
 * to look into, so nobody is to be let in), `absent`.
 */
export type Recognition = 'own' | 'place' | 'unread' | 'absent'

/** What a branch of `anyOf` found. It decides on that, so that nothing is read twice. */
export interface Recognised {
  readonly recognition: Recognition
  decide(this: void, admission: Admission | undefined): MaybePromise<Verdict>
}

/** A policy that establishes who is calling, and so can be a branch of `anyOf`. */
export interface IdentifyingPolicy extends Policy {
  /** Where it looks. Two branches of one place must be told apart by `shapes`. */
  readonly place: 'client' | 'bearer'
  /** What it takes at its place, as far as that can be told without checking it. */
  readonly shapes: readonly string[]
  readonly absent: Absent
  /** Without `byShape` the place alone is looked at, and `place` is not told from `own`. @default true */
  recognise(request: HttpRequest, byShape?: boolean): MaybePromise<Recognised>
}

/** What `anyOf` makes: the policy of whichever branch a request speaks to. */
export interface Choice extends Policy {
  readonly branches: readonly IdentifyingPolicy[]
}
