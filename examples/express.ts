// Run it with: npx tsx examples/express.ts
import type { AddressInfo } from 'node:net'
import express from 'express'
import { basicAuth, defineTier, headers, memoryStore, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'

const api = 'greetings'
const actor = 'example'
const store = memoryStore()
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
  if (error) throw error
  const { port } = server.address() as AddressInfo
  console.log('Three calls a minute; the fourth is a 429:')
  console.log(`curl -i http://127.0.0.1:${port}/ -u '${clientId}:${clientSecret}'`)
})
process.on('SIGINT', () => server.close())
