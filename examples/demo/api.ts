import express, { type ErrorRequestHandler, type Express } from 'express'
import { basicAuth, headers, payload, query, type ContractReader } from 'clientele'
import { clientele } from 'clientele/express'
import { api } from './applications.js'
import { introspector } from './issuer.js'

/** The orders API, as one would write it: each route names who may call it, and what a call costs. */
export function createApi(store: ContractReader, issuer: string): Express {
  const protection = clientele({ api, store })
  const { enforceClientId, validateJwt, introspectToken, anyOf, limitBySla, admissionOf } = protection

  // The provider of the demo runs beside it, without TLS.
  const provider = { issuer, allowInsecureRequests: true }
  const idAndSecret = enforceClientId({ from: [headers(), query(), basicAuth()] })
  const inBody = enforceClientId({ from: [payload({ maxBytes: 1024 })] })
  const idAlone = enforceClientId({ secret: 'optional' })
  const writeToken = validateJwt({ ...provider, audience: 'orders', scopes: ['orders:write'] })
  const opaqueToken = introspectToken({ ...provider, as: introspector, audience: 'reports', scopes: ['reports:read'] })

  const app = express().disable('x-powered-by')
  const orders = ['tea', 'teapot', 'two cups']

  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' })
  })

  app.get('/orders', idAndSecret, limitBySla(), (req, res) => {
    const { client, tier, usage } = admissionOf(req, 'client', 'tier', 'usage')
    res.json({ hello: client.name, tier: tier.name, left: usage.remaining, orders })
  })

  app.post('/orders', writeToken, limitBySla({ cost: 5 }), express.json({ limit: '1kb' }), (req, res) => {
    const { client, usage } = admissionOf(req, 'client', 'usage')
    const item = itemOf(req.body)
    if (item === undefined) {
      res.status(422).json({ error: 'expected {"item":"…"}' })
      return
    }
    orders.splice(0, orders.length - 99, item)
    res.status(201).json({ ordered: item, by: client.name, left: usage.remaining })
  })

  app.post('/quotes', inBody, limitBySla(), express.json(), express.urlencoded(), (req, res) => {
    const { client } = admissionOf(req, 'client')
    const item = itemOf(req.body)
    if (item === undefined) {
      res.status(422).json({ error: 'expected an item' })
      return
    }
    res.json({ quote: item, by: client.name, received: Object.keys(req.body as object) })
  })

  app.get('/reports', anyOf(opaqueToken, enforceClientId()), limitBySla(), (req, res) => {
    const { client, claims } = admissionOf(req, 'client')
    res.json({ report: { orders: orders.length }, for: client.name, by: claims === undefined ? 'client ID' : 'token' })
  })

  app.get('/catalogue', idAlone, limitBySla(), (req, res) => {
    const { client, authenticated } = admissionOf(req, 'client')
    res.json({ hello: client.name, authenticated, catalogue: ['tea', 'coffee', 'cocoa'] })
  })

  return app.use(shortErrors)
}

function itemOf(body: unknown): string | undefined {
  const item = typeof body === 'object' && body !== null && 'item' in body ? body.item : undefined
  return typeof item === 'string' ? item : undefined
}

/** Instead of a page with a stack. Express knows an error handler by its four parameters. */
const shortErrors: ErrorRequestHandler = (error: { status?: number }, _req, res, next) => {
  if (res.headersSent) next(error)
  else res.status(error.status ?? 500).json({ error: 'the request cannot be served' })
}
