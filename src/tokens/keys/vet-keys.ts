import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createLocalJWKSet, type JWK } from 'jose'
import { isObject, type JsonObject } from '../json-object.js'
import type { KeySet } from './key-source.js'

const maxKeys = 100
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const publicMembers = ['kty', 'kid', 'alg', 'n', 'e', 'crv', 'x', 'y']
const minRsaBits = 2048
/** OpenSSL takes longer the longer the modulus; nobody has a use for more. */
const maxRsaBits = 8192
/** FIPS 186-5 §A.1.1. `e = 1` makes the signature the message. */
const minExponent = 65537n

/** A key of a set that is not used. */
interface IgnoredKey {
  readonly kid: string | undefined
  readonly reason: string
}

export interface VettedKeys extends KeySet {
  readonly ignored: readonly IgnoredKey[]
  /** The usable keys as text, to tell whether a set that was fetched again is another one. */
  readonly identity: string
  readonly size: number
}

/**
 * Makes a key set of what claims to be one, without the keys that must not verify anything: jose would take
 * symmetric keys, private keys and RSA with `e = 1`. `undefined` for what is no key set at all.
 */
export function vetKeys(content: unknown): VettedKeys | undefined {
  if (!isObject(content) || !Array.isArray(content['keys'])) return undefined
  const usable: JWK[] = []
  const ignored: IgnoredKey[] = []
  for (const [index, key] of content['keys'].entries()) {
    const reason = index < maxKeys ? whyNot(key) : `it stands behind the first ${maxKeys}`
    if (reason === undefined) usable.push(publicPart(key as JsonObject))
    else ignored.push({ kid: kidOf(key), reason })
  }
  return {
    find: createLocalJWKSet({ keys: usable }),
    ignored: Object.freeze(ignored),
    identity: JSON.stringify(usable),
    size: usable.length,
  }
}

function whyNot(key: unknown): string | undefined {
  if (!isObject(key)) return 'it is not an object'
  if (key['kty'] === 'oct') return 'it is symmetric'
  if (privateMembers.some((member) => Object.hasOwn(key, member))) return 'it is private'
  if (key['use'] !== undefined && key['use'] !== 'sig') return 'it is not for signatures'
  const operations = key['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'it is not for verifying'
  }
  if (key['kid'] !== undefined && typeof key['kid'] !== 'string') return 'its kid is not a string'
  return weaknessOf(key)
}

function weaknessOf(key: JsonObject): string | undefined {
  const imported = importKey(key)
  if (imported === undefined) return 'it is not a public key that can be read'
  if (imported.asymmetricKeyType !== 'rsa') {
    return ['ec', 'ed25519'].includes(imported.asymmetricKeyType ?? '') ? undefined : 'its type is not used here'
  }
  const { modulusLength = 0, publicExponent = 0n } = imported.asymmetricKeyDetails ?? {}
  if (modulusLength < minRsaBits) return `its modulus has less than ${minRsaBits} bits`
  if (modulusLength > maxRsaBits) return `its modulus has more than ${maxRsaBits} bits`
  if (publicExponent < minExponent || publicExponent % 2n === 0n) return 'its exponent is small or even'
  return undefined
}

function importKey(key: JsonObject): KeyObject | undefined {
  try {
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Certificates and addresses of them (`x5c`, `x5u`) stay behind: nothing here reads them. */
function publicPart(key: JsonObject): JWK {
  return Object.fromEntries(publicMembers.filter((name) => name in key).map((name) => [name, key[name]]))
}

function kidOf(key: unknown): string | undefined {
  const kid = isObject(key) ? key['kid'] : undefined
  return typeof kid === 'string' ? kid : undefined
}
