import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { unmetTerm, type ClaimTerms } from '../claim-terms.js'
import { digestOf } from '../remembered.js'
import { badToken, type TokenEngine, type TokenVerdict } from '../token-engine.js'
import { readCompactJwt } from './compact-jwt.js'
import type { JwtVerifier } from './jwt-verifier.js'

/** One issuer of a route: who verifies its tokens, and what the route asks of them. */
export interface JwtBranch {
  readonly issuer: string
  readonly verifier: JwtVerifier
  readonly terms: ClaimTerms
}

/** The JWTs of several issuers. Which of them has to vouch for a token is chosen by its `iss`, and by nothing else. */
export function jwtEngine(branches: readonly JwtBranch[]): TokenEngine {
  const byIssuer: ReadonlyMap<unknown, JwtBranch> = new Map(branches.map((branch) => [branch.issuer, branch]))
  return {
    verify(token): MaybePromise<TokenVerdict> {
      const digest = digestOf(token)
      for (const { verifier, terms } of branches) {
        const known = verifier.recall(digest)
        if (known === undefined) continue
        const reason = unmetTerm(known.claims, terms)
        return reason === undefined ? known : badToken(reason)
      }
      const jwt = readCompactJwt(token)
      if (jwt === undefined) return badToken('malformed')
      const branch = byIssuer.get(jwt.payload['iss'])
      return branch === undefined ? badToken('issuer') : branch.verifier.verify(jwt, digest, branch.terms)
    },
  }
}
