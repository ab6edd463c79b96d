import { createSecretKey } from 'node:crypto'
import type { KeySet, KeySource } from './key-source.js'

/** Keys that were given in options and never change. */
export function localKeys(keys: KeySet): KeySource {
  return { current: () => keys, isFresh: (other) => other === keys, after: () => keys }
}

/** One shared secret for the HS algorithms, whatever `kid` a token names. */
export function secretKeys(secret: Uint8Array): KeySource {
  const key = createSecretKey(secret)
  return localKeys({ find: () => key })
}
