import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

export interface SigningKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly kid: string
  /** As a key set has it. */
  readonly jwk: Record<string, unknown>
}

export function rsaKey(kid: string, modulusLength = 2048): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return { privateKey, publicKey, kid, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } }
}

export function base64url(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url')
}

/** Signs whatever text it is given, valid or not: what an attacker, or a careless issuer, would send. */
export function signText(header: string, payload: string, key: SigningKey): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${base64url(sign('sha256', Buffer.from(input), key.privateKey))}`
}

/** HS256 with any bytes as the secret. */
export function signWithSecret(header: object, payload: object, secret: string | Uint8Array): string {
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
