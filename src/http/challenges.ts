import type { Challenge } from '../decisions/challenge.js'
import { quotedString } from './quoted-string.js'

/** One `WWW-Authenticate` value (RFC 9110 §11.6.1). */
export function formatChallenge({ scheme, parameters }: Challenge): string {
  const list = Object.entries(parameters).map(([name, value]) => `${name}=${quotedString(value)}`)
  return list.length === 0 ? scheme : `${scheme} ${list.join(', ')}`
}
