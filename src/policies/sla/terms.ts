import type { Admission, AdmittedContract, AdmittedTier } from '../../decisions/admission.js'
import { ClienteleFault } from '../../decisions/faults.js'
import { subjectOf } from '../../limits/subject.js'
import { placeOf } from '../enforcement.js'

export interface AdmissionWithTerms extends Admission {
  readonly contract: AdmittedContract
  readonly tier: AdmittedTier
}

/** Another API's admission is nobody's here: limits hold for the contract of this API. */
export function assertTerms(
  policy: string,
  api: string,
  admission: Admission | undefined,
): asserts admission is AdmissionWithTerms {
  if (admission?.api !== api) {
    throw unprotected(
      policy,
      api,
      'nobody is identified; put a policy that identifies the client for this API before it',
    )
  }
  if (admission.contract === undefined) {
    const remedy = "leave out contract: 'skip' before a limit"
    throw unprotected(policy, api, `the request was admitted without its contract; ${remedy}`)
  }
  if (admission.tier === undefined) {
    const remedy = 'define one with defineTier() and give it to the contract with changeTier()'
    throw unprotected(policy, api, `the contract has no tier; ${remedy}`)
  }
}

function unprotected(policy: string, api: string, what: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `${policy}() of API ${JSON.stringify(api)}: ${what}`)
}

type Subjects = WeakMap<AdmittedContract, string>

const authenticatedSubjects: Subjects = new WeakMap()
const unauthenticatedSubjects: Subjects = new WeakMap()
const places = new WeakMap<AdmittedContract, number>()

/** Where a client of an API stands among all, whether or not it has proved itself. */
export function placeFor(admission: AdmissionWithTerms): number {
  return madeOnce(places, admission, makePlace)
}

/** Whom a request is charged to. */
export function subjectFor(admission: AdmissionWithTerms): string {
  return madeOnce(admission.authenticated ? authenticatedSubjects : unauthenticatedSubjects, admission, makeSubject)
}

function makePlace({ api, contract }: AdmissionWithTerms): number {
  return placeOf(subjectOf(api, contract.client))
}

function makeSubject({ api, authenticated, contract }: AdmissionWithTerms): string {
  return subjectOf(api, contract.client, authenticated)
}

/** For each contract, as far as the same object stands for it. */
function madeOnce<T extends string | number>(
  known: WeakMap<AdmittedContract, T>,
  admission: AdmissionWithTerms,
  make: (admission: AdmissionWithTerms) => T,
): T {
  let made = known.get(admission.contract)
  if (made === undefined) {
    made = make(admission)
    known.set(admission.contract, made)
  }
  return made
}
