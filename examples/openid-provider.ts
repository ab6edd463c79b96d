// Tokens of an OpenID provider: JWTs that are verified here, and opaque ones that the provider is asked about.
// Run it with: npx tsx examples/openid-provider.ts
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { defineTier, linkIdentity, memoryStore, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'
import { createIssuer, introspector, resources } from './demo/issuer.js'

// A provider to try it with, on a port of its own. Yours has an address with https, and knows its clients itself.
const provider = createServer().listen(0, '127.0.0.1')
await once(provider, 'listening')
const issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
const webShop = { clientId: 'web-shop', clientSecret: randomBytes(24).toString('base64url') }
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...privateKey.export({ format: 'jwk' }), kty: 'RSA' as const, kid: 'only', alg: 'RS256', use: 'sig' }
provider.on('request', await createIssuer(issuer, { keys: [key] }, [webShop]))

const api = 'orders'
const actor = 'example'
const store = memoryStore()
const limits = [{ requests: 100, windowSeconds: 60 }]
await defineTier(store, { api, name: 'gold', approval: 'automatic', limits, actor })
const { client } = await registerClient(store, { name: 'web shop', actor })
await requestContract(store, { client: client.id, api, tier: 'gold', actor })
// Without this link a good token is a 403 client_unnamed: nobody here is known by that ID of that issuer.
await linkIdentity(store, { client: client.id, issuer, clientId: webShop.clientId, actor })

const { validateJwt, introspectToken, limitBySla, admissionOf } = clientele({ api, store })
const of = { issuer, allowInsecureRequests: true } // leave allowInsecureRequests out where there is https

const app = express()
app.get('/orders', validateJwt({ ...of, audience: 'orders', scopes: ['orders:read'] }), limitBySla(), (req, res) => {
  const { client, scopes, usage } = admissionOf(req, 'client', 'scopes', 'usage')
  res.json({ orders: [], for: client.name, scopes, left: usage.remaining })
})
app.get('/reports', introspectToken({ ...of, as: introspector, audience: 'reports' }), limitBySla(), (req, res) => {
  const { client, claims, usage } = admissionOf(req, 'client', 'claims', 'usage')
  res.json({ reports: [], for: client.name, until: claims['exp'], left: usage.remaining })
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error
  const { port } = server.address() as AddressInfo
  const call = (path: string) => `curl -i http://127.0.0.1:${port}${path} -H "Authorization: Bearer $TOKEN"`
  console.log('A JWT for the orders:')
  console.log(`${getToken(resources.orders, 'orders:read')}; ${call('/orders')}`)
  console.log('An opaque token for the reports:')
  console.log(`${getToken(resources.reports, 'reports:read')}; ${call('/reports')}`)
})
process.on('SIGINT', () => {
  server.close()
  provider.close()
})

/** Asks the provider for a token, as a client does, and keeps it in a shell variable. */
function getToken(resource: string, scope: string): string {
  const form = `-d grant_type=client_credentials -d resource=${resource} -d scope=${scope}`
  const pick = `sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'`
  return `TOKEN=$(curl -s -u '${webShop.clientId}:${webShop.clientSecret}' ${form} ${issuer}/token | ${pick})`
}
