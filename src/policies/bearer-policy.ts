import type { Admission } from '../decisions/admission.js'
import { isLook, type HeaderFields, type HttpRequest } from '../decisions/http-request.js'
import { andThen, andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type {
  Absent,
  IdentifyingPolicy,
  Recognised,
  Recognition,
  Refused,
  Strip,
  Verdict,
} from '../decisions/policy.js'
import { isFirstUse, type GoodProof } from '../tokens/proof/dpop.js'
import { checkPossession, type ProofSettings } from '../tokens/proof/possession.js'
import { isBadToken, type TokenEngine, type TokenReason, type TokenVerdict } from '../tokens/token-engine.js'
import type { TokenPlace } from '../tokens/token-place.js'
import { readToken, type FoundToken, type TokenHere } from '../tokens/token-places.js'
import { badTokenRefusals, type RefuseToken } from './bad-token-refusals.js'
import type { PolicyContext } from './context.js'
import { describeTokens, type DescribedTokens } from './descriptions.js'
import { tokenChallenges, tokenRefusal, type TokenChallenges } from './token-challenges.js'
import { tokenTerms, type DecideOnTerms } from './token-terms.js'

export interface BearerPolicyParts extends DescribedTokens {
  readonly name: string
  readonly shapes: readonly string[]
  /** Whether a token is of this policy's shape, valid or not. */
  readonly isOwn: (token: string) => boolean
  readonly engine: TokenEngine
  readonly maxTokenBytes: number
}

/** What all token policies have in common: where the token stands, and what becomes of a good one. */
export function bearerPolicy(context: PolicyContext, parts: BearerPolicyParts): IdentifyingPolicy {
  const { isOwn, places, maxTokenBytes, terms } = parts
  const deciding = decidingOf(context, parts)
  return {
    name: parts.name,
    place: 'bearer',
    shapes: parts.shapes,
    absent: deciding.unread.absent,
    description: describeTokens(context, parts),
    strip: terms.strip === 'secret' ? everyPlace(places) : undefined,
    recognise: (request, byShape = true) =>
      andThenWith(readToken(places, request, maxTokenBytes), recognised, {
        deciding,
        request,
        isOwn: byShape ? isOwn : anyShape,
      }),
    decide: (request, before) =>
      andThenWith(readToken(places, request, maxTokenBytes), decideOn, { deciding, request, before }),
  }
}

interface Deciding {
  readonly engine: TokenEngine
  readonly proofs: ProofSettings
  readonly boundOnly: boolean
  readonly decideOnTerms: DecideOnTerms
  readonly refuse: RefuseToken
  readonly unread: ReturnType<typeof unreadAnswers>
}

interface Arrival {
  readonly deciding: Deciding
  readonly request: HttpRequest
  readonly before: Admission | undefined
}

interface ArrivedToken extends Arrival {
  readonly found: TokenHere
}

function decideOn(found: FoundToken, { deciding, request, before }: Arrival): MaybePromise<Verdict> {
  if (found.kind !== 'token') return deciding.unread[found.kind]
  return andThenWith(deciding.engine.verify(found.token), decideOnToken, { deciding, request, before, found })
}

function decideOnToken(token: TokenVerdict, arrived: ArrivedToken): MaybePromise<Verdict> {
  const { deciding, found, before } = arrived
  if (isBadToken(token)) return deciding.refuse(token.reason, found.scheme)
  if (token.binding === undefined && found.scheme === 'bearer' && !deciding.boundOnly) {
    return deciding.decideOnTerms(token, before, found)
  }
  // However often the token was verified before: the proof is one of this request.
  const shown = checkPossession(deciding.proofs, { ...found, request: arrived.request }, token)
  return andThenWith(shown, decideOnProof, { ...arrived, token })
}

function decideOnProof(
  shown: TokenReason | GoodProof | undefined,
  { deciding, found, before, token }: ArrivedToken & { readonly token: Exclude<TokenVerdict, { reason: unknown }> },
): MaybePromise<Verdict> {
  const fields = found.scheme === 'dpop' ? nonceField(deciding.proofs) : undefined
  if (typeof shown === 'string') return deciding.refuse(shown, found.scheme, fields)
  const verdict = deciding.decideOnTerms(token, before, found, fields)
  if (shown === undefined) return verdict
  return andThenWith(verdict, useProof, {
    proof: shown,
    refuse: () => deciding.refuse('proof:replayed', 'dpop', fields),
  })
}

interface Using {
  readonly proof: GoodProof
  readonly refuse: () => Refused
}

/** Who is turned away has used nothing, and takes no place in the memory of proofs. */
function useProof(verdict: Verdict, { proof, refuse }: Using): MaybePromise<Verdict> {
  if (isLook(proof.given.request)) return verdict
  return verdict.kind === 'admitted' ? andThen(isFirstUse(proof), (isFirst) => (isFirst ? verdict : refuse())) : verdict
}

/** Whoever makes proofs always has the nonce to use next (RFC 9449 §8.2). */
function nonceField({ dpop }: ProofSettings): HeaderFields | undefined {
  return dpop?.nonces && { 'DPoP-Nonce': dpop.nonces.current() }
}

function decidingOf(context: PolicyContext, { engine, terms, proofs, boundOnly }: BearerPolicyParts): Deciding {
  const bearer = !boundOnly || proofs.certificateOf !== undefined
  const challenges = tokenChallenges(context, { bearer, dpopAlgorithms: proofs.dpop?.algorithms })
  const refuse = badTokenRefusals(challenges)
  const decideOnTerms = tokenTerms(context, terms, challenges, refuse)
  return { engine, proofs, boundOnly, decideOnTerms, refuse, unread: unreadAnswers(challenges) }
}

/** Every "no" to what is no one token, made once. */
function unreadAnswers(challenges: TokenChallenges) {
  const absent: Absent = { kind: 'absent', code: 'token_missing', challenges: challenges.bare }
  const unreadable = challenges.refusing('bearer', { error: 'invalid_request' })
  const malformed = tokenRefusal('credentials_malformed', unreadable)
  const ambiguous = tokenRefusal('credentials_ambiguous', unreadable)
  const unread = { absent, malformed, ambiguous, too_large: tokenRefusal('body_too_large') }
  return unread satisfies Record<Exclude<FoundToken['kind'], 'token'>, Absent | Refused>
}

function everyPlace(places: readonly TokenPlace[]): Strip {
  return {
    headers: places.flatMap(({ strip }) => strip.headers),
    query: places.flatMap(({ strip }) => strip.query),
    body: places.flatMap(({ strip }) => strip.body ?? []),
  }
}

interface Recognising extends Omit<Arrival, 'before'> {
  readonly isOwn: (token: string) => boolean
}

function recognised(found: FoundToken, { deciding, request, isOwn }: Recognising): Recognised {
  return {
    recognition: recognitionOf(found, isOwn),
    decide: (before) => decideOn(found, { deciding, request, before }),
  }
}

function recognitionOf(found: FoundToken, isOwn: (token: string) => boolean): Recognition {
  if (found.kind === 'token') return isOwn(found.token) ? 'own' : 'place'
  if (found.kind === 'too_large') return 'unread'
  return found.kind === 'absent' ? 'absent' : 'place'
}

function anyShape(): true {
  return true
}
