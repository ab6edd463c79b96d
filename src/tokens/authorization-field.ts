import type { HttpRequest } from '../decisions/http-request.js'
import { ambiguous, absent, malformed, type PresentedToken } from './token-place.js'

interface Grammar {
  /** The scheme ends where RFC 9110 §5.6.2 ends a token, so that `BearerX` is another scheme. */
  readonly scheme: RegExp
  /** RFC 6750 §2.1 and RFC 9449 §7.1: one space, then b64token. */
  readonly credentials: RegExp
}

const bearer: Grammar = { scheme: /^bearer(?![\w!#$%&'*+.^`|~-])/i, credentials: /^bearer ([\w\-.~+/]+=*)$/i }
const bearerOrDpop: Grammar = {
  scheme: /^(?:bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i,
  credentials: /^(?:bearer|dpop) ([\w\-.~+/]+=*)$/i,
}

/** What stands in `Authorization` for a token policy. Other schemes are none of its business: `absent`. */
export function readAuthorization(request: HttpRequest, maxTokenBytes: number, dpop: boolean): PresentedToken {
  const { scheme, credentials } = dpop ? bearerOrDpop : bearer
  const values = request.headerValues('authorization')
  if (values.length > 1) return values.some((value) => scheme.test(value)) ? ambiguous : absent
  const [value] = values
  if (value === undefined || !scheme.test(value)) return absent
  if (value.length > maxTokenBytes + 'Bearer '.length) return malformed
  const token = credentials.exec(value)?.[1]
  if (token === undefined) return malformed
  return { kind: 'token', token, scheme: startsWithB(value) ? 'bearer' : 'dpop' }
}

function startsWithB(value: string): boolean {
  return (value.charCodeAt(0) | 0x20) === 0x62
}
