import type { Admission, AdmittedContract, AdmittedTier } from '../../decisions/admission.js'
import { ClienteleFault } from '../../decisions/faults.js'
import { subjectOf } from '../../limits/subject.js'

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

/** A client of an API, whether or not it has proved itself. */
export function clientSubject({ api, contract }: AdmissionWithTerms): string {
  return madeOnce(authenticatedSubjects, api, contract, true)
}

/** Whom a request is charged to. */
export function subjectFor({ api, authenticated, contract }: AdmissionWithTerms): string {
  const subjects = authenticated ? authenticatedSubjects : unauthenticatedSubjects
  return madeOnce(subjects, api, contract, authenticated)
}

/** For each contract, as far as the same object stands for it. */
function madeOnce(subjects: Subjects, api: string, contract: AdmittedContract, authenticated: boolean): string {
  let subject = subjects.get(contract)
  if (subject === undefined) {
    subject = subjectOf(api, contract.client, authenticated)
    subjects.set(contract, subject)
  }
  return subject
}
