const Koa = require('koa')
const { approveContract, defineTier, registerClient, requestContract } = require('clientele')
const { diskStore } = require('clientele/disk')
const { clientele } = require('clientele/koa')

async function main() {
  const [api, actor, store] = ['orders', 'me', diskStore({ path: './data-of-koa' })]
  const limits = [{ requests: 1, windowSeconds: 60 }]
  await defineTier(store, { api, actor, name: 'gold', approval: 'manual', limits })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true })

  const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })
  const app = new Koa()
  app.use(enforceClientId())
  app.use(limitBySla())
  app.use((ctx) => {
    ctx.body = admissionOf(ctx, 'client').client.name
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
}

void main()
