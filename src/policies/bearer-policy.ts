import { andThen } from '../decisions/maybe-promise.js'
import type { Absent, IdentifyingPolicy, Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import { readBearer } from '../tokens/bearer.js'
import type { TokenEngine } from '../tokens/token-engine.js'
import { bearerChallenge } from './bearer-challenge.js'
import type { PolicyContext } from './context.js'
import { tokenTerms, type TokenTerms } from './token-terms.js'

export interface BearerPolicyParts {
  readonly name: string
  readonly shapes: readonly string[]
  /** Whether a token is of this policy's shape, valid or not. */
  readonly isOwn: (token: string) => boolean
  readonly engine: TokenEngine
  readonly terms: TokenTerms
  readonly maxTokenBytes: number
}

/** What all token policies have in common: where the token stands, and what becomes of a good one. */
export function bearerPolicy(context: PolicyContext, parts: BearerPolicyParts): IdentifyingPolicy {
  const { engine, isOwn, maxTokenBytes } = parts
  const { realm } = context
  const decideOnTerms = tokenTerms(context, parts.terms)
  const absent: Absent = { kind: 'absent', code: 'token_missing', challenges: [bearerChallenge(realm)] }
  const invalid = refused('token_invalid', realm, 'invalid_token')
  const unread = {
    absent,
    malformed: refused('credentials_malformed', realm, 'invalid_request'),
    ambiguous: refused('credentials_ambiguous', realm, 'invalid_request'),
  }

  return {
    name: parts.name,
    place: 'bearer',
    shapes: parts.shapes,
    absent,
    recognise: (request, byShape = true) => {
      const bearer = readBearer(request, maxTokenBytes)
      if (bearer.kind === 'token') return byShape && !isOwn(bearer.token) ? 'place' : 'own'
      return bearer.kind === 'absent' ? 'absent' : 'place'
    },
    decide: (request, before) => {
      const bearer = readBearer(request, maxTokenBytes)
      if (bearer.kind !== 'token') return unread[bearer.kind]
      return andThen(engine.verify(bearer.token), (token) =>
        token === undefined ? invalid : decideOnTerms(token, before),
      )
    },
  }
}

function refused(code: RefusalCode, realm: string, error: string): Refused {
  return { kind: 'refused', refusal: { code, challenges: [bearerChallenge(realm, { error })] } }
}
