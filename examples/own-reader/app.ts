// Over a table that has been there for years: three functions read it, and nothing moves. It needs a PostgreSQL server,
// at POSTGRES_URL. Run it with: npx tsx examples/own-reader/app.ts
import { randomBytes, scryptSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Pool } from 'pg'
import { clientele } from 'clientele/express'
import { api, shopsReader } from './shops-reader.js'

const connectionString = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
const pool = new Pool({ connectionString, connectionTimeoutMillis: 2000 })
pool.on('error', ({ message }) => {
  console.error(message)
})

const store = shopsReader(pool)
const { enforceClientId, limitBySla, admissionOf } = clientele({ api, store })

const app = express()
app.use(enforceClientId(), limitBySla())
app.get('/', (req, res) => {
  const { client, tier, usage } = admissionOf(req, 'client', 'tier', 'usage')
  res.json({ hello: client.name, tier: tier.name, left: usage.remaining })
})

// The table with a shop in it, so that there is something to call.
await pool.query(`create table if not exists shops (
  id serial primary key, name text not null, login text not null unique, salt bytea not null, hash bytea not null,
  plan text not null, blocked boolean not null default false, changed timestamptz not null default now())`)
const login = `acme-${randomBytes(4).toString('hex')}`
const secret = randomBytes(12).toString('base64url')
const salt = randomBytes(16)
const row = ['Acme', login, salt, scryptSync(secret, salt, 64), 'basic']
await pool.query('insert into shops (name, login, salt, hash, plan) values ($1, $2, $3, $4, $5)', row)

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error
  const { port } = server.address() as AddressInfo
  console.log('Three calls a minute; the fourth is a 429:')
  console.log(`curl -i http://127.0.0.1:${port}/ -H 'client_id: ${login}' -H 'client_secret: ${secret}'`)
})
process.on('SIGINT', () => {
  server.close(() => void pool.end())
})
