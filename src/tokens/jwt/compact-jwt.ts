import { parseJsonObject, type JsonObject } from '../json-object.js'

/** A signed JWT as it stands, before anything in it has been verified. */
export interface CompactJwt {
  readonly payload: JsonObject
  readonly hasKid: boolean
  /** `typ` says in so many words that it is an access token (RFC 9068 §2.1). */
  readonly explicit: boolean
}

/** Three parts in base64url; the five of a JWE are not asked what is inside (RFC 8725 §3.1). */
const grammar = /^([\w-]+)\.([\w-]+)\.[\w-]+$/

/** Shape alone, for telling tokens apart: valid or not. */
export function looksLikeJwt(token: string): boolean {
  return grammar.test(token)
}

/** `typ` in its long form (RFC 7515 §4.1.9). Other JWTs have a word of their own, and are none of ours. */
const accessTokenTypes: ReadonlySet<unknown> = new Set(['application/jwt', 'application/at+jwt'])

/** What can be told before a key is looked for. `undefined`: not to be considered. */
export function readCompactJwt(token: string, algorithms: ReadonlySet<unknown>): CompactJwt | undefined {
  const parts = grammar.exec(token)
  if (parts === null) return undefined
  const header = readPart(parts[1])
  if (header === undefined || !algorithms.has(header['alg'])) return undefined
  // Nothing of RFC 7515 §4.1.11 is understood here, and an unencoded payload (RFC 7797) is no JWT.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return undefined
  const type = typeOf(header)
  if (type !== undefined && !accessTokenTypes.has(type)) return undefined
  const kid = header['kid']
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const payload = readPart(parts[2])
  return payload && { payload, hasKid: kid !== undefined, explicit: type === 'application/at+jwt' }
}

/** `iss` as the token has it, for choosing who is to verify it, and for nothing else. */
export function unverifiedIssuer(token: string): unknown {
  return readPart(grammar.exec(token)?.[2])?.['iss']
}

function readPart(part: string | undefined): JsonObject | undefined {
  return part === undefined ? undefined : parseJsonObject(Buffer.from(part, 'base64url').toString())
}

function typeOf(header: JsonObject): unknown {
  const type = header['typ']
  if (typeof type !== 'string') return type
  const lower = type.toLowerCase()
  return lower.includes('/') ? lower : `application/${lower}`
}
