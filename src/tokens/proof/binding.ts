import { isOfKind } from '../token-kinds.js'
import { isObject } from '../json-object.js'

/** What a token is bound to. Whoever sends it has to show that he holds all of it. */
export interface Binding {
  /** The thumbprint of the key that signs its proofs (RFC 9449 §6.1). */
  readonly jkt: string | undefined
  /** The thumbprint of a client certificate (RFC 8705 §3.1). */
  readonly certificate: string | undefined
  /** Bound in a way that nobody here can check: nobody's token. */
  readonly unprovable: boolean
}

/** Ways to name a key (RFC 7800 §3) whose proof has no form here. */
const otherMethods = ['jwk', 'jwe', 'kid', 'jku'] as const
const dpopKinds: ReadonlySet<string> = new Set(['dpop'])
const macKinds: ReadonlySet<string> = new Set(['mac'])
/** SHA-256 in base64url. */
const thumbprint = /^[\w-]{43}$/

/**
 * What a token says that it is bound to; `undefined` for one that whoever bears it may use. Members of `cnf` that name
 * no key bind nothing: some servers add such.
 */
export function bindingOf(claims: Readonly<Record<string, unknown>>): Binding | undefined {
  const confirmation = claims['cnf']
  if (confirmation === undefined) return boundByKind(claims, undefined)
  if (!isObject(confirmation)) return unprovable
  const { jkt, 'x5t#S256': certificate } = confirmation
  if (otherMethods.some((method) => Object.hasOwn(confirmation, method))) return unprovable
  if (!isThumbprintOrAbsent(jkt) || !isThumbprintOrAbsent(certificate)) return unprovable
  if (jkt === undefined && certificate === undefined) return boundByKind(claims, undefined)
  return boundByKind(claims, Object.freeze({ jkt, certificate, unprovable: false }))
}

const unprovable: Binding = Object.freeze({ jkt: undefined, certificate: undefined, unprovable: true })

/** A token that is called bound, and does not say to what, is not therefore free. */
function boundByKind(claims: Readonly<Record<string, unknown>>, binding: Binding | undefined): Binding | undefined {
  if (isOfKind(claims, macKinds)) return unprovable
  return binding?.jkt === undefined && isOfKind(claims, dpopKinds) ? unprovable : binding
}

function isThumbprintOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === 'string' && thumbprint.test(value))
}
