import { deepFreeze } from '../../runtime/deep-freeze.js'
import { isBearerAccessToken } from '../access-token-only.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf } from '../issuer-settings.js'
import type { JsonObject } from '../json-object.js'
import { isAudienceOrAbsent, isTimeOrAbsent } from '../registered-claims.js'
import type { GoodToken } from '../remembered.js'
import { scopesOf } from '../scopes.js'

export interface AnswerTerms {
  readonly issuer: string
  /** `null`: whoever the token is for. */
  readonly audience: readonly string[] | null
  readonly clockToleranceSeconds: number
}

/** What an answer means here (RFC 7662 §4). `undefined`: the token is not good. */
export function checkAnswer(answer: JsonObject, terms: AnswerTerms): GoodToken | undefined {
  if (answer['active'] !== true) return undefined
  const { exp, nbf, aud } = answer
  if (!isTimeOrAbsent(exp) || !isTimeOrAbsent(nbf) || !isAudienceOrAbsent(aud)) {
    throw issuerFault(hostOf(terms.issuer), 'its answer to a token introspection has members of a wrong type.')
  }
  const nowSeconds = Math.floor(Date.now() / 1000)
  const good =
    (exp === undefined || exp > nowSeconds - terms.clockToleranceSeconds) &&
    (nbf === undefined || nbf <= nowSeconds + terms.clockToleranceSeconds) &&
    (answer['iss'] === undefined || answer['iss'] === terms.issuer) &&
    isFor(aud, terms.audience) &&
    isBearerAccessToken(answer, false)
  if (!good) return undefined
  const verified = { issuer: terms.issuer, claims: deepFreeze(answer), scopes: scopesOf(answer) }
  return { verified: Object.freeze(verified), expiresAtMs: exp === undefined ? Infinity : exp * 1000 }
}

function isFor(aud: string | readonly string[] | undefined, audience: readonly string[] | null): boolean {
  if (audience === null) return true
  return typeof aud === 'string' ? audience.includes(aud) : audience.some((each) => aud?.includes(each))
}
