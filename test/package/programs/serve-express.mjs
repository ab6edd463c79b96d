import express from 'express'
import { approveContract, defineTier, registerClient, requestContract } from 'clientele'
import { diskStore } from 'clientele/disk'
import { clientele } from 'clientele/express'

const [api, actor, store] = ['orders', 'me', diskStore({ path: './data-of-express' })]
const limits = [{ requests: 1, windowSeconds: 60 }]
await defineTier(store, { api, actor, name: 'gold', approval: 'manual', limits })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
await requestContract(store, { client: client.id, api, tier: 'gold', actor })
await approveContract(store, { client: client.id, api, actor, ownRequest: true })

const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })
const app = express()
app.get('/orders', enforceClientId(), limitBySla(), (req, res) => {
  res.json(admissionOf(req, 'client').client.name)
})
const server = app.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}/orders`
  const headers = { client_id: clientId, client_secret: clientSecret }
  const statuses = []
  for (const each of [{}, { headers }, { headers }]) statuses.push((await fetch(url, each)).status)
  console.log(statuses.join(' '))
  server.close()
  server.closeAllConnections()
  await store.close()
})
