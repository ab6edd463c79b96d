import type { HttpRequest } from '../decisions/http-request.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import type { Strip } from '../decisions/policy.js'
import type { CredentialsPart } from '../decisions/policy-description.js'

/** How a token says that it is to be taken. Outside of `Authorization` all are borne. */
export type TokenScheme = 'bearer' | 'dpop'

/** What a place holds. One that is used but does not hold exactly one token is never `absent`. */
export type PresentedToken = { readonly kind: 'token'; readonly token: string; readonly scheme: TokenScheme } | NoToken
export interface NoToken {
  readonly kind: 'absent' | 'malformed' | 'ambiguous' | 'too_large'
}

export const absent: NoToken = Object.freeze({ kind: 'absent' })
export const malformed: NoToken = Object.freeze({ kind: 'malformed' })
export const ambiguous: NoToken = Object.freeze({ kind: 'ambiguous' })
export const tooLarge: NoToken = Object.freeze({ kind: 'too_large' })

/** Where a token may stand. */
export interface TokenPlace {
  readonly read: (request: HttpRequest, maxTokenBytes: number) => MaybePromise<PresentedToken>
  readonly strip: Strip
  /** Fields other than `Authorization` that the answer comes to depend on; `undefined` for `Authorization` itself. */
  readonly vary: readonly string[] | undefined
  /** What clients have to know of it. */
  readonly part: CredentialsPart
}

const b64token = /^[\w\-.~+/]+=*$/

/** One value that stands by name, outside of `Authorization`. */
export function onlyToken(values: readonly string[], maxTokenBytes: number): PresentedToken {
  const [token] = values
  if (token === undefined) return absent
  if (values.length > 1) return ambiguous
  return token.length <= maxTokenBytes && b64token.test(token) ? { kind: 'token', token, scheme: 'bearer' } : malformed
}
