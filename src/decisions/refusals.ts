import type { Challenge } from './challenge.js'
import type { HeaderFields } from './http-request.js'

interface RefusalEntry {
  readonly status: 400 | 401 | 403 | 413 | 429
  /** What a caller reads. Says no more than a stranger may know. */
  readonly title: string
  readonly type?: string
}

/** Every refusal there is. docs/reference/refusals.md is compared with this table by a test. */
export const refusals = {
  credentials_missing: { status: 401, title: 'Client credentials are required.' },
  token_missing: { status: 401, title: 'An access token is required.' },
  credentials_malformed: { status: 400, title: 'The client credentials cannot be read.' },
  credentials_ambiguous: { status: 400, title: 'The request carries credentials that disagree.' },
  body_too_large: { status: 413, title: 'The body is too large to look for client credentials in it.' },
  client_invalid: { status: 401, title: 'The client credentials are not valid.' },
  token_invalid: { status: 401, title: 'The access token is not valid.' },
  proof_invalid: { status: 401, title: 'The proof that goes with the access token is not valid.' },
  nonce_required: { status: 401, title: 'The proof that goes with the access token needs a nonce of this server.' },
  authentication_insufficient: { status: 401, title: 'The user has to be authenticated anew, or in another way.' },
  client_unnamed: { status: 403, title: 'The access token names no client that is registered here.' },
  client_disabled: { status: 403, title: 'The client is disabled.' },
  contract_missing: { status: 403, title: 'The client has no contract for this API.' },
  contract_pending: { status: 403, title: 'The contract of the client for this API awaits approval.' },
  contract_rejected: { status: 403, title: 'The contract of the client for this API was rejected.' },
  contract_revoked: { status: 403, title: 'The contract of the client for this API was revoked.' },
  scope_insufficient: { status: 403, title: 'The access token lacks a required scope.' },
  claims_insufficient: { status: 403, title: 'The claims of the access token do not suffice.' },
  limit_exceeded: {
    status: 429,
    title: 'A limit is exceeded.',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  queue_full: {
    status: 429,
    title: 'A limit is exceeded, and too many requests are waiting already.',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
} as const satisfies Record<string, RefusalEntry>

export type RefusalCode = keyof typeof refusals

/** An expected "no". A value, never an exception: being turned away is ordinary. */
export interface Refusal {
  readonly code: RefusalCode
  /** A 401 has at least one. */
  readonly challenges?: readonly Challenge[]
  readonly retryAfterSeconds?: number
  readonly fields?: HeaderFields
  /** One word for why, for events and logs. Never sent: to a caller it would help guessing. */
  readonly reason?: string | undefined
  /** Further members of the problem document (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>
}
