import { createHash } from 'node:crypto'
import express, { type RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { clientele } from '../../src/adapters/express.js'
import { custom, headers, memoryStore, registerClient, requestContract } from '../../src/index.js'
import { call } from '../support/call.js'
import { listen } from '../support/frameworks.js'
import { nowSeconds, rsaKey, signText } from '../support/signed-jwt.js'

const api = 'orders'
const actor = 'import'
const idOf = (key: string) => createHash('sha256').update(`id of ${key}`).digest('hex').slice(0, 32)

describe('an app moved over from keys in a table', () => {
  it('takes the keys that are there, and the credentials of new clients beside them', async () => {
    const store = memoryStore()
    const add = async (credentials: { clientId?: string; clientSecret?: string }) => {
      const registered = await registerClient(store, { name: 'web shop', actor, ...credentials })
      await requestContract(store, { client: registered.client.id, api, actor })
      return registered
    }
    await add({ clientId: idOf('k-81f3a0'), clientSecret: 'k-81f3a0' })
    const fresh = await add({})
    const apiKey = custom(
      (request) => {
        const [key, another] = request.headerValues('x-api-key')
        return key === undefined || another !== undefined ? undefined : { clientId: idOf(key), clientSecret: key }
      },
      { headers: ['x-api-key'] },
    )
    const { enforceClientId } = clientele({ api, store })
    const app = express().get('/', enforceClientId({ from: [apiKey, headers()] }), (req, res) => {
      res.json({ seen: req.headers['x-api-key'] ?? 'nothing' })
    })
    const { url, close } = await listen(app)
    const statusOf = async (...fields: [string, string][]) => (await call(url, { headers: fields })).status

    expect((await call(url, { headers: [['x-api-key', 'k-81f3a0']] })).json).toEqual({ seen: 'nothing' })
    expect(await statusOf(['X-API-Key', 'k-81f3a1'])).toBe(401)
    expect(await statusOf(['X-API-Key', 'k-81f3a0'], ['X-API-Key', 'k-81f3a0'])).toBe(401)
    expect(await statusOf(['client_id', fresh.clientId], ['client_secret', fresh.clientSecret ?? ''])).toBe(200)
    expect(await statusOf()).toBe(401)
    await close()
  })

  it('lets an old check and a policy stand on one route', async () => {
    const { enforceClientId } = clientele({ api, store: memoryStore() })
    const policy = enforceClientId()
    const oldCheck: RequestHandler = (req, res, next) => {
      if (req.headers['x-api-key'] === 'old') next()
      else res.status(403).end()
    }
    const either: RequestHandler = (req, res, next) => (req.headers['x-api-key'] ? oldCheck : policy)(req, res, next)
    const { url, close } = await listen(express().get('/', either, (_req, res) => res.json([])))
    const statuses = [['x-api-key', 'old'] as const, ['x-api-key', 'new'] as const, ['client_id', 'a'] as const].map(
      async (field) => (await call(url, { headers: [field] })).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 403, 401])
    await close()
  })
})

describe('a PEM key', () => {
  it('verifies, as the guide to moving writes it', async () => {
    const key = rsaKey('any')
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const issuer = 'https://login.example.com'
    const { validateJwt } = clientele({ api, store: memoryStore() })
    const token = validateJwt({ issuer, audience: 'orders', pem, contract: 'skip' })
    const { url, close } = await listen(express().get('/', token, (_req, res) => res.json([])))
    const claims = { iss: issuer, aud: 'orders', exp: nowSeconds() + 60 }
    const signed = signText(JSON.stringify({ alg: 'RS256' }), JSON.stringify(claims), key)
    expect((await call(url, { headers: [['Authorization', `Bearer ${signed}`]] })).status).toBe(200)
    await close()
  })
})
