import { hash } from 'node:crypto'
import { vetKey } from '../keys/vet-keys.js'
import type { VerificationKey } from '../keys/verification-key.js'

/** A key that stands in a proof. */
export interface ProofKey {
  readonly key: VerificationKey
  /** RFC 7638 §3, in base64url. */
  readonly thumbprint: string
}

/** What a thumbprint is made of, in this order (RFC 7638 §3.2, RFC 8037 §2). */
const requiredMembers: Readonly<Record<string, readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
}

/** `undefined` for one that must not sign proofs: private, symmetric, weak, for something else, or none. */
export function proofKey(jwk: unknown): ProofKey | undefined {
  const key = vetKey(jwk)
  if (typeof key === 'string') return undefined
  // As Node writes the key, not as it was sent: one key has one thumbprint.
  const members = key.key.export({ format: 'jwk' }) as Readonly<Record<string, unknown>>
  const names = requiredMembers[String(members['kty'])] ?? []
  const text = JSON.stringify(Object.fromEntries(names.map((name) => [name, members[name]])))
  return { key, thumbprint: hash('sha256', text, 'base64url') }
}
