import { faults, type ClienteleFault } from '../decisions/faults.js'
import type { HeaderFields } from '../decisions/http-request.js'
import { refusals, type Refusal } from '../decisions/refusals.js'
import { formatChallenge } from './challenges.js'

/** A whole answer, ready to be written once. */
export interface HttpReply {
  readonly status: number
  readonly fields: HeaderFields
  readonly body: string
}

/** A refusal as a problem document (RFC 9457), with its challenges and the time to come back. */
export function replyToRefusal(refusal: Refusal): HttpReply {
  const entry = refusals[refusal.code]
  const { challenges, retryAfterSeconds } = refusal
  return problem(
    { type: 'type' in entry ? entry.type : typeOf(refusal.code), title: entry.title, status: entry.status },
    { code: refusal.code, ...refusal.members },
    {
      ...refusal.fields,
      ...(challenges !== undefined && { 'WWW-Authenticate': challenges.map(formatChallenge) }),
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(Math.ceil(retryAfterSeconds)) }),
    },
  )
}

/**
 * An outage in the same shape. Left to Express it would be a page with a stack, left to Koa a bare text. The
 * message of the fault stays inside: it is for those who run the API.
 */
export function replyToOutage(fault: ClienteleFault): HttpReply {
  return problem(
    { type: typeOf(fault.code), title: faults[fault.code].title, status: fault.status },
    { code: fault.code },
    { ...fault.headers },
  )
}

function typeOf(code: string): string {
  return `urn:clientele:${code}`
}

function problem(
  document: { readonly type: string; readonly title: string; readonly status: number },
  members: Readonly<Record<string, unknown>>,
  fields: HeaderFields,
): HttpReply {
  return {
    status: document.status,
    // Nobody's cache keeps what one caller was told (RFC 6585 §4 for 429).
    fields: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...fields },
    body: JSON.stringify({ ...members, ...document }),
  }
}
