// Contracts in a SQL table of one's own. It needs a PostgreSQL server, at POSTGRES_URL.
// Run it with: npx tsx examples/own-store/app.ts
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Pool } from 'pg'
import { defineTier, registerClient, requestContract } from 'clientele'
import { clientele } from 'clientele/express'
import { postgresStore } from './postgres-store.js'

const connectionString = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const pool = new Pool({ connectionString, connectionTimeoutMillis: 2000 })
await pool.query(await readFile(new URL('schema.sql', import.meta.url), 'utf8'))
const store = postgresStore(pool)

const api = 'greetings'
const actor = 'example'
const limits = [{ requests: 3, windowSeconds: 60 }]
await defineTier(store, { api, name: 'trial', approval: 'automatic', limits, actor })
const { client, clientId, clientSecret } = await registerClient(store, { name: 'Acme', actor })
await requestContract(store, { client: client.id, api, tier: 'trial', actor })

const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })

const app = express()
app.use(enforceClientId(), limitBySla())
app.get('/', (req, res) => {
  const { client, tier, usage } = admissionOf(req, 'client', 'tier', 'usage')
  res.json({ hello: client.name, tier: tier.name, left: usage.remaining })
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error
  const { port } = server.address() as AddressInfo
  console.log('Three calls a minute; the fourth is a 429. Each start registers one client more:')
  console.log(`curl -i http://127.0.0.1:${port}/ -H 'client_id: ${clientId}' -H 'client_secret: ${clientSecret}'`)
})
process.on('SIGINT', () => {
  server.close(() => void store.close?.())
})
