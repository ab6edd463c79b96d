import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { ContractStore } from 'clientele'
import { localServer } from '../raw-requests.js'
import { api, issuer, makeStore } from '../requests/fixtures.js'

export const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

export interface TokenFixtures {
  readonly store: ContractStore
  readonly clientId: string
  readonly clientSecret: string
  readonly keys: Readonly<Record<Algorithm, KeyObject>>
  readonly jwks: { readonly keys: readonly object[] }
  readonly jwksUri: string
  readonly introspectionUri: string
  token(algorithm: Algorithm, claims?: object): Promise<string>
  close(): void
}

/** One issuer with a key for each algorithm. */
export async function makeTokenFixtures(): Promise<TokenFixtures> {
  const { store, clientId, clientSecret } = await makeStore()
  const pairs = { RS256: rsa(), PS256: rsa(), ES256: ec(), EdDSA: generateKeyPairSync('ed25519') }
  const published = algorithms.map((alg) => {
    const jwk = pairs[alg].publicKey.export({ format: 'jwk' })
    return { ...jwk, kid: alg, alg, use: 'sig' }
  })
  const jwks = { keys: published }
  const server = await localServer()
  const exp = Math.floor(Date.now() / 1000) + 7200
  const answers: Record<string, unknown> = {
    '/jwks': jwks,
    '/introspect': { active: true, client_id: clientId, iss: issuer, aud: api, exp },
  }
  server.onRequest((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answers[request.url ?? '']))
  })
  const address = `http://127.0.0.1:${server.port}`
  return {
    store,
    clientId,
    clientSecret,
    keys: {
      RS256: pairs.RS256.publicKey,
      PS256: pairs.PS256.publicKey,
      ES256: pairs.ES256.publicKey,
      EdDSA: pairs.EdDSA.publicKey,
    },
    jwks,
    jwksUri: `${address}/jwks`,
    introspectionUri: `${address}/introspect`,
    token: (algorithm, claims) => accessToken(algorithm, pairs[algorithm].privateKey, clientId, claims),
    close: server.close,
  }
}

function rsa() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

function ec() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

function accessToken(alg: Algorithm, key: KeyObject, clientId: string, claims: object = {}): Promise<string> {
  return new SignJWT({ client_id: clientId, scope: 'orders:read orders:write', ...claims })
    .setProtectedHeader({ alg, kid: alg, typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(api)
    .setSubject(clientId)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(key)
}

/** Somebody who holds a key, and makes proofs for one address. */
export function proofMaker(url: string): { readonly jkt: string; proof(this: void, token: string): string } {
  const { privateKey, publicKey } = ec()
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' })
  const header = encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk: { crv, kty, x, y } })
  return {
    jkt: digest(JSON.stringify({ crv, kty, x, y })),
    proof(token) {
      const iat = Math.floor(Date.now() / 1000)
      const input = `${header}.${encoded({ jti: randomUUID(), htm: 'GET', htu: url, iat, ath: digest(token) })}`
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      return `${input}.${signature.toString('base64url')}`
    },
  }
}

function encoded(members: object): string {
  return Buffer.from(JSON.stringify(members)).toString('base64url')
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
