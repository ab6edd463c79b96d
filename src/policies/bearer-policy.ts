import { andThen } from '../decisions/maybe-promise.js'
import type { Absent, IdentifyingPolicy } from '../decisions/policy.js'
import { readBearer } from '../tokens/bearer.js'
import type { TokenEngine } from '../tokens/token-engine.js'
import { bearerChallenge, bearerRefusal } from './bearer-challenge.js'
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
  const decideOnTerms = tokenTerms(context, parts.terms)
  const absent: Absent = { kind: 'absent', code: 'token_missing', challenges: [bearerChallenge(context.realm)] }
  const invalid = bearerRefusal('token_invalid', bearerChallenge(context.realm, { error: 'invalid_token' }))
  const unreadable = bearerChallenge(context.realm, { error: 'invalid_request' })
  const unread = {
    absent,
    malformed: bearerRefusal('credentials_malformed', unreadable),
    ambiguous: bearerRefusal('credentials_ambiguous', unreadable),
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
