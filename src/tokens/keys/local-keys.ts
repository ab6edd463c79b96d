import { namelessKeySet } from './key-set.js'
import type { KeySet, KeySource } from './key-source.js'
import { publicKeyOfPem, secretKey, type VerificationKey } from './verification-key.js'

/** Keys that were given in options and never change. */
export function localKeys(keys: KeySet): KeySource {
  return { fresh: () => keys, current: () => keys, after: () => keys, refresh: () => Promise.resolve() }
}

/** `identity` tells sets apart; it may hold a secret. */
export interface GivenKeys extends KeySet {
  readonly identity: string
}

/** One shared secret for the HS algorithms. */
export function secretKeys(secret: Uint8Array): GivenKeys {
  return { ...namelessKeySet([secretKey(secret)]), identity: Buffer.from(secret).toString('base64') }
}

/** The keys, or why one of them cannot be used. */
export function pemKeys(pems: readonly string[]): GivenKeys | string {
  const keys: VerificationKey[] = []
  for (const pem of pems) {
    const key = publicKeyOfPem(pem)
    if (typeof key === 'string') return key
    keys.push(key)
  }
  return { ...namelessKeySet(keys), identity: JSON.stringify(pems) }
}
