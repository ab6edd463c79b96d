// Run it with: npx tsx examples/behind-a-proxy.ts
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { basicAuth, defineTier, memoryStore, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'

const api = 'greetings'
const actor = 'example'
const store = memoryStore()
const limits = [{ requests: 100, windowSeconds: 60 }]
await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'Acme', actor })
await requestContract(store, { client: client.id, api, tier: 'trial', actor })

// One proxy in front, and nobody reaches the app past it.
const { controlSpikes, enforceClientId, limitBySla, admissionOf } = clientele({ api, store, trustedProxies: 1 })

const app = express()
app.use(
  controlSpikes({ by: 'route', limit: { requests: 50, windowSeconds: 1 } }),
  controlSpikes({ by: 'address', count: 'failures', limit: { requests: 3, windowSeconds: 60 } }),
  enforceClientId({ from: [basicAuth()] }),
  limitBySla(),
)
app.get('/', (req, res) => {
  res.json({ hello: admissionOf(req, 'client').client.name })
})

// What nginx or a load balancer does: hand the request on, and say whom it came from.
let appPort = 0
const proxy = createServer((incoming, outgoing) => {
  const { method, url: path, headers, socket } = incoming
  const from = [headers['x-forwarded-for'], socket.remoteAddress].filter((each) => each !== undefined).join(', ')
  const onward = request({
    host: '127.0.0.1',
    port: appPort,
    method,
    path,
    headers: { ...headers, 'x-forwarded-for': from },
  })
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  onward.on('error', () => outgoing.writeHead(502).end())
  incoming.pipe(onward)
})

const appServer = app.listen(0, '127.0.0.1', () => {
  appPort = (appServer.address() as AddressInfo).port
})
proxy.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`
  console.log('A client:')
  console.log(`curl -i ${url} -u '${clientId}:${clientSecret}'`)
  console.log('Somebody who guesses its secret: three times a 401, then a 429 for a minute, also for the client above,')
  console.log('which calls from the same address. No header helps:')
  console.log(`curl -i ${url} -u '${clientId}:guess' -H 'X-Forwarded-For: 203.0.113.7'`)
})
process.once('SIGINT', () => {
  proxy.close()
  appServer.close()
  proxy.closeAllConnections()
  appServer.closeAllConnections()
})
