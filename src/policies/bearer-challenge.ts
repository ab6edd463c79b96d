import type { Challenge } from '../decisions/challenge.js'
import type { Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'

/** RFC 6750 §3. Without an error it is bare, as it must be where no token was sent. */
export function bearerChallenge(realm: string, parameters: Readonly<Record<string, string>> = {}): Challenge {
  return { scheme: 'Bearer', parameters: { realm, ...parameters } }
}

/** A "no" to a token. A 403 for what another token could not change goes without a challenge. */
export function bearerRefusal(code: RefusalCode, challenge?: Challenge, reason?: string): Refused {
  return {
    kind: 'refused',
    refusal: {
      code,
      ...(challenge !== undefined && { challenges: [challenge] }),
      ...(reason !== undefined && { reason }),
    },
  }
}

/** Each reason's refusal, made once: the caller is told the same of all of them. */
export function invalidTokenRefusals(realm: string): (reason: string) => Refused {
  const challenge = bearerChallenge(realm, { error: 'invalid_token' })
  const made = new Map<string, Refused>()
  return (reason) => {
    let refused = made.get(reason)
    if (refused === undefined) {
      refused = bearerRefusal('token_invalid', challenge, reason)
      made.set(reason, refused)
    }
    return refused
  }
}
