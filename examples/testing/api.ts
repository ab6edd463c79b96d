import express, { type Express } from 'express'
import type { ClienteleOptions, ValidateJwtOptions } from 'clientele'
import { clientele } from 'clientele/express'

/** What a test replaces: where contracts live, and who counts. Production gives a `diskStore`, say, and no counter. */
export type Surroundings = Pick<ClienteleOptions, 'store' | 'counter'>

/** The keys of the issuer. Production gives none, and they are discovered. */
export type Keys = Pick<ValidateJwtOptions, 'jwks'>

export function createApi(surroundings: Surroundings, keys: Keys = {}): Express {
  const { enforceClientId, validateJwt, limitBySla, admissionOf } = clientele({ api: 'orders', ...surroundings })
  const issuer = 'https://login.example.com'
  const writeToken = validateJwt({ issuer, audience: 'orders', scopes: ['orders:write'], ...keys })

  const app = express()
  app.get('/health', (_req, res) => {
    res.json({ status: 'ok' })
  })
  app.get('/orders', enforceClientId(), limitBySla(), (req, res) => {
    res.json({ for: admissionOf(req, 'client').client.name, orders: [] })
  })
  app.post('/orders', writeToken, limitBySla(), (req, res) => {
    res.status(201).json({ for: admissionOf(req, 'client').client.name })
  })
  return app
}
