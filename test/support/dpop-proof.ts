import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { base64url, nowSeconds } from './signed-jwt.js'

/** A caller's key pair, and its thumbprint as tokens have it. */
export interface ProofKeys {
  readonly privateKey: KeyObject
  readonly jwk: Record<string, unknown>
  readonly jkt: string
}

export function proofKeys(): ProofKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
  const jkt = sha256(JSON.stringify({ crv, kty, x, y }))
  return { privateKey, jwk: { crv, kty, x, y }, jkt }
}

export interface ProofOf {
  readonly url: string
  readonly method?: string
  readonly token: string
  /** A member that is undefined is left out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

/** A good proof (RFC 9449 §4.2), but for what is changed. */
export function dpopProof(keys: ProofKeys, { url, method = 'GET', token, claims = {}, header = {} }: ProofOf): string {
  const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: keys.jwk, ...header }
  const body = { jti: randomUUID(), htm: method, htu: url, iat: nowSeconds(), ath: sha256(token), ...claims }
  const input = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(body))}`
  const signature = sign('sha256', Buffer.from(input), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${base64url(signature)}`
}

export function withProof(token: string, ...proofs: readonly string[]): (readonly [string, string])[] {
  return [['Authorization', `DPoP ${token}`], ...proofs.map((proof) => ['DPoP', proof] as const)]
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
