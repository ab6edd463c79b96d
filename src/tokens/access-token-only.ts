import { isObject } from './json-object.js'

/**
 * Members that access tokens do not have and other signed statements of the same issuer do: ID tokens (OpenID
 * Connect Core §2 and §3.3.2.11), security events and logout tokens (RFC 8417), introspection answers (RFC 9701).
 *
 * An ID token need not carry any of them. `auth_time`, `acr` and `sid` are no signs, since access tokens carry
 * them too (RFC 9068 §2.2.1); a token whose `typ` is `at+jwt` is what it says, and is not asked (`explicit`).
 * What is left is told apart by its audience, which for an ID token is a client and not an API.
 */
const foreignMembers = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'token_introspection'] as const

/** Words by which servers name the kind of a token: Keycloak's `typ`, Cognito's and Hydra's `token_use`. */
const kindMembers = ['typ', 'token_use', 'token_type'] as const
const foreignKinds: ReadonlySet<string> = new Set(['id', 'id_token', 'refresh', 'refresh_token', 'offline', 'logout'])
const boundKinds: ReadonlySet<string> = new Set(['dpop', 'mac'])

/** Whether claims are those of an access token. */
export function isAccessToken(claims: Readonly<Record<string, unknown>>, explicit: boolean): boolean {
  if (!explicit && foreignMembers.some((member) => Object.hasOwn(claims, member))) return false
  return !isOfKind(claims, foreignKinds)
}

/** Ways to name the key (RFC 7800 §3, RFC 8705 §3.1, RFC 9449 §6.1). Other members of `cnf` bind nothing: some servers add such. */
const confirmationMethods = ['jwk', 'jwe', 'kid', 'jku', 'jkt', 'x5t#S256'] as const

/** A token bound to a key must not pass without the proof (RFC 9449 §7.2, RFC 8705 §3). */
export function isBound(claims: Readonly<Record<string, unknown>>): boolean {
  if (isOfKind(claims, boundKinds)) return true
  const confirmation = claims['cnf']
  if (confirmation === undefined) return false
  return !isObject(confirmation) || confirmationMethods.some((method) => Object.hasOwn(confirmation, method))
}

function isOfKind(claims: Readonly<Record<string, unknown>>, kinds: ReadonlySet<string>): boolean {
  return kindMembers.some((member) => {
    const kind = claims[member]
    return typeof kind === 'string' && kinds.has(kind.toLowerCase())
  })
}
