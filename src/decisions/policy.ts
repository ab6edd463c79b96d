import type { Admission } from './admission.js'
import type { Challenge } from './challenge.js'
import type { HeaderFields, HttpRequest } from './http-request.js'
import type { MaybePromise } from './maybe-promise.js'
import type { Refusal } from './refusals.js'

/** Places out of which credentials are taken before the handler sees the request. Names in lower case for headers. */
export interface Strip {
  readonly headers: readonly string[]
  readonly query: readonly string[]
}

/** How a request ended, for a policy that has something to put right afterwards. */
export interface Outcome {
  readonly status: number
  readonly bytes: number
  readonly aborted: boolean
}

/** What one policy says of one request. */
export type Verdict = Absent | Refused | Admitted

/** Nothing here for this policy. The code and the challenges are what the caller gets if nobody else knows him. */
export interface Absent {
  readonly kind: 'absent'
  readonly code: 'credentials_missing' | 'token_missing'
  readonly challenges: readonly Challenge[]
}

export interface Refused {
  readonly kind: 'refused'
  readonly refusal: Refusal
}

export interface Admitted {
  readonly kind: 'admitted'
  readonly admission: Admission
  readonly fields?: HeaderFields
  readonly strip?: Strip | undefined
  /**
   * There when the credentials stood outside of `Authorization`, which is all that shared caches know of: the
   * fields that the answer depends on.
   */
  readonly vary?: readonly string[] | undefined
  /** Called once, when handler and response are both over, or after the maximum age. */
  readonly settle?: (outcome: Outcome) => void
}

/**
 * One check on a request, built once and free of per-request state. A refusal is returned; only our own
 * trouble is thrown, as a `ClienteleFault`.
 */
export interface Policy {
  /** The word by which events name it. */
  readonly name: string
  decide(request: HttpRequest, admission: Admission | undefined): MaybePromise<Verdict>
}

/**
 * How sure a branch of `anyOf` is that a request speaks to it, judged by place and shape alone, never by
 * validity: `own` (this is for me), `place` (my place is used, but not in my shape), `absent`.
 */
export type Recognition = 'own' | 'place' | 'absent'

/** A policy that establishes who is calling, and so can be a branch of `anyOf`. */
export interface IdentifyingPolicy extends Policy {
  /** Where it looks. Two branches of one place must be told apart by `shapes`. */
  readonly place: 'client' | 'bearer'
  /** What it takes at its place, as far as that can be told without checking it. */
  readonly shapes: readonly string[]
  readonly absent: Absent
  /** Without `byShape` the place alone is looked at, and `place` is not told from `own`. @default true */
  recognise(request: HttpRequest, byShape?: boolean): MaybePromise<Recognition>
}

/** What `anyOf` makes: the policy of whichever branch a request speaks to. */
export interface Choice extends Policy {
  readonly branches: readonly IdentifyingPolicy[]
}
