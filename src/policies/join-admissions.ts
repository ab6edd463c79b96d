import type { Admission } from '../decisions/admission.js'
import type { Refusal } from '../decisions/refusals.js'

const disagree: Refusal = { code: 'credentials_ambiguous' }

/**
 * Two identifying policies in a row mean *and*: both have admitted, and both must mean the same client. What
 * the later one established stands before what the earlier one did. `contract: 'skip'` names no client; then
 * the other one's client stands, proved no better than it was there.
 */
export function joinAdmissions(before: Admission | undefined, next: Admission): Admission | Refusal {
  if (before === undefined) return Object.freeze(next)
  const [first, second] = [before.client, next.client]
  if (first !== undefined && second !== undefined && first.id !== second.id) return disagree
  const naming = [before, next].filter((each) => each.client !== undefined)
  const authenticated = (naming.length > 0 ? naming : [next]).some((each) => each.authenticated)
  // A tier belongs to its contract: never the one of the one and the other of the other.
  const { contract, tier } = next.contract === undefined ? before : next
  return Object.freeze({ ...before, ...next, authenticated, ...(contract && { contract, tier }) })
}
