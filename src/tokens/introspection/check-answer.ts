import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isAccessToken } from '../access-token-only.js'
import type { RegisteredClaims } from '../claim-terms.js'
import { namedClient } from '../client-claim.js'
import type { JsonObject } from '../json-object.js'
import { bindingOf } from '../proof/binding.js'
import type { GoodToken } from '../remembered.js'
import { scopesOf } from '../scopes.js'
import { badToken, type BadToken } from '../token-engine.js'

export interface AnswerTerms {
  readonly issuer: string
  /** `undefined`: the usual ones. */
  readonly clientIdClaim: string | undefined
}

/** No route tolerates more. */
const longestToleranceSeconds = 300

/** What an answer means here (RFC 7662 §4), before a route asks anything of it. Its types have been looked at. */
export function checkAnswer(answer: JsonObject, { issuer, clientIdClaim }: AnswerTerms): GoodToken | BadToken {
  if (answer['active'] !== true) return badToken('inactive')
  const { exp, iss }: RegisteredClaims = answer
  if (iss !== undefined && iss !== issuer) return badToken('issuer')
  if (!isAccessToken(answer, false)) return badToken('type')
  if (exp !== undefined && exp < Date.now() / 1000 - longestToleranceSeconds) return badToken('expired')
  const verified = Object.freeze({
    issuer,
    claims: deepFreeze(answer),
    scopes: scopesOf(answer),
    client: namedClient(issuer, answer, clientIdClaim),
    binding: bindingOf(answer),
  })
  return { verified, expiresAtMs: exp === undefined ? Infinity : exp * 1000 }
}
