import type { ClienteleFault } from '../../decisions/faults.js'
import { issuerFault } from '../issuer-fault.js'
import type { JsonObject } from '../json-object.js'

const aboutUs: ReadonlySet<unknown> = new Set(['invalid_client', 'unauthorized_client', 'access_denied'])

/** What an answer that is no "yes" and no "no" means: never anything about the token (RFC 7662 §2.3). */
export function statusFault(where: string, response: Response, json: JsonObject | undefined): ClienteleFault {
  const { status } = response
  if (status === 401 || status === 403 || aboutUs.has(json?.['error'])) {
    return issuerFault(
      where,
      'credentials',
      'it refuses us; check clientId, clientSecret and method of the option "as".',
    )
  }
  const retryAfterSeconds = retryAfterOf(response)
  const reason = status === 429 || retryAfterSeconds !== undefined ? 'throttled' : 'status'
  return issuerFault(where, reason, `it answers an introspection with ${status}.`, { retryAfterSeconds })
}

/** In its form of seconds (RFC 9110 §10.2.3). */
function retryAfterOf(response: Response): number | undefined {
  const text = response.headers.get('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Math.max(1, Number(text)) : undefined
}

/** What `Cache-Control` says of how long an answer may be kept (RFC 9111 §5.2.2). */
export function secondsOf(response: Response): number | undefined {
  const directives = (response.headers.get('cache-control') ?? '').toLowerCase().split(',')
  let seconds: number | undefined
  for (const directive of directives.map((each) => each.trim())) {
    if (directive === 'no-store' || directive.startsWith('no-cache')) return 0
    const age = /^max-age=(\d{1,9})$/.exec(directive)?.[1]
    if (age !== undefined) seconds = Number(age)
  }
  return seconds
}
