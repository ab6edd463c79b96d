import type { Admission } from '../decisions/admission.js'
import { andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type {
  Absent,
  IdentifyingPolicy,
  Recognised,
  Recognition,
  Refused,
  Strip,
  Verdict,
} from '../decisions/policy.js'
import { isBadToken, type TokenEngine, type TokenVerdict } from '../tokens/token-engine.js'
import type { TokenPlace } from '../tokens/token-place.js'
import { readToken, type FoundToken } from '../tokens/token-places.js'
import { bearerChallenge, bearerRefusal, invalidTokenRefusals } from './bearer-challenge.js'
import type { PolicyContext } from './context.js'
import { tokenTerms, type DecideOnTerms, type TokenTerms } from './token-terms.js'

export interface BearerPolicyParts {
  readonly name: string
  readonly shapes: readonly string[]
  /** Whether a token is of this policy's shape, valid or not. */
  readonly isOwn: (token: string) => boolean
  readonly engine: TokenEngine
  readonly terms: TokenTerms
  readonly places: readonly TokenPlace[]
  readonly maxTokenBytes: number
}

/** What all token policies have in common: where the token stands, and what becomes of a good one. */
export function bearerPolicy(context: PolicyContext, parts: BearerPolicyParts): IdentifyingPolicy {
  const { engine, isOwn, places, maxTokenBytes, terms } = parts
  const answers = answersOf(context.realm)
  const deciding: Deciding = { ...answers, engine, decideOnTerms: tokenTerms(context, terms, answers.invalid) }
  return {
    name: parts.name,
    place: 'bearer',
    shapes: parts.shapes,
    absent: answers.absent,
    strip: terms.strip === 'secret' ? everyPlace(places) : undefined,
    recognise: (request, byShape = true) =>
      andThenWith(readToken(places, request, maxTokenBytes), recognised, {
        deciding,
        isOwn: byShape ? isOwn : anyShape,
      }),
    decide: (request, before) => andThenWith(readToken(places, request, maxTokenBytes), decideOn, { deciding, before }),
  }
}

interface Deciding {
  readonly engine: TokenEngine
  readonly decideOnTerms: DecideOnTerms
  readonly invalid: (reason: string) => Refused
  readonly unread: Readonly<Record<Exclude<FoundToken['kind'], 'token'>, Absent | Refused>>
}

interface Arrival {
  readonly deciding: Deciding
  readonly before: Admission | undefined
}

function decideOn(found: FoundToken, { deciding, before }: Arrival): MaybePromise<Verdict> {
  if (found.kind !== 'token') return deciding.unread[found.kind]
  const { token, place } = found
  return andThenWith(deciding.engine.verify(token), decideOnToken, { deciding, before, place })
}

function decideOnToken(
  token: TokenVerdict,
  { deciding, before, place }: Arrival & { readonly place: TokenPlace },
): MaybePromise<Verdict> {
  if (isBadToken(token)) return deciding.invalid(token.reason)
  // Proofs are not read here, and without one a bound token must not pass (RFC 9449 §7.2, RFC 8705 §3).
  return token.bound ? deciding.invalid('bound') : deciding.decideOnTerms(token, before, place)
}

/** Every "no" that needs no facts of the token, made once. */
function answersOf(realm: string) {
  const absent: Absent = { kind: 'absent', code: 'token_missing', challenges: [bearerChallenge(realm)] }
  const unreadable = bearerChallenge(realm, { error: 'invalid_request' })
  const malformed = bearerRefusal('credentials_malformed', unreadable)
  const ambiguous = bearerRefusal('credentials_ambiguous', unreadable)
  const unread = { absent, malformed, ambiguous, too_large: bearerRefusal('body_too_large') }
  return { absent, invalid: invalidTokenRefusals(realm), unread }
}

function everyPlace(places: readonly TokenPlace[]): Strip {
  return {
    headers: places.flatMap(({ strip }) => strip.headers),
    query: places.flatMap(({ strip }) => strip.query),
    body: places.flatMap(({ strip }) => strip.body ?? []),
  }
}

function recognised(
  found: FoundToken,
  { deciding, isOwn }: { readonly deciding: Deciding; readonly isOwn: (token: string) => boolean },
): Recognised {
  return { recognition: recognitionOf(found, isOwn), decide: (before) => decideOn(found, { deciding, before }) }
}

function recognitionOf(found: FoundToken, isOwn: (token: string) => boolean): Recognition {
  if (found.kind === 'token') return isOwn(found.token) ? 'own' : 'place'
  if (found.kind === 'too_large') return 'unread'
  return found.kind === 'absent' ? 'absent' : 'place'
}

function anyShape(): true {
  return true
}
