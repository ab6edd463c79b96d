import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { KeyKind } from '../jwt/algorithms.js'

/** A key that may verify something. */
export interface VerificationKey {
  readonly kid: string | undefined
  /** The one algorithm that it is for, where it says so. */
  readonly algorithm: string | undefined
  readonly kind: KeyKind
  readonly key: KeyObject
  /** Whether a signature is checked faster than it is handed to another thread and back. */
  readonly quick: boolean
}

const minRsaBits = 2048
/** OpenSSL takes longer the longer the modulus; nobody has a use for more. */
const maxRsaBits = 8192
const maxQuickRsaBits = 4096
/** FIPS 186-5 §A.1.1. `e = 1` makes the signature the message. */
const minExponent = 65537n

const curves: Readonly<Record<string, KeyKind>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

/** The key, or why it must not verify anything. */
export function publicKey(jwk: object, kid?: string, algorithm?: string): VerificationKey | string {
  return vetted(readKey({ key: jwk as JsonWebKey, format: 'jwk' }), kid, algorithm)
}

/** The same for SPKI, PKCS #1 or a certificate. A private key would give its public one, and is not taken for that. */
export function publicKeyOfPem(pem: string): VerificationKey | string {
  return pem.includes('PRIVATE KEY') ? 'it is private' : vetted(readKey({ key: pem, format: 'pem' }))
}

export function secretKey(secret: Uint8Array): VerificationKey {
  return { kid: undefined, algorithm: undefined, kind: 'secret', key: createSecretKey(secret), quick: true }
}

function vetted(key: KeyObject | undefined, kid?: string, algorithm?: string): VerificationKey | string {
  if (key === undefined) return 'it is not a public key that can be read'
  const weakness = key.asymmetricKeyType === 'rsa' ? weaknessOf(key) : undefined
  if (weakness !== undefined) return weakness
  const kind = kindOf(key)
  if (kind === undefined) return 'its type or curve is not used here'
  return { kid, algorithm, kind, key, quick: isQuick(kind, key) }
}

function readKey(input: Parameters<typeof createPublicKey>[0]): KeyObject | undefined {
  try {
    return createPublicKey(input)
  } catch {
    return undefined
  }
}

function kindOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyKind | undefined {
  if (asymmetricKeyType === 'rsa') return 'RSA'
  if (asymmetricKeyType === 'ed25519') return 'Ed25519'
  return asymmetricKeyType === 'ec' ? curves[asymmetricKeyDetails?.namedCurve ?? ''] : undefined
}

function weaknessOf({ asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
  if (modulusLength < minRsaBits) return `its modulus has less than ${minRsaBits} bits`
  if (modulusLength > maxRsaBits) return `its modulus has more than ${maxRsaBits} bits`
  if (publicExponent < minExponent || publicExponent % 2n === 0n) return 'its exponent is small or even'
  return undefined
}

/**
 * Measured: RSA 20 µs, P-256 55, Ed25519 80, the larger curves 500 and 1400. The road to another thread and back keeps
 * this one busy for 70 of them.
 */
function isQuick(kind: KeyKind, { asymmetricKeyDetails }: KeyObject): boolean {
  return (
    kind === 'P-256' ||
    kind === 'Ed25519' ||
    (kind === 'RSA' && (asymmetricKeyDetails?.modulusLength ?? Infinity) <= maxQuickRsaBits)
  )
}
