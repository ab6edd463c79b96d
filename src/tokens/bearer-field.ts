import type { HttpRequest } from '../decisions/http-request.js'
import { ambiguous, absent, malformed, type PresentedToken } from './token-place.js'

/** The scheme ends where RFC 9110 §5.6.2 ends a token, so that `BearerX` is another scheme. */
const bearerScheme = /^bearer(?![\w!#$%&'*+.^`|~-])/i
/** RFC 6750 §2.1: one space, then b64token. */
const bearerCredentials = /^bearer ([\w\-.~+/]+=*)$/i

/** What stands in `Authorization` for a token policy. Other schemes are none of its business: `absent`. */
export function readBearer(request: HttpRequest, maxTokenBytes: number): PresentedToken {
  const values = request.headerValues('authorization')
  if (values.length > 1) return values.some((value) => bearerScheme.test(value)) ? ambiguous : absent
  const [value] = values
  if (value === undefined || !bearerScheme.test(value)) return absent
  if (value.length > maxTokenBytes + 'Bearer '.length) return malformed
  const token = bearerCredentials.exec(value)?.[1]
  return token === undefined ? malformed : { kind: 'token', token }
}
