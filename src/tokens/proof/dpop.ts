import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { HttpRequest } from '../../decisions/http-request.js'
import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { JsonObject } from '../json-object.js'
import { keyKindFor } from '../jwt/algorithms.js'
import { longForm, readJwtMembers, unverifiedPayload } from '../jwt/compact-jwt.js'
import { isSigned } from '../jwt/signature.js'
import type { ProofFlaw } from '../token-engine.js'
import type { Nonces } from './nonces.js'
import { normalAddress, requestAddress } from './proof-address.js'
import { proofKey, type ProofKey } from './proof-key.js'
import type { IsFirstUse } from './replays.js'

/** How proofs of possession have to be (RFC 9449). */
export interface DpopSettings {
  /** Where callers find `/` of this process, without a `/` at the end. */
  readonly publicUrls: readonly string[]
  readonly algorithms: readonly string[]
  /** How long ago a proof may have been made. */
  readonly maxAgeSeconds: number
  /** By how much a caller's clock may be ahead. */
  readonly clockToleranceSeconds: number
  readonly nonces: Nonces | undefined
  readonly isFirstUse: IsFirstUse
}

/** A token that came with a request, and the key that it is bound to. */
export interface DpopToken {
  readonly request: HttpRequest
  readonly token: string
  readonly issuer: string
  readonly jkt: string
}

interface ProofHead {
  readonly algorithm: string
  readonly key: ProofKey
}

interface Proof extends ProofHead {
  readonly text: string
  readonly claims: JsonObject
}

/** Right for its request and token. Whether it was used before is asked when the request is to be let in. */
export interface GoodProof extends Proof {
  readonly settings: DpopSettings
  readonly given: DpopToken
}

/** What requests were let in with: one that waited is looked at again, and its proof may have grown old meanwhile. */
const usedProofs = new WeakMap<HttpRequest, readonly GoodProof[]>()

/** Callers make all their proofs with one key, and reading it takes as long as checking a signature with it. */
const knownHeads = new LRUCache<string, ProofHead>({ max: 1000 })

/** Longer than any proof with an RSA key of 8192 bits. */
const maxProofLength = 8192
const maxJtiLength = 1024

/** The proof that came with a token, or what is wrong with it. */
export function checkProof(settings: DpopSettings, given: DpopToken): MaybePromise<ProofFlaw | GoodProof> {
  const used = usedProofs.get(given.request)?.find((proof) => isFor(proof, settings, given))
  if (used !== undefined) return used
  const values = given.request.headerValues('dpop')
  const [text] = values
  if (text === undefined) return 'missing'
  if (values.length > 1) return 'several'
  const proof = readProof(text, settings)
  if (typeof proof === 'string') return proof
  const flaw = proof.key.thumbprint === given.jkt ? claimFlaw(proof.claims, settings, given) : 'binding'
  if (flaw !== undefined) return flaw
  return andThen(isSigned({ token: text, algorithm: proof.algorithm }, proof.key.key), (signed) => {
    if (!signed) return 'signature'
    const { nonces } = settings
    return nonces === undefined || nonces.knows(proof.claims['nonce']) ? { ...proof, settings, given } : 'nonce'
  })
}

/**
 * Whether this request is the first to use a proof. Asked last of all: nobody fills the memory with requests that are
 * turned away.
 */
export function isFirstUse(proof: GoodProof): MaybePromise<boolean> {
  const { settings, given, key, claims } = proof
  const { request, issuer } = given
  const identity = { issuer, thumbprint: key.thumbprint, jti: String(claims['jti']) }
  return andThen(settings.isFirstUse(request, identity), (isFirst) => {
    if (isFirst) keepUsed(proof)
    return isFirst
  })
}

function keepUsed(proof: GoodProof): void {
  const { text, algorithm, key, given } = proof
  knownHeads.set(headOf(text), { algorithm, key })
  const used = usedProofs.get(given.request) ?? []
  if (!used.includes(proof)) usedProofs.set(given.request, [...used, proof])
}

/** A request keeps its fields, so its proof is the same. The token may be another, and so may what is asked of a proof. */
function isFor(proof: GoodProof, settings: DpopSettings, { token, issuer, jkt }: DpopToken): boolean {
  const { given } = proof
  return proof.settings === settings && given.token === token && given.issuer === issuer && given.jkt === jkt
}

/** RFC 9449 §4.3, 2 to 5 and 7: what can be told without the request. */
function readProof(text: string, { algorithms }: DpopSettings): Proof | ProofFlaw {
  const known = text.length > maxProofLength ? undefined : knownHeads.get(headOf(text))
  if (known !== undefined && algorithms.includes(known.algorithm)) {
    const claims = unverifiedPayload(text)
    return claims === undefined ? 'malformed' : { ...known, text, claims }
  }
  const members = text.length > maxProofLength ? undefined : readJwtMembers(text)
  if (members === undefined) return 'malformed'
  const { alg, typ, jwk } = members.header
  if (typeof typ !== 'string' || longForm(typ.toLowerCase()) !== 'application/dpop+jwt') return 'type'
  if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'algorithm'
  const key = proofKey(jwk)
  if (key === undefined || key.key.kind !== keyKindFor(alg) || (key.key.algorithm ?? alg) !== alg) return 'key'
  return { text, algorithm: alg, key, claims: members.payload }
}

/** RFC 9449 §4.3, 3, 8, 9, 11 and 12: whether it is a proof for this request and this token. */
function claimFlaw(claims: JsonObject, settings: DpopSettings, { request, token }: DpopToken): ProofFlaw | undefined {
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > maxJtiLength) return 'malformed'
  if (htm !== request.method) return 'method'
  const address = typeof htu === 'string' ? normalAddress(htu) : undefined
  if (address === undefined || !addressesOf(settings, request).includes(address)) return 'address'
  const ageSeconds = typeof iat === 'number' ? Date.now() / 1000 - iat : NaN
  if (!(ageSeconds <= settings.maxAgeSeconds && ageSeconds >= -settings.clockToleranceSeconds)) return 'age'
  return ath === hash('sha256', token, 'base64url') ? undefined : 'token'
}

function addressesOf({ publicUrls }: DpopSettings, { url }: HttpRequest): readonly (string | undefined)[] {
  return publicUrls.map((publicUrl) => requestAddress(publicUrl, url))
}

function headOf(text: string): string {
  return text.slice(0, text.indexOf('.'))
}
