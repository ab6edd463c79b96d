import type { AddressInfo } from 'node:net'
import Koa = require('koa')
import main = require('clientele')
import koa = require('clientele/koa')

async function serve(): Promise<void> {
  const [api, actor, store] = ['orders', 'me', main.memoryStore()]
  const limits = [{ requests: 1, windowSeconds: 60 }]
  await main.defineTier(store, { api, actor, name: 'gold', approval: 'automatic', limits })
  const { client, clientId, clientSecret } = await main.registerClient(store, { name: 'web shop', actor })
  await main.requestContract(store, { client: client.id, api, tier: 'gold', actor })
  const known: main.Client = client
  const guard: koa.KoaHandler = koa.clientele({ api, store }).enforceClientId()
  const app = new Koa()
  app.use(guard)
  app.use((ctx) => {
    ctx.body = known.name
  })
  const server = app.listen(0, '127.0.0.1', () => {
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`
    void fetch(url, { headers: { client_id: clientId, client_secret: clientSecret } }).then(({ status }) => {
      console.log(status)
      server.close()
      server.closeAllConnections()
    })
  })
}

void serve()
