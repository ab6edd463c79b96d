import type { AddressInfo } from 'node:net'
import express from 'express'
import { defineTier, memoryStore, registerClient, requestContract, type Client } from 'clientele'
import { clientele, type ExpressHandler } from 'clientele/express'

const [api, actor, store] = ['orders', 'me', memoryStore()]
const limits = [{ requests: 1, windowSeconds: 60 }]
await defineTier(store, { api, actor, name: 'gold', approval: 'automatic', limits })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
await requestContract(store, { client: client.id, api, tier: 'gold', actor })
const known: Client = client
const guard: ExpressHandler = clientele({ api, store }).enforceClientId()
const app = express()
app.get('/orders/:id', guard, (req, res) => {
  res.json({ id: req.params.id, name: known.name })
})
const server = app.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/orders/1`
  void fetch(url, { headers: { client_id: clientId, client_secret: clientSecret } }).then(({ status }) => {
    console.log(status)
    server.close()
    server.closeAllConnections()
  })
})
