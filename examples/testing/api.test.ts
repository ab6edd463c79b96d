// Tests of one's own app: the policies are the real ones. Run it with: npx tsx --test examples/testing/api.test.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import request from 'supertest'
import { defineTier, linkIdentity, memoryCounter, memoryStore, registerClient } from 'clientele'
import { requestContract, revokeContract, type ContractStore } from 'clientele'
import { createApi } from './api.js'

const api = 'orders'
const actor = 'test'
const issuer = 'https://login.example.com'

async function webShop(store: ContractStore, requests = 100) {
  const limits = [{ requests, windowSeconds: 60 }]
  await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
  await requestContract(store, { client: client.id, api, tier: 'trial', actor })
  return { client: client.id, headers: { client_id: clientId, client_secret: clientSecret } }
}

test('no route but /health is open', async () => {
  const app = createApi({ store: memoryStore() })
  await request(app).get('/health').expect(200)
  await request(app).get('/orders').expect(401)
  await request(app).post('/orders').expect(401)
})

test('the tier counts, and its window ends', async () => {
  const store = memoryStore()
  let nowMs = 0
  const app = createApi({ store, counter: memoryCounter({ clock: () => nowMs }) })
  const { headers } = await webShop(store, 2)
  const call = () => request(app).get('/orders').set(headers)
  for (const status of [200, 200, 429]) await call().expect(status)
  nowMs += 60_000
  await call().expect(200, { for: 'web shop', orders: [] })
})

test('a revoked contract is a 403', async () => {
  const store = memoryStore()
  const app = createApi({ store })
  const { client, headers } = await webShop(store)
  await revokeContract(store, { client, api, actor })
  await request(app)
    .get('/orders')
    .set(headers)
    .expect(403, /contract_revoked/)
})

test('orders are written with a token of the issuer, for this API, with the scope', async () => {
  const store = memoryStore()
  const { client } = await webShop(store)
  await linkIdentity(store, { client, issuer, clientId: 'web-shop', actor })
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const header = { alg: 'ES256', kid: 'test' }
  const jwk = { ...(await exportJWK(publicKey)), ...header }
  const app = createApi({ store }, { jwks: { keys: [jwk] } })

  const post = async (claims: JWTPayload) => {
    const usual = { iss: issuer, aud: 'orders', client_id: 'web-shop', scope: 'orders:write' }
    const jwt = new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).setExpirationTime('5 min')
    const { status } = await request(app)
      .post('/orders')
      .auth(await jwt.sign(privateKey), { type: 'bearer' })
    return status
  }
  assert.equal(await post({}), 201)
  assert.equal(await post({ aud: 'reports' }), 401)
  assert.equal(await post({ scope: 'orders:read' }), 403)
})
