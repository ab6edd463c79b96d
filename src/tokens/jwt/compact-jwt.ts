import { isUtf8 } from 'node:buffer'
import { parseJsonObject, type JsonObject } from '../json-object.js'

/** A signed JWT as it stands, before anything in it has been verified. */
export interface CompactJwt extends CompactHeader {
  readonly token: string
  readonly payload: JsonObject
}

interface CompactHeader {
  readonly algorithm: string
  readonly kid: string | undefined
  /** In its long form (RFC 7515 §4.1.9), so that `JWT` is `application/jwt`. */
  readonly type: string | undefined
}

/** Three parts in base64url; the five of a JWE are not asked what is inside (RFC 8725 §3.1). */
const grammar = /^([\w-]+)\.([\w-]+)\.[\w-]+$/

/** Shape alone, for telling tokens apart: valid or not. */
export function looksLikeJwt(token: string): boolean {
  return grammar.test(token)
}

/** `iss` as the token has it, for choosing who is to verify it, and for nothing else. */
export function unverifiedIssuer(token: string): unknown {
  return unverifiedPayload(token)?.['iss']
}

/** The claims as the token has them, where its header is known already. */
export function unverifiedPayload(token: string): JsonObject | undefined {
  return readPart(grammar.exec(token)?.[2])
}

/** The tokens of an issuer share their header as long as its key does not turn: the last few are kept as read. */
const headers = new Map<string, CompactHeader>()
const mostHeaders = 32

/** What can be told before a key is looked for; `undefined` for what is not to be considered. */
export function readCompactJwt(token: string): CompactJwt | undefined {
  const [, part = '', body] = grammar.exec(token) ?? []
  const known = headers.get(part)
  const header = known ?? readHeader(part)
  if (header === undefined) return undefined
  const payload = readPart(body)
  if (payload === undefined) return undefined
  if (known === undefined) keep(part, header)
  const { algorithm, kid, type } = header
  return { token, algorithm, kid, type, payload }
}

function keep(part: string, header: CompactHeader): void {
  if (headers.size >= mostHeaders) headers.clear()
  headers.set(part, header)
}

/** The members of header and payload, and nothing kept: for JWTs that come once. */
export function readJwtMembers(
  token: string,
): { readonly header: JsonObject; readonly payload: JsonObject } | undefined {
  const [, head = '', body] = grammar.exec(token) ?? []
  const header = understood(readPart(head))
  const payload = header && readPart(body)
  return header && payload && { header, payload }
}

/** Nothing of RFC 7515 §4.1.11 is understood here, and an unencoded payload (RFC 7797) is no JWT. */
function understood(header: JsonObject | undefined): JsonObject | undefined {
  return header === undefined || Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64') ? undefined : header
}

function readHeader(part: string): CompactHeader | undefined {
  const header = understood(readPart(part))
  if (header === undefined) return undefined
  const { alg, kid, typ } = header
  if (typeof alg !== 'string') return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  if (typ !== undefined && typeof typ !== 'string') return undefined
  return { algorithm: alg, kid, type: typ === undefined ? undefined : longForm(typ.toLowerCase()) }
}

/** A media type as RFC 7515 §4.1.9 has it in full. */
export function longForm(type: string): string {
  return type.includes('/') ? type : `application/${type}`
}

function readPart(part: string | undefined): JsonObject | undefined {
  if (part === undefined) return undefined
  const bytes = Buffer.from(part, 'base64url')
  // Otherwise `toString` would put other characters in the place of bytes that are none.
  return isUtf8(bytes) ? parseJsonObject(bytes.toString()) : undefined
}
