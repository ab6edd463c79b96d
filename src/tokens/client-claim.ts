import type { Identity } from '../decisions/admission.js'

/** Where issuers put the client ID, in the order of trust: RFC 9068, OpenID Connect, Okta, Entra ID v1. */
const usualClaims = ['client_id', 'azp', 'cid', 'appid'] as const

/** `invalid`: claims that disagree, or one that is no client ID; guessing which is meant would be an attack's way in. */
export type NamedClient = { readonly kind: 'named'; readonly identity: Identity } | UnnamedClient
export interface UnnamedClient {
  readonly kind: 'unnamed' | 'invalid'
}

const unnamed: UnnamedClient = Object.freeze({ kind: 'unnamed' })
const invalid: UnnamedClient = Object.freeze({ kind: 'invalid' })

/** The client that a verified token was issued to. `sub` is never taken for one: users choose their names. */
export function namedClient(
  issuer: string,
  claims: Readonly<Record<string, unknown>>,
  claim: string | undefined,
): NamedClient {
  if (claim !== undefined) return Object.hasOwn(claims, claim) ? oneClient(issuer, claims[claim]) : unnamed
  let clientId: unknown
  for (const usual of usualClaims) {
    if (!Object.hasOwn(claims, usual)) continue
    const value = claims[usual]
    if (clientId !== undefined && value !== clientId) return invalid
    clientId = value
  }
  return clientId === undefined ? unnamed : oneClient(issuer, clientId)
}

function oneClient(issuer: string, value: unknown): NamedClient {
  if (typeof value !== 'string' || value === '') return invalid
  return Object.freeze({ kind: 'named', identity: Object.freeze({ issuer, clientId: value }) })
}
