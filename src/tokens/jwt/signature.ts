import { compactVerify } from 'jose'
import { ClienteleFault } from '../../decisions/faults.js'
import { isPromise, type MaybePromise } from '../../decisions/maybe-promise.js'
import { isBadToken } from '../issuer-fault.js'
import type { KeySet } from '../keys/key-source.js'
import type { VerificationKey } from '../keys/verification-key.js'
import type { CompactJwt } from './compact-jwt.js'
import { isQuicklySigned } from './quick-signature.js'

/** `unknown key`: no key of the set has signed it, but one that is not here yet may have. Else the key that has. */
export type SignatureVerdict = VerificationKey | 'bad' | 'unknown key'

/** Where several keys fit a token that names none: how many are tried, since each costs a signature. */
const maxTries = 10

/** Whether one of the keys has signed a token; at once where the check is quick. Rejects when the keys cannot be used. */
export function checkSignature(jwt: CompactJwt, keys: KeySet): MaybePromise<SignatureVerdict> {
  const candidates = keys.candidates(jwt.kid, jwt.algorithm)
  const tries = Math.min(candidates.length, maxTries)
  for (let index = 0; index < tries; index++) {
    const key = candidates[index]
    if (key === undefined) break
    const signed = isSigned(jwt, key)
    if (isPromise(signed)) return tryOn(jwt, candidates.slice(index, tries), signed)
    if (signed) return key
  }
  return withoutKey(jwt, tries)
}

async function tryOn(
  jwt: CompactJwt,
  candidates: readonly VerificationKey[],
  first: Promise<boolean>,
): Promise<SignatureVerdict> {
  for (const [index, key] of candidates.entries()) {
    if (await (index === 0 ? first : isSigned(jwt, key))) return key
  }
  return withoutKey(jwt, candidates.length)
}

/** A token that names no key may have been signed with one that is not here yet: only the signature shows it. */
function withoutKey({ kid }: CompactJwt, tries: number): SignatureVerdict {
  return tries === 0 || kid === undefined ? 'unknown key' : 'bad'
}

/** Whether this key has signed a token. It is of the kind that the algorithm takes. */
export function isSigned(
  { token, algorithm }: Pick<CompactJwt, 'token' | 'algorithm'>,
  { key, quick }: VerificationKey,
): MaybePromise<boolean> {
  return quick ? isQuicklySigned(token, algorithm, key) : isSignedBy(token, algorithm, key)
}

/** Checks under way in other threads; who comes after them is told to come back. */
const mostChecks = 1000
let checks = 0

/** Through jose, which leaves the event loop to others meanwhile: the larger curves take up to 1.4 ms. */
async function isSignedBy(token: string, algorithm: string, key: VerificationKey['key']): Promise<boolean> {
  if (checks >= mostChecks) {
    throw new ClienteleFault('ERR_CLIENTELE_BUSY', `There are ${mostChecks} signatures being checked already.`)
  }
  checks++
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
    return true
  } catch (error) {
    if (isBadToken(error)) return false
    throw error
  } finally {
    checks--
  }
}
