import type { PreparedClient } from '../contracts/prepared-client.js'
import type { ListedToken } from '../contracts/revocation-list.js'
import { resolveTerms, type Terms } from '../contracts/terms.js'
import type { Admission, Identity } from '../decisions/admission.js'
import { andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { HeaderFields } from '../decisions/http-request.js'
import type { Admitted, Refused, Verdict } from '../decisions/policy.js'
import type { AskRevoked } from '../tokens/revocation.js'
import { satisfies, scopesText, type Scopes } from '../tokens/scopes.js'
import type { VerifiedToken } from '../tokens/token-engine.js'
import type { TokenHere } from '../tokens/token-places.js'
import type { RefuseToken } from './bad-token-refusals.js'
import type { PolicyContext } from './context.js'
import { joinAdmissions } from './join-admissions.js'
import { tokenRefusal, type TokenChallenges } from './token-challenges.js'

/** What a route asks of a token that is good. */
export interface TokenTerms {
  readonly scopes: Scopes | undefined
  readonly contract: 'required' | 'skip'
  readonly strip: 'secret' | 'none'
  readonly isRevoked: AskRevoked | undefined
}

/** `fields`: what goes with the answer besides. */
export type DecideOnTerms = (
  token: VerifiedToken,
  before: Admission | undefined,
  found: TokenHere,
  fields?: HeaderFields,
) => MaybePromise<Verdict>

interface Prepared extends TokenTerms {
  readonly context: PolicyContext
  readonly lacking: Readonly<Record<TokenHere['scheme'], Refused>>
  readonly refuse: RefuseToken
}

/** One good token on its way through the steps below. */
interface Attempt {
  readonly prepared: Prepared
  readonly token: VerifiedToken
  readonly before: Admission | undefined
  readonly found: TokenHere
  readonly fields: HeaderFields | undefined
  /** Set on the way, which spares a copy. */
  identity: Identity | undefined
  client: PreparedClient | undefined
}

/**
 * From a good token to a verdict, each time anew: whether it is revoked, the client that it names, his contract,
 * then the scopes. A client is reached only through an identity of the token's verified issuer.
 */
export function tokenTerms(
  context: PolicyContext,
  terms: TokenTerms,
  challenges: TokenChallenges,
  refuse: RefuseToken,
): DecideOnTerms {
  const prepared: Prepared = { ...terms, context, refuse, lacking: scopeRefusals(challenges, terms.scopes) }
  return (token, before, found, fields) => {
    const attempt: Attempt = { prepared, token, before, found, fields, identity: undefined, client: undefined }
    const { revocations } = context
    if (revocations === undefined) return askHook(false, attempt)
    return andThenWith(revocations.isRevoked(listed(token)), askHook, attempt)
  }
}

function listed({ issuer, claims, client }: VerifiedToken): ListedToken {
  return { issuer, claims, clientId: client.kind === 'named' ? client.identity.clientId : undefined }
}

function askHook(revoked: boolean, attempt: Attempt): MaybePromise<Verdict> {
  const { isRevoked } = attempt.prepared
  if (revoked || isRevoked === undefined) return findClient(revoked, attempt)
  return andThenWith(isRevoked(attempt.token), findClient, attempt)
}

function findClient(revoked: boolean, attempt: Attempt): MaybePromise<Verdict> {
  const { prepared, token, found, fields } = attempt
  if (revoked) return prepared.refuse('revoked', found.scheme, fields)
  const { client } = token
  if (client.kind === 'invalid') return prepared.refuse('client', found.scheme, fields)
  if (prepared.contract === 'skip') return admit(attempt, {})
  if (client.kind !== 'named') return refused.client_unnamed
  attempt.identity = client.identity
  return andThenWith(prepared.context.reader.findClient(client.identity), findContract, attempt)
}

function findContract(client: PreparedClient | undefined, attempt: Attempt): MaybePromise<Verdict> {
  // To us, an ID that nobody has registered here is no name.
  if (client === undefined) return refused.client_unnamed
  if (client.record.state !== 'active') return refused.client_disabled
  attempt.client = client
  const { reader, api } = attempt.prepared.context
  return andThenWith(resolveTerms(reader, api, client.record.id), meetContract, attempt)
}

function meetContract(found: Terms, attempt: Attempt): Verdict {
  if (found.kind === 'refused') return refused[found.code]
  const { contract, tier } = found
  const client = attempt.identity && attempt.client?.admitted(attempt.identity)
  return admit(attempt, { client, contract, ...(tier && { tier }) })
}

function admit({ prepared, token, before, found, fields }: Attempt, known: Partial<Admission>): Verdict {
  const { context, scopes: wanted, lacking, strip } = prepared
  if (wanted !== undefined && !satisfies(token.scopes, wanted)) return lacking[found.scheme]
  const { claims, scopes } = token
  const joined = joinAdmissions(before, { api: context.api, authenticated: true, ...known, claims, scopes })
  if ('code' in joined) return { kind: 'refused', refusal: joined }
  const { strip: places, vary } = found.place
  const admitted: Admitted = {
    kind: 'admitted',
    admission: joined,
    strip: strip === 'secret' ? places : undefined,
    vary,
  }
  return fields === undefined ? admitted : { ...admitted, fields }
}

/** What no other token would change goes without a challenge. */
const refused = {
  client_unnamed: tokenRefusal('client_unnamed'),
  client_disabled: tokenRefusal('client_disabled'),
  contract_missing: tokenRefusal('contract_missing'),
  contract_pending: tokenRefusal('contract_pending'),
  contract_rejected: tokenRefusal('contract_rejected'),
  contract_revoked: tokenRefusal('contract_revoked'),
}

/** RFC 6750 §3.1: the scopes that would have sufficed. */
function scopeRefusals(challenges: TokenChallenges, scopes: Scopes | undefined): Prepared['lacking'] {
  const parameters = { error: 'insufficient_scope', scope: scopes === undefined ? '' : scopesText(scopes) }
  const refusalBy = (scheme: TokenHere['scheme']): Refused =>
    tokenRefusal('scope_insufficient', challenges.refusing(scheme, parameters))
  return { bearer: refusalBy('bearer'), dpop: refusalBy('dpop') }
}
