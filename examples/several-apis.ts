// Two APIs in one app, each with contracts and tiers of its own. Run it with: npx tsx examples/several-apis.ts
import type { AddressInfo } from 'node:net'
import express from 'express'
import { defineTier, memoryStore, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'

const store = memoryStore()
const actor = 'example'
const orders = clientele({ api: 'orders', store })
const reports = clientele({ api: 'reports', store })

const app = express()
app.get('/orders', orders.enforceClientId(), orders.limitBySla(), (req, res) => {
  const { client, usage } = orders.admissionOf(req, 'client', 'usage')
  res.json({ orders: [], for: client.name, left: usage.remaining })
})
app.get('/reports', reports.enforceClientId(), reports.limitBySla(), (req, res) => {
  const { client, usage } = reports.admissionOf(req, 'client', 'usage')
  res.json({ reports: [], for: client.name, left: usage.remaining })
})

for (const [api, requests] of [
  ['orders', 100],
  ['reports', 2],
] as const) {
  const limits = [{ requests, windowSeconds: 60 }]
  await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
}

/** Registers a client with contracts for these APIs; what curl sends for it. */
async function register(name: string, ...apis: readonly string[]): Promise<string> {
  const { client, clientId, clientSecret } = await registerClient(store, { name, actor })
  for (const api of apis) await requestContract(store, { client: client.id, api, tier: 'trial', actor })
  return `-H 'client_id: ${clientId}' -H 'client_secret: ${clientSecret}'`
}
const both = await register('Both', 'orders', 'reports')
const onlyOrders = await register('Orders alone', 'orders')

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  console.log('A client with contracts for both APIs; two reports a minute, and that takes nothing from its orders:')
  console.log(`curl -i ${url}/orders ${both}`)
  console.log(`curl -i ${url}/reports ${both}`)
  console.log('A client with a contract for orders; its request for reports is a 403 contract_missing:')
  console.log(`curl -i ${url}/orders ${onlyOrders}`)
  console.log(`curl -i ${url}/reports ${onlyOrders}`)
})
process.on('SIGINT', () => server.close())
