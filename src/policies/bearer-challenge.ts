import type { Challenge } from '../decisions/challenge.js'
import type { Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'

/** RFC 6750 §3. Without an error it is bare, as it must be where no token was sent. */
export function bearerChallenge(realm: string, parameters: Readonly<Record<string, string>> = {}): Challenge {
  return { scheme: 'Bearer', parameters: { realm, ...parameters } }
}

/** A "no" to a token. A 403 for what another token could not change goes without a challenge. */
export function bearerRefusal(code: RefusalCode, challenge?: Challenge): Refused {
  return { kind: 'refused', refusal: challenge === undefined ? { code } : { code, challenges: [challenge] } }
}
