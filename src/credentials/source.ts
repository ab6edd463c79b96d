import type { Challenge } from '../decisions/challenge.js'
import type { HttpRequest } from '../decisions/http-request.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { Strip } from '../decisions/policy.js'
import type { CredentialsPart } from '../decisions/policy-description.js'
import { optionsFault } from '../runtime/check.js'

/**
 * What a source found. `readings`: the secret as it may have been meant, most literal first (HTTP Basic is
 * form-encoded by some callers and not by others); empty when an ID came without a secret. `sealed`: a digest covers
 * the place, so that nothing can be taken out of it.
 */
export type Presented =
  | {
      readonly kind: 'presented'
      readonly clientId: string
      readonly readings: readonly string[]
      readonly sealed?: boolean
    }
  | { readonly kind: 'absent' | 'malformed' | 'too_large' }

export const absent: Presented = Object.freeze({ kind: 'absent' })
export const malformed: Presented = Object.freeze({ kind: 'malformed' })
export const tooLarge: Presented = Object.freeze({ kind: 'too_large' })

/** A place where an ID and a secret may stand. Built by `headers()`, `query()`, `basicAuth()`, `payload()` or `custom()`. */
export interface CredentialsSource {
  readonly name: string
  /** A place that is used but does not hold exactly one string per value is `malformed`, never `absent`. */
  read(request: HttpRequest): MaybePromise<Presented>
  /** What hides the secret alone, and what hides the ID too. */
  readonly strip: { readonly secret: Strip; readonly all: Strip }
  /** Fields other than `Authorization` that the answer comes to depend on; `undefined` where there is none to protect. */
  readonly vary: readonly string[] | undefined
  challenge(realm: string): Challenge
  /** What clients have to know of it. */
  readonly parts: readonly CredentialsPart[]
}

/** A pair of values that stand by name: exactly one ID, at most one secret. */
export function pair(ids: readonly string[], secrets: readonly string[]): Presented {
  if (ids.length === 0 && secrets.length === 0) return absent
  const [clientId] = ids
  const [secret] = secrets
  if (ids.length !== 1 || secrets.length > 1 || clientId === undefined || clientId === '' || secret === '') {
    return malformed
  }
  return { kind: 'presented', clientId, readings: secret === undefined ? [] : [secret] }
}

/** An ID and a secret that stand by name. */
export function namedParts(kind: 'header' | 'query' | 'body', id: string, secret: string): readonly CredentialsPart[] {
  return [
    { kind, name: id, holds: 'client ID' },
    { kind, name: secret, holds: 'client secret' },
  ]
}

/** The challenge of places that HTTP has no scheme for; a browser opens no log-in box for it. */
export function clientIdChallenge(realm: string): Challenge {
  return { scheme: 'Client-ID', parameters: { realm } }
}

/** One place for both would hold two values or none: every request would be refused. */
export function requireTwoPlaces(where: string, ids: readonly string[], secrets: readonly string[]): void {
  if (!ids.some((id) => secrets.includes(id))) return
  throw optionsFault(where, 'id and secret: expected two different names')
}
