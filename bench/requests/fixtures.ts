import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import {
  approveContract,
  defineTier,
  linkIdentity,
  memoryStore,
  registerClient,
  requestContract,
  type ContractStore,
} from 'clientele'
import { exportJWK, SignJWT } from 'jose'
import { localServer } from '../raw-requests.js'

export const api = 'orders'
export const issuer = 'https://issuer.example'

/** So many that none of them is ever reached: it is the way past them that is measured. */
const plenty = 1_000_000_000

export interface Fixtures {
  readonly store: ContractStore
  readonly clientId: string
  readonly clientSecret: string
  readonly publicKey: KeyObject
  readonly jwksUri: string
  readonly introspectionUri: string
  tokens(count: number): Promise<string[]>
  close(): void
}

export async function makeFixtures(): Promise<Fixtures> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { store, clientId, clientSecret } = await makeStore()
  const server = await localServer()
  const documents: Record<string, unknown> = {
    '/jwks': { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] },
    '/introspect': { active: true, client_id: clientId, iss: issuer, aud: api, exp: nowSeconds() + 7200 },
  }
  server.onRequest((request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(documents[request.url ?? '']))
  })
  return {
    store,
    clientId,
    clientSecret,
    publicKey,
    jwksUri: `http://127.0.0.1:${server.port}/jwks`,
    introspectionUri: `http://127.0.0.1:${server.port}/introspect`,
    tokens: (count) => Promise.all(Array.from({ length: count }, () => signToken(privateKey, clientId))),
    close: server.close,
  }
}

export async function makeStore(): Promise<{ store: ContractStore; clientId: string; clientSecret: string }> {
  const store = memoryStore()
  const actor = 'bench'
  const limits = [60, 3600, 86_400].map((windowSeconds) => ({
    requests: plenty,
    windowSeconds,
    algorithm: 'fixed' as const,
  }))
  await defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'bench', actor })
  await linkIdentity(store, { client: client.id, issuer, clientId, actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true })
  return { store, clientId, clientSecret }
}

function signToken(key: KeyObject, clientId: string): Promise<string> {
  return new SignJWT({ client_id: clientId, scope: 'orders:read orders:write' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(api)
    .setSubject(clientId)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(key)
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
