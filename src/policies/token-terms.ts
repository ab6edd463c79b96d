import type { PreparedClient } from '../contracts/prepared-client.js'
import { resolveTerms } from '../contracts/terms.js'
import type { Admission, Identity } from '../decisions/admission.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Admitted, Refused, Strip, Verdict } from '../decisions/policy.js'
import { namedClient } from '../tokens/client-claim.js'
import { satisfies, scopesText, type Scopes } from '../tokens/scopes.js'
import type { VerifiedToken } from '../tokens/token-engine.js'
import { bearerChallenge, bearerRefusal } from './bearer-challenge.js'
import type { PolicyContext } from './context.js'
import { joinAdmissions } from './join-admissions.js'

/** What a route asks of a token that is good. */
export interface TokenTerms {
  readonly scopes: Scopes | undefined
  readonly clientIdClaim: string | undefined
  readonly contract: 'required' | 'skip'
  readonly strip: 'secret' | 'none'
}

type Decide = (token: VerifiedToken, before: Admission | undefined) => MaybePromise<Verdict>

const stripped: Strip = Object.freeze({ headers: ['authorization'], query: [] })

/**
 * From a good token to a verdict, each time anew: the client that it names, his contract, then the scopes. A
 * client is reached only through an identity of the token's verified issuer.
 */
export function tokenTerms({ api, realm, reader }: PolicyContext, terms: TokenTerms): Decide {
  const invalid = bearerRefusal('token_invalid', bearerChallenge(realm, { error: 'invalid_token' }))
  const lacking = scopeRefusal(realm, terms.scopes)
  const strip = terms.strip === 'secret' ? stripped : undefined

  const admit = (token: VerifiedToken, before: Admission | undefined, known: Partial<Admission>): Verdict => {
    if (terms.scopes !== undefined && !satisfies(token.scopes, terms.scopes)) return lacking
    const { claims, scopes } = token
    const joined = joinAdmissions(before, { api, authenticated: true, ...known, claims, scopes })
    return 'code' in joined ? { kind: 'refused', refusal: joined } : admitted(joined, strip)
  }

  const meet = (client: PreparedClient, identity: Identity, token: VerifiedToken, before: Admission | undefined) => {
    if (client.record.state !== 'active') return bearerRefusal('client_disabled')
    return andThen(resolveTerms(reader, api, client.record.id), (found) => {
      if (found.kind === 'refused') return bearerRefusal(found.code)
      const { contract, tier } = found
      return admit(token, before, { client: client.admitted(identity), contract, ...(tier && { tier }) })
    })
  }

  return (token, before) => {
    const named = namedClient(token.claims, terms.clientIdClaim)
    if (named.kind === 'invalid') return invalid
    if (terms.contract === 'skip') return admit(token, before, {})
    if (named.kind !== 'named') return bearerRefusal('client_unnamed')
    const identity = { issuer: token.issuer, clientId: named.clientId }
    return andThen(reader.findClient(identity), (client) =>
      // To us, an ID that nobody has registered here is no name.
      client === undefined ? bearerRefusal('client_unnamed') : meet(client, identity, token, before),
    )
  }
}

function admitted(admission: Admission, strip: Strip | undefined): Admitted {
  return { kind: 'admitted', admission, strip }
}

/** RFC 6750 §3.1: the scopes that would have sufficed. */
function scopeRefusal(realm: string, scopes: Scopes | undefined): Refused {
  const scope = scopes === undefined ? '' : scopesText(scopes)
  return bearerRefusal('scope_insufficient', bearerChallenge(realm, { error: 'insufficient_scope', scope }))
}
