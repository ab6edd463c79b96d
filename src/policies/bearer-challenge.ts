import type { Challenge } from '../decisions/challenge.js'

/** RFC 6750 §3. Without an error it is bare, as it must be where no token was sent. */
export function bearerChallenge(realm: string, parameters: Readonly<Record<string, string>> = {}): Challenge {
  return { scheme: 'Bearer', parameters: { realm, ...parameters } }
}
