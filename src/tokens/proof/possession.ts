import type { HttpRequest } from '../../decisions/http-request.js'
import { andThen, type MaybePromise } from '../../decisions/maybe-promise.js'
import type { TokenReason, VerifiedToken } from '../token-engine.js'
import type { TokenScheme } from '../token-place.js'
import type { Binding } from './binding.js'
import { checkProof, type DpopSettings, type DpopToken, type GoodProof } from './dpop.js'

/** The thumbprint of the certificate that a caller has, as `x5t#S256` has it; `none`, or `unreadable`. */
export type CertificateOf = (request: HttpRequest) => string

/** What may show that a caller holds what his token is bound to. What is not there is not taken. */
export interface ProofSettings {
  readonly dpop: DpopSettings | undefined
  readonly certificateOf: CertificateOf | undefined
}

/** A good token, and how it came. */
export interface PresentedProof {
  readonly request: HttpRequest
  readonly token: string
  readonly scheme: TokenScheme
}

/**
 * Why a caller does not hold what his token is bound to. Where he does: the proof, which is not used up yet, or
 * `undefined` where it takes none.
 */
export function checkPossession(
  { dpop, certificateOf }: ProofSettings,
  presented: PresentedProof,
  { binding, issuer }: VerifiedToken,
): MaybePromise<TokenReason | GoodProof | undefined> {
  const { request, token, scheme } = presented
  if (binding === undefined) return 'unbound'
  if (binding.unprovable) return 'bound'
  if (binding.certificate !== undefined) {
    const lack = lackOfCertificate(binding.certificate, request, certificateOf)
    if (lack !== undefined) return lack
  }
  // A token in the place of one that is bound to a key, as a proof beside it would make believe (RFC 9449 §7.2).
  if (binding.jkt === undefined) return scheme === 'dpop' ? 'unbound' : undefined
  if (dpop === undefined || scheme !== 'dpop') return 'bound'
  return proofOfKey(dpop, { request, token, issuer, jkt: binding.jkt })
}

/** RFC 8705 §3. */
function lackOfCertificate(
  bound: NonNullable<Binding['certificate']>,
  request: HttpRequest,
  certificateOf: CertificateOf | undefined,
): TokenReason | undefined {
  const certificate = certificateOf?.(request) ?? 'none'
  if (certificate === 'none') return 'bound'
  return certificate === bound ? undefined : 'certificate'
}

function proofOfKey(dpop: DpopSettings, given: DpopToken): MaybePromise<TokenReason | GoodProof> {
  return andThen(checkProof(dpop, given), (proof) => (typeof proof === 'string' ? (`proof:${proof}` as const) : proof))
}
