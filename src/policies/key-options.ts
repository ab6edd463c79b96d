import { z } from 'zod'
import { requireAddress } from '../runtime/address.js'
import { optionsFault } from '../runtime/check.js'
import {
  asymmetricAlgorithms,
  secretBytesOf,
  type AsymmetricAlgorithm,
  type SecretAlgorithm,
} from '../tokens/jwt/algorithms.js'
import type { KeyOrigin } from '../tokens/keys/issuer-keys.js'
import { pemKeys, secretKeys } from '../tokens/keys/local-keys.js'
import { vetKeys } from '../tokens/keys/vet-keys.js'

/** Where the keys of an issuer come from. At most one of them; with none, discovery. */
export interface KeyOptions {
  /** The issuer's public keys themselves. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** Where the issuer publishes its keys, when it has no discovery; several, where they stand in several places. */
  readonly jwksUri?: string | readonly string[]
  /** The issuer's public key as PEM (SPKI, PKCS #1 or a certificate), or several; whatever `kid` a token names. */
  readonly pem?: string | readonly string[]
  /**
   * The secret that the issuer signs with, text standing for its UTF-8 bytes: at least as many as the hash has.
   * Everybody who can verify with it can issue tokens too.
   */
  readonly secret?: string | Uint8Array
  /**
   * What a signature may be made with. @default RS, PS and ES with 256, 384 and 512, EdDSA and Ed25519; with
   * `secret` instead, those of HS256, HS384 and HS512 that it is long enough for
   */
  readonly algorithms?: readonly (AsymmetricAlgorithm | SecretAlgorithm)[]
}

const secretAlgorithms = Object.keys(secretBytesOf) as SecretAlgorithm[]
const texts = z.union([z.string(), z.array(z.string()).min(1).readonly()])

export const keyOptionsShape = {
  jwks: z.object({ keys: z.array(z.custom<object>((key) => typeof key === 'object' && key !== null)) }).optional(),
  jwksUri: texts.optional(),
  pem: texts.optional(),
  secret: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
  algorithms: z
    .array(z.enum([...asymmetricAlgorithms, ...secretAlgorithms]))
    .min(1)
    .readonly()
    .optional(),
}

/** Keys and algorithms go together: never a public key where a secret is expected (RFC 8725 §3.1). */
export interface KeySettings {
  readonly origin: KeyOrigin
  readonly algorithms: readonly string[]
}

export function keySettings(where: string, options: KeyOptions, allowInsecure: boolean): KeySettings {
  const { jwks, jwksUri, pem, secret } = options
  if ([jwks, jwksUri, pem, secret].filter((each) => each !== undefined).length > 1) {
    throw optionsFault(where, 'expected at most one of jwks, jwksUri, pem and secret')
  }
  if (secret !== undefined) {
    const bytes = Buffer.from(secret)
    return { origin: { kind: 'local', keys: secretKeys(bytes) }, algorithms: hashesFor(where, bytes, options) }
  }
  return { origin: publicOrigin(where, options, allowInsecure), algorithms: signaturesOf(where, options) }
}

function publicOrigin(where: string, { jwks, jwksUri, pem }: KeyOptions, allowInsecure: boolean): KeyOrigin {
  if (jwks !== undefined) return localOrigin(where, jwks)
  if (pem !== undefined) return pemOrigin(where, listOf(pem))
  if (jwksUri === undefined) return { kind: 'discovery' }
  const uris = listOf(jwksUri)
  for (const uri of uris) requireAddress(where, 'jwksUri', uri, allowInsecure)
  return { kind: 'uris', uris }
}

/** Keys that somebody wrote down are all meant: one that cannot be used is a mistake, not to be passed over. */
function localOrigin(where: string, jwks: { readonly keys: readonly object[] }): KeyOrigin {
  const keys = vetKeys(jwks)
  const [ignored] = keys?.ignored ?? []
  if (ignored !== undefined) throw optionsFault(where, `jwks: a key cannot be used, because ${ignored.reason}`)
  if (keys === undefined || keys.size === 0) throw optionsFault(where, 'jwks: expected a key set with at least one key')
  return { kind: 'local', keys }
}

function pemOrigin(where: string, pems: readonly string[]): KeyOrigin {
  const keys = pemKeys(pems)
  if (typeof keys === 'string') throw optionsFault(where, `pem: a key cannot be used, because ${keys}`)
  return { kind: 'local', keys }
}

function signaturesOf(where: string, { algorithms = asymmetricAlgorithms }: KeyOptions): readonly string[] {
  if (algorithms.some((algorithm) => algorithm in secretBytesOf)) {
    throw optionsFault(where, 'algorithms: HS256, HS384 and HS512 need the option secret, and go with nothing else')
  }
  return algorithms
}

function hashesFor(where: string, secret: Uint8Array, { algorithms }: KeyOptions): readonly string[] {
  const long = secretAlgorithms.filter((algorithm) => secret.length >= secretBytesOf[algorithm])
  if (long.length === 0) throw optionsFault(where, `secret: expected at least ${secretBytesOf.HS256} bytes`)
  const wanted: readonly string[] = algorithms ?? long
  if (wanted.every((algorithm) => (long as readonly string[]).includes(algorithm))) return wanted
  throw optionsFault(where, 'algorithms: with secret only HS256, HS384 and HS512, and a secret as long as the hash')
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === 'string' ? [value] : value
}
