import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isBearerAccessToken } from '../access-token-only.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { JsonObject } from '../json-object.js'
import { hasRegisteredTypes, isInForce, type ClaimTerms } from '../registered-claims.js'
import type { GoodToken } from '../remembered.js'
import { scopesOf } from '../scopes.js'

export interface AnswerTerms extends ClaimTerms {
  readonly issuer: string
}

/** What an answer means here (RFC 7662 §4). `undefined`: the token is not good. */
export function checkAnswer(answer: JsonObject, terms: AnswerTerms): GoodToken | undefined {
  if (answer['active'] !== true) return undefined
  if (!hasRegisteredTypes(answer)) {
    throw issuerFault(hostOf(terms.issuer), 'its answer to a token introspection has members of a wrong type.')
  }
  const { exp, iss } = answer
  const good =
    isInForce(answer, terms) && (iss === undefined || iss === terms.issuer) && isBearerAccessToken(answer, false)
  if (!good) return undefined
  const verified = { issuer: terms.issuer, claims: deepFreeze(answer), scopes: scopesOf(answer) }
  return { verified: Object.freeze(verified), expiresAtMs: exp === undefined ? Infinity : exp * 1000 }
}
