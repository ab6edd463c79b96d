// Compiled, never run: what a user writes must compile as it stands, and what would be a mistake must not.
import type { Admission, AdmittedClient, ContractReader } from 'clientele'
import { clientele, type ClienteleOptions, type ExpressClientele, type ExpressHandler } from 'clientele/express'
import express from 'express'
import { createServer, type IncomingMessage } from 'node:http'
import type { Exactly } from './exactly.js'

declare const store: ContractReader
const options: ClienteleOptions = { api: 'orders', store }
const made: ExpressClientele = clientele(options)
const { enforceClientId, limitBySla, anyOf, validateJwt, admissionOf } = made
const app = express()
const issuer = 'https://issuer.example'

// The framework's own inference survives handlers before it, one or many, in front of a typed route.
app.get('/orders/:id/lines/:line', enforceClientId(), limitBySla({ cost: 2 }), (req, res) => {
  const parameter: Exactly<typeof req.params.line, string> = true
  // @ts-expect-error the route has no such parameter
  req.params.other.trim()
  const { client, tier, usage } = admissionOf(req, 'client', 'tier', 'usage')
  const narrowed: Exactly<typeof client, AdmittedClient> = true
  res.json({ parameter, narrowed, name: client.name, tier: tier.name, left: usage.remaining })
})
app.post<{ id: string }, { ok: boolean }, { amount: number }>('/orders/:id', enforceClientId(), (req, res) => {
  const body: Exactly<typeof req.body, { amount: number }> = true
  res.json({ ok: body })
})
app.use('/reports', anyOf(validateJwt({ issuer, audience: null }), enforceClientId()))
express.Router().all('/', [enforceClientId(), limitBySla()])

// A handler is one of node:http too, for whatever else calls (req, res, next).
const handler: ExpressHandler = enforceClientId()
createServer((request, response) => {
  const raw: Exactly<Parameters<typeof handler>[0], typeof request> = true
  handler(request, response, () => response.end(String(raw)))
})

// A member that was not named may be missing.
app.get('/', enforceClientId(), (req, res) => {
  admissionOf(req, 'client').client.name.trim()
  // @ts-expect-error client is possibly undefined
  admissionOf(req).client.name.trim()
  // @ts-expect-error naming another member says nothing of this one
  admissionOf(req, 'tier').client.name.trim()
  // @ts-expect-error there is no such member
  admissionOf(req, 'customer')
  // @ts-expect-error an admission holds no secret
  admissionOf(req, 'client').client.secrets.at(0)
  const view: Exactly<typeof req.clientele, Admission | undefined> = true
  // @ts-expect-error the view cannot be forged
  req.clientele = { api: 'orders', authenticated: true }
  res.json({ view })
})
declare const raw: IncomingMessage
// @ts-expect-error a frozen admission
admissionOf(raw).api = 'other'
