/** What verifies with a published key. `none` and the HS algorithms are not among them, and cannot be asked for. */
export const asymmetricAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

export type AsymmetricAlgorithm = (typeof asymmetricAlgorithms)[number]

/** What verifies with a shared secret, and the bytes that it needs (RFC 7518 §3.2). */
export const secretBytesOf = { HS256: 32, HS384: 48, HS512: 64 } as const

export type SecretAlgorithm = keyof typeof secretBytesOf

export type KeyKind = 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519' | 'secret'

const keyKinds: Readonly<Record<AsymmetricAlgorithm | SecretAlgorithm, KeyKind>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
  HS256: 'secret',
  HS384: 'secret',
  HS512: 'secret',
}

/** The only kind of key that an algorithm takes; for an elliptic curve its curve belongs to it (RFC 7518 §3.4). */
export function keyKindFor(algorithm: string): KeyKind | undefined {
  return Object.hasOwn(keyKinds, algorithm) ? keyKinds[algorithm as AsymmetricAlgorithm] : undefined
}
