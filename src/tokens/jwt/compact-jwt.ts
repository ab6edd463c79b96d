import { isUtf8 } from 'node:buffer'
import { parseJsonObject, type JsonObject } from '../json-object.js'

/** A signed JWT as it stands, before anything in it has been verified. */
export interface CompactJwt extends CompactHeader {
  readonly payload: JsonObject
}

interface CompactHeader {
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

/** `iss` as the token has it, for choosing who is to verify it, and for nothing else. */
export function unverifiedIssuer(token: string): unknown {
  return readPart(grammar.exec(token)?.[2])?.['iss']
}

/**
 * What can be told before a key is looked for; `undefined` for what is not to be considered. The tokens of an
 * issuer share their header as long as its key does not turn, so the last good one is kept as read.
 */
export function compactJwtReader(algorithms: readonly string[]): (token: string) => CompactJwt | undefined {
  const allowed: ReadonlySet<unknown> = new Set(algorithms)
  let last: { readonly part: string; readonly header: CompactHeader } | undefined
  return (token) => {
    const [, part = '', body] = grammar.exec(token) ?? []
    const header = part === last?.part ? last.header : readHeader(part, allowed)
    if (header === undefined) return undefined
    const payload = readPart(body)
    if (payload === undefined) return undefined
    if (part !== last?.part) last = { part, header }
    return { ...header, payload }
  }
}

/** `typ` in its long form (RFC 7515 §4.1.9). Other JWTs have a word of their own, and are none of ours. */
const accessTokenTypes: ReadonlySet<unknown> = new Set(['application/jwt', 'application/at+jwt'])

function readHeader(part: string, allowed: ReadonlySet<unknown>): CompactHeader | undefined {
  const header = readPart(part)
  if (header === undefined || !allowed.has(header['alg'])) return undefined
  // Nothing of RFC 7515 §4.1.11 is understood here, and an unencoded payload (RFC 7797) is no JWT.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return undefined
  const type = typeOf(header)
  if (type !== undefined && !accessTokenTypes.has(type)) return undefined
  const kid = header['kid']
  if (kid !== undefined && typeof kid !== 'string') return undefined
  return { hasKid: kid !== undefined, explicit: type === 'application/at+jwt' }
}

function typeOf(header: JsonObject): unknown {
  const type = header['typ']
  if (typeof type !== 'string') return type
  const lower = type.toLowerCase()
  return lower.includes('/') ? lower : `application/${lower}`
}

function readPart(part: string | undefined): JsonObject | undefined {
  if (part === undefined) return undefined
  const bytes = Buffer.from(part, 'base64url')
  // Otherwise `toString` would put other characters in the place of bytes that are none.
  return isUtf8(bytes) ? parseJsonObject(bytes.toString()) : undefined
}
