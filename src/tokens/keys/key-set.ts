import { keyKindFor } from '../jwt/algorithms.js'
import type { KeySet } from './key-source.js'
import type { VerificationKey } from './verification-key.js'

/** Keys by their names. A token that names none may mean each of them, one that does means no nameless one. */
export function keySet(keys: readonly VerificationKey[]): KeySet {
  const byKid = new Map<string | undefined, VerificationKey[]>()
  for (const key of keys) {
    const sameName = byKid.get(key.kid)
    if (sameName === undefined) byKid.set(key.kid, [key])
    else sameName.push(key)
  }
  return {
    candidates: (kid, algorithm) => suitable(kid === undefined ? keys : (byKid.get(kid) ?? []), algorithm),
  }
}

/** Keys that have no names, whatever name a token gives: a PEM, a secret. */
export function namelessKeySet(keys: readonly VerificationKey[]): KeySet {
  return { candidates: (_kid, algorithm) => suitable(keys, algorithm) }
}

function suitable(keys: readonly VerificationKey[], algorithm: string): readonly VerificationKey[] {
  const kind = keyKindFor(algorithm)
  const suits = (key: VerificationKey): boolean => key.kind === kind && (key.algorithm ?? algorithm) === algorithm
  return keys.every(suits) ? keys : keys.filter(suits)
}
