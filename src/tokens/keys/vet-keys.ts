import { isObject, type JsonObject } from '../json-object.js'
import { keySet } from './key-set.js'
import type { KeySet } from './key-source.js'
import { publicKey, type VerificationKey } from './verification-key.js'

const maxKeys = 100
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const publicMembers = ['kty', 'kid', 'alg', 'n', 'e', 'crv', 'x', 'y']

/** A key of a set that is not used. */
export interface IgnoredKey {
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
 * Makes a key set of what claims to be one, without the keys that must not verify anything: symmetric ones, private
 * ones, weak ones. `undefined` for what is no key set at all.
 */
export function vetKeys(content: unknown): VettedKeys | undefined {
  if (!isObject(content) || !Array.isArray(content['keys'])) return undefined
  const published: readonly unknown[] = content['keys']
  const usable: VerificationKey[] = []
  const parts: JsonObject[] = []
  const ignored: IgnoredKey[] = []
  for (const jwk of published.slice(0, maxKeys)) {
    const key = vetKey(jwk)
    if (typeof key === 'string') ignored.push({ kid: kidOf(jwk), reason: key })
    else {
      usable.push(key)
      parts.push(publicPart(jwk as JsonObject))
    }
  }
  const rest = published.length - maxKeys
  if (rest > 0) ignored.push({ kid: undefined, reason: `${rest} keys stand behind the first ${maxKeys}` })
  return { ...keySet(usable), ignored: Object.freeze(ignored), identity: JSON.stringify(parts), size: usable.length }
}

/** The key, or why it is not used. */
export function vetKey(key: unknown): VerificationKey | string {
  if (!isObject(key)) return 'it is not an object'
  if (key['kty'] === 'oct') return 'it is symmetric'
  if (privateMembers.some((member) => Object.hasOwn(key, member))) return 'it is private'
  if (key['use'] !== undefined && key['use'] !== 'sig') return 'it is not for signatures'
  const operations = key['key_ops']
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'it is not for verifying'
  }
  const { kid, alg } = key
  if (kid !== undefined && typeof kid !== 'string') return 'its kid is not a string'
  if (alg !== undefined && typeof alg !== 'string') return 'its alg is not a string'
  return publicKey(publicPart(key), kid, alg)
}

/** Certificates and addresses of them (`x5c`, `x5u`) stay behind: nothing here reads them. */
function publicPart(key: JsonObject): JsonObject {
  return Object.fromEntries(publicMembers.filter((name) => name in key).map((name) => [name, key[name]]))
}

function kidOf(key: unknown): string | undefined {
  const kid = isObject(key) ? key['kid'] : undefined
  return typeof kid === 'string' ? kid : undefined
}
