// Needs a Redis, at REDIS_URL or on this machine. Run it with: npx tsx examples/keyv-redis.ts
import KeyvRedis from '@keyv/redis'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { basicAuth, defineTier, headers, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'
import { keyvStore } from 'clientele/keyv'
import { Keyv } from 'keyv'

const api = 'greetings'
const actor = 'example'
const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
// Without its queue the client says at once that Redis is gone, and callers get their 503 at once.
const keyv = new Keyv({ store: new KeyvRedis({ url, disableOfflineQueue: true }), namespace: 'clientele-example' })
keyv.on('error', (error: Error) => {
  console.error(error.message)
})

const store = keyvStore(keyv, { soleWriter: true })
const limits = [{ requests: 3, windowSeconds: 60 }]
await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'Acme', actor })
await requestContract(store, { client: client.id, api, tier: 'trial', actor })

const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })

const app = express()
app.use(enforceClientId({ from: [headers(), basicAuth()] }), limitBySla())
app.get('/', (req, res) => {
  const { client, tier, usage } = admissionOf(req, 'client', 'tier', 'usage')
  res.json({ hello: client.name, tier: tier.name, left: usage.remaining })
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error !== undefined) throw error
  const { port } = server.address() as AddressInfo
  console.log('Three calls a minute; the fourth is a 429; without Redis, a 503:')
  console.log(`curl -i http://127.0.0.1:${port}/ -u '${clientId}:${clientSecret}'`)
})
process.on('SIGINT', () => server.close(() => void store.close()))
