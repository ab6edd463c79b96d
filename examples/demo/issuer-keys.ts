import { createPrivateKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { join } from 'node:path'
import type { JWKS } from 'oidc-provider'
import { readJson, writePrivateJson } from './private-file.js'

/** The keys that sign tokens. Kept in the data folder, so that a JWT outlives a restart of its issuer. */
export async function issuerKeys(dataFolder: string): Promise<JWKS> {
  const path = join(dataFolder, 'issuer-keys.json')
  const kept = await readJson(path)
  if (isKeySet(kept)) return kept
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: `demo-${Date.now()}`, alg: 'RS256', use: 'sig' }
  const keys = { keys: [key] } as JWKS
  await writePrivateJson(path, keys)
  return keys
}

function isKeySet(value: unknown): value is JWKS {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) return false
  return value.keys.length > 0 && value.keys.every(isPrivateKey)
}

function isPrivateKey(key: unknown): boolean {
  try {
    return createPrivateKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyType === 'rsa'
  } catch {
    return false
  }
}
