import { isOfKind } from './token-kinds.js'

/**
 * Members that access tokens do not have and other signed statements of the same issuer do: ID tokens (OpenID
 * Connect Core §2 and §3.3.2.11), security events and logout tokens (RFC 8417), introspection answers (RFC 9701).
 *
 * An ID token need not carry any of them. `auth_time`, `acr` and `sid` are no signs, since access tokens carry
 * them too (RFC 9068 §2.2.1); a token whose `typ` is `at+jwt` is what it says, and is not asked (`explicit`).
 * What is left is told apart by its audience, which for an ID token is a client and not an API.
 */
const foreignMembers = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'token_introspection'] as const

const foreignKinds: ReadonlySet<string> = new Set(['id', 'id_token', 'refresh', 'refresh_token', 'offline', 'logout'])

/** Whether claims are those of an access token. */
export function isAccessToken(claims: Readonly<Record<string, unknown>>, explicit: boolean): boolean {
  if (!explicit && foreignMembers.some((member) => Object.hasOwn(claims, member))) return false
  return !isOfKind(claims, foreignKinds)
}
