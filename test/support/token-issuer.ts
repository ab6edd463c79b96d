import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { validateJwt, type ValidateJwtOptions } from '../../src/policies/validate-jwt.js'
import type { IdentifyingPolicy } from '../../src/decisions/policy.js'
import type { IssuerEvent } from '../../src/tokens/issuer-event.js'
import { tokenEngines, type TokenEngines } from '../../src/tokens/engines.js'
import { json, startKeyServer, type KeyServer } from './key-server.js'
import { contextOf, ownReader } from './own-reader.js'
import { base64url, nowSeconds, rsaKey, type SigningKey } from './signed-jwt.js'

/** An issuer whose keys and answers a test changes as it goes. */
export interface TokenIssuer {
  readonly server: KeyServer
  readonly url: string
  /** What it publishes at `/jwks`. */
  published: object[]
  token(key: SigningKey, claims?: object, header?: object): string
  /** How often its keys were asked for. */
  fetched(): number
  close(): Promise<void>
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const server = await startKeyServer()
  const issuer: TokenIssuer = {
    server,
    url: server.url,
    published: [],
    token: (key, claims = {}, header = {}) => signedToken(server.url, key, claims, header),
    fetched: () => server.count('/jwks'),
    close: () => server.close(),
  }
  server.on('/jwks', (request, response) => json({ keys: issuer.published })(request, response))
  return issuer
}

function signedToken(iss: string, key: SigningKey, claims: object, header: object): string {
  const head = { alg: key.jwk['alg'], typ: 'at+jwt', kid: key.kid, ...header }
  const body = {
    iss,
    aud: 'orders',
    client_id: 'orders-client',
    exp: nowSeconds() + 3000,
    jti: randomUUID(),
    ...claims,
  }
  const input = `${base64url(JSON.stringify(head))}.${base64url(JSON.stringify(body))}`
  return `${input}.${base64url(signed(input, String(head.alg), key.privateKey))}`
}

function signed(input: string, algorithm: string, key: KeyObject): Buffer {
  if (algorithm === 'EdDSA') return sign(null, Buffer.from(input), key)
  const hash = `sha${algorithm.slice(2)}`
  return sign(hash, Buffer.from(input), algorithm.startsWith('ES') ? { key, dsaEncoding: 'ieee-p1363' } : key)
}

/** Any key but RSA. */
export function keyOf(kid: string, alg: 'ES256' | 'ES384' | 'EdDSA'): SigningKey {
  const { privateKey, publicKey } =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: alg === 'ES256' ? 'P-256' : 'P-384' })
  return { privateKey, publicKey, kid, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } }
}

export { rsaKey }

export interface Guard {
  readonly policy: IdentifyingPolicy
  readonly tokens: TokenEngines
  readonly events: readonly IssuerEvent[]
}

/** `validateJwt` for an issuer, whose one client is registered, with all that is told about the issuer. */
export function guardFor(issuer: TokenIssuer, options: Partial<ValidateJwtOptions> = {}): Guard {
  const reader = ownReader()
  reader.register(issuer.url, 'orders-client')
  const events: IssuerEvent[] = []
  const tokens = tokenEngines((event) => events.push(event))
  const hasKeys = ['jwks', 'jwksUri', 'pem', 'secret'].some((name) => name in options)
  const policy = validateJwt(
    { ...contextOf(reader), tokens },
    {
      issuer: issuer.url,
      audience: 'orders',
      ...(!hasKeys && { jwksUri: `${issuer.url}/jwks` }),
      allowInsecureRequests: true,
      timeoutMs: 300,
      ...options,
    },
  )
  return { policy, tokens, events }
}
