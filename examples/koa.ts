// Run it with: npx tsx examples/koa.ts
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { basicAuth, defineTier, headers, memoryStore, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/koa'

const api = 'greetings'
const actor = 'example'
const store = memoryStore()
const limits = [{ requests: 3, windowSeconds: 60 }]
await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'Acme', actor })
await requestContract(store, { client: client.id, api, tier: 'trial', actor })

const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })

const app = new Koa()
app.use(enforceClientId({ from: [headers(), basicAuth()] })).use(limitBySla())
app.use((ctx) => {
  const { client, tier, usage } = admissionOf(ctx, 'client', 'tier', 'usage')
  ctx.body = { hello: client.name, tier: tier.name, left: usage.remaining }
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log('Three calls a minute; the fourth is a 429:')
  console.log(`curl -i http://127.0.0.1:${port}/ -u '${clientId}:${clientSecret}'`)
})
process.on('SIGINT', () => server.close())
