import type { Admission } from '../decisions/admission.js'
import type { Challenge } from '../decisions/challenge.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { HttpRequest } from '../decisions/http-request.js'
import type { Passed } from '../decisions/policy.js'
import type { PolicyContext } from './context.js'
import { tokenChallenges, type ChallengeParameters } from './token-challenges.js'

export const passed: Passed = Object.freeze({ kind: 'passed' })

/** Only the admission of this API counts: what was established for another says nothing here. */
export function assertAdmitted(
  policy: string,
  api: string,
  admission: Admission | undefined,
): asserts admission is Admission {
  if (admission?.api === api) return
  const what = 'nobody is identified; put a policy that takes tokens for this API before it'
  throw new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `${policy}() of API ${JSON.stringify(api)}: ${what}`)
}

const dpop = /^dpop /i

/** Challenges for a token that was good and does not suffice, in the scheme in which it came. */
export function furtherChallenges(
  context: PolicyContext,
  parameters: ChallengeParameters,
): (request: HttpRequest) => readonly Challenge[] {
  const inBearer = tokenChallenges(context, { bearer: true, dpopAlgorithms: undefined }).refusing('bearer', parameters)
  const inDpop = tokenChallenges(context, { bearer: false, dpopAlgorithms: [] }).refusing('dpop', parameters)
  return (request) => (request.headerValues('authorization').some((value) => dpop.test(value)) ? inDpop : inBearer)
}
