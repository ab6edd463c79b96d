// Every way to the package that one process can have, and whether they all lead to the same one.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { ClienteleFault, defineTier, memoryStore, registerClient, requestContract } from 'clientele'
import * as express from 'clientele/express'
import * as koa from 'clientele/koa'

const require = createRequire(import.meta.url)
const [api, actor, store] = ['orders', 'me', memoryStore()]
const limits = [{ requests: 2, windowSeconds: 60 }]
await defineTier(store, { api, actor, name: 'gold', approval: 'automatic', limits })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'web shop', actor })
await requestContract(store, { client: client.id, api, tier: 'gold', actor })

const ways = { express, koa, required: require('clientele/express'), requiredKoa: require('clientele/koa') }
const made = Object.fromEntries(Object.entries(ways).map(([way, entry]) => [way, entry.clientele({ api, store })]))
const contextOf = (way, request) => (way.endsWith('oa') ? { req: request } : request)

const server = createServer((request, response) => {
  made.express.enforceClientId()(request, response, () => {
    made.required.limitBySla()(request, response, () => {
      const seen = Object.entries(made).map(([way, { admissionOf }]) => {
        const { client, usage } = admissionOf(contextOf(way, request), 'client', 'usage')
        return [way, `${client.name}, ${usage.remaining} left`]
      })
      response.end(JSON.stringify(Object.fromEntries(seen)))
    })
  })
})
server.listen(0, '127.0.0.1', async () => {
  const headers = { client_id: clientId, client_secret: clientSecret }
  const admissions = await (await fetch(`http://127.0.0.1:${server.address().port}/`, { headers })).json()
  const faults = Object.entries(ways).filter(([, { clientele }]) => {
    try {
      clientele({ api, store, unknown: true })
    } catch (error) {
      return error instanceof ClienteleFault && error instanceof require('clientele').ClienteleFault
    }
    return false
  })
  console.log(JSON.stringify({ admissions, sameFaults: faults.map(([way]) => way) }))
  server.close()
  server.closeAllConnections()
})
