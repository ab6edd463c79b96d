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
