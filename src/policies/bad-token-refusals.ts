import type { HeaderFields } from '../decisions/http-request.js'
import type { Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import type { TokenReason } from '../tokens/token-engine.js'
import type { TokenScheme } from '../tokens/token-place.js'
import { tokenRefusal, type TokenChallenges } from './token-challenges.js'

/** The "no" to a token that is not good, or whose proof is not. `fields`: what goes with it besides. */
export type RefuseToken = (reason: TokenReason, scheme: TokenScheme, fields?: HeaderFields) => Refused

interface Answer {
  readonly code: RefusalCode
  /** RFC 6750 §3.1, RFC 9449 §7.1 and §9. */
  readonly error: string
}

const badToken: Answer = { code: 'token_invalid', error: 'invalid_token' }
const badProof: Answer = { code: 'proof_invalid', error: 'invalid_dpop_proof' }
const withoutNonce: Answer = { code: 'nonce_required', error: 'use_dpop_nonce' }

/** Each reason's refusal, made once where nothing goes with it: the caller is told the same of all of them. */
export function badTokenRefusals(challenges: TokenChallenges): RefuseToken {
  const made = { bearer: new Map<TokenReason, Refused>(), dpop: new Map<TokenReason, Refused>() }
  return (reason, scheme, fields) => {
    const known = fields === undefined ? made[scheme].get(reason) : undefined
    if (known !== undefined) return known
    const { code, error } = answerTo(reason)
    const refused = tokenRefusal(code, challenges.refusing(scheme, { error }), { reason, fields })
    if (fields === undefined) made[scheme].set(reason, refused)
    return refused
  }
}

function answerTo(reason: TokenReason): Answer {
  // A proof that is sound and made with another key: it is the token that does not fit.
  if (!reason.startsWith('proof:') || reason === 'proof:binding') return badToken
  return reason === 'proof:nonce' ? withoutNonce : badProof
}
