import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import express, { type Express } from 'express'
import { auth, requiredScopes } from 'express-oauth2-jwt-bearer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linkIdentity, memoryStore, registerClient, requestContract, type ContractStore } from '../../src/index.js'
import { clientele } from '../../src/adapters/express.js'
import { call, type Call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { json, startKeyServer, status, type KeyServer } from '../support/key-server.js'
import { nowSeconds, rsaKey, signText, type SigningKey } from '../support/signed-jwt.js'
import { rowsOf } from './tables.js'

const guide = { path: 'docs/guides/migration.md', text: readFileSync('docs/guides/migration.md', 'utf8') }
const api = 'orders'
const audience = 'https://orders.example.com'
const actor = 'test'

describe('an app moved over from express-oauth2-jwt-bearer', () => {
  const key = rsaKey('first')
  const own = rsaKey('of the client')
  let issuer: KeyServer
  let silent: KeyServer
  let apps: Running[]

  beforeAll(async () => {
    issuer = await startIssuer(json({ keys: [key.jwk] }))
    silent = await startIssuer(status(500))
    const store = await linkedStore(issuer.url)
    apps = await Promise.all([before(issuer.url), skipping(issuer.url), withContract(issuer.url, store)].map(listen))
  })
  afterAll(async () => {
    await Promise.all([...apps, issuer, silent].map((each) => each.close()))
  })

  /** As the titles of the rows say. */
  const requests: Record<string, (token: MakeToken, url: string) => Call> = {
    'no token': () => ({}),
    'a good token of a linked client with a contract': (token) => bearer(token()),
    'a good token of a client that is not linked': (token) => bearer(token({ azp: 'stranger' })),
    'a good token of a linked client without a contract': (token) => bearer(token({ azp: 'no-contract' })),
    'a signature by another key': (token) => bearer(token({}, {}, rsaKey('first'))),
    '`exp` past': (token) => bearer(token({ exp: nowSeconds() - 60 })),
    '`exp` missing': (token) => bearer(token({ exp: undefined })),
    'another `aud`': (token) => bearer(token({ aud: 'https://reports.example.com' })),
    'another `iss`': (token) => bearer(token({ iss: 'https://elsewhere.example.com' })),
    'a scope that is missing': (token) => bearer(token({ scope: 'orders:list' })),
    'text after `Bearer` that is no token': () => bearer('a b'),
    'another scheme: `Authorization: Basic …`': () => ({ headers: [['Authorization', 'Basic YTpi']] }),
    'the token in the query (`access_token`)': (token) => ({ path: `/orders?access_token=${token()}` }),
    'two `Authorization` fields': (token) => ({
      headers: [...(bearer(token()).headers ?? []), ['Authorization', 'Bearer other']],
    }),
    'an ID token (with a `nonce`) that names this API': (token) => bearer(token({ nonce: 'n' }, { typ: undefined })),
    'another kind of JWT (`typ: logout+jwt`)': (token) => bearer(token({}, { typ: 'logout+jwt' })),
    'two claims that name different clients': (token) => bearer(token({ client_id: 'no-contract' })),
    'a token bound to a key (`cnf.jkt`), sent as `Bearer`': (token) => bearer(token({ cnf: { jkt: 'a' } })),
    'the same with its DPoP proof, without `dpop`': (token, url) => {
      const bound = token({ cnf: { jkt: thumbprint(own) } })
      const headers = [
        ['Authorization', `DPoP ${bound}`],
        ['DPoP', proofOf(own, bound, url)],
      ] as const
      return { headers }
    },
  }

  it.each(rowsOf(guide, ['request', 'before', "`contract: 'skip'`", 'with contracts']))(
    'answers to %s: %s, %s, %s',
    async (title, ...statuses) => {
      if (title === 'keys that cannot be fetched') {
        const store = await linkedStore(silent.url)
        const lost = [before(silent.url), skipping(silent.url), withContract(silent.url, store)]
        const running = await Promise.all(lost.map(listen))
        expect(await statusesOf(running, () => bearer(tokenOf(silent.url, key)))).toEqual(statuses)
        await Promise.all(running.map((each) => each.close()))
        return
      }
      const make = requests[title]
      if (make === undefined) throw new Error(`there is no such request: ${title}`)
      const token: MakeToken = (claims, header, by = key) => tokenOf(issuer.url, by, claims, header)
      expect(await statusesOf(apps, (url) => make(token, url))).toEqual(statuses)
    },
  )

  it('may let a token be optional, and takes no bad one for none', async () => {
    const old = express().use(auth({ issuerBaseURL: issuer.url, audience, authRequired: false }))
    const { validateJwt } = clientele({
      api,
      store: memoryStore(),
      skip: (request) => request.headerValues('authorization').length === 0,
    })
    const moved = express().use(validateJwt({ ...tokensOf(issuer.url), contract: 'skip' }))
    const running = await Promise.all(
      [old, moved].map((app) => listen(app.get('/orders', (_req, res) => res.json([])))),
    )
    expect(await statusesOf(running, () => ({}))).toEqual(['200', '200'])
    expect(await statusesOf(running, () => bearer(tokenOf(issuer.url, key)))).toEqual(['200', '200'])
    expect(await statusesOf(running, () => bearer('bad'))).toEqual(['200', '401'])
    await Promise.all(running.map((each) => each.close()))
  })

  it('may ask for more scopes on a route than on its router', async () => {
    const { validateJwt } = clientele({ api, store: memoryStore() })
    const any = { ...tokensOf(issuer.url), contract: 'skip' } as const
    const app = express().use(validateJwt(any))
    app.get('/orders', validateJwt({ ...any, scopes: ['orders:read'] }), (_req, res) => res.json([]))
    const running = [await listen(app)]
    expect(await statusesOf(running, () => bearer(tokenOf(issuer.url, key)))).toEqual(['200'])
    expect(await statusesOf(running, () => bearer(tokenOf(issuer.url, key, { scope: 'other' })))).toEqual(['403'])
    expect(await statusesOf(running, () => ({}))).toEqual(['401'])
    await running[0]?.close()
  })

  it('is compared in each of its requests', () => {
    const titles = rowsOf(guide, ['request', 'before']).map(([title]) => title)
    expect(Object.keys(requests).filter((title) => !titles.includes(title))).toEqual([])
  })
})

type MakeToken = (claims?: object, header?: object, by?: SigningKey) => string

async function statusesOf(apps: readonly Running[], request: (url: string) => Call): Promise<string[]> {
  const answers = await Promise.all(apps.map(({ url }) => call(url, { path: '/orders', ...request(url) })))
  return answers.map((answer) => String(answer.status))
}

/** RFC 7638. */
function thumbprint({ jwk }: SigningKey): string {
  const { e, kty, n } = jwk
  return createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url')
}

/** RFC 9449 §4.2. */
function proofOf(key: SigningKey, token: string, url: string): string {
  const { e, kty, n } = key.jwk
  const ath = createHash('sha256').update(token).digest('base64url')
  const claims = { htm: 'GET', htu: `${url}/orders`, iat: nowSeconds(), jti: randomUUID(), ath }
  return signText(JSON.stringify({ typ: 'dpop+jwt', alg: 'RS256', jwk: { e, kty, n } }), JSON.stringify(claims), key)
}

function bearer(token: string): Call {
  return { headers: [['Authorization', `Bearer ${token}`]] }
}

function tokenOf(issuer: string, key: SigningKey, claims: object = {}, header: object = {}): string {
  const usual = { iss: issuer, aud: audience, azp: 'web-shop', scope: 'orders:read', exp: nowSeconds() + 60 }
  const head = { alg: 'RS256', kid: 'first', typ: 'at+jwt', ...header }
  return signText(JSON.stringify(head), JSON.stringify({ ...usual, ...claims }), key)
}

async function startIssuer(keys: Parameters<KeyServer['on']>[1]): Promise<KeyServer> {
  const server = await startKeyServer()
  const { url } = server
  const metadata = { issuer: url, jwks_uri: `${url}/keys`, authorization_endpoint: `${url}/authorize` }
  server.on('/.well-known/openid-configuration', json({ ...metadata, token_endpoint: `${url}/token` }))
  server.on('/keys', keys)
  return server
}

function before(issuerBaseURL: string): Express {
  const app = express()
  app.use(auth({ issuerBaseURL, audience }))
  return app.get('/orders', requiredScopes('orders:read'), (req, res) => {
    res.json({ claims: req.auth?.payload })
  })
}

function tokensOf(issuer: string) {
  return { issuer, audience, allowInsecureRequests: true }
}

function skipping(issuer: string): Express {
  const { validateJwt, admissionOf } = clientele({ api, store: memoryStore(), onDecision: () => undefined })
  const token = validateJwt({ ...tokensOf(issuer), scopes: ['orders:read'], contract: 'skip' })
  return express().get('/orders', token, (req, res) => {
    res.json({ claims: admissionOf(req, 'claims').claims })
  })
}

function withContract(issuer: string, store: ContractStore): Express {
  const { validateJwt, admissionOf } = clientele({ api, store, onDecision: () => undefined })
  const token = validateJwt({ ...tokensOf(issuer), scopes: ['orders:read'] })
  return express().get('/orders', token, (req, res) => {
    res.json({ claims: admissionOf(req, 'claims').claims })
  })
}

async function linkedStore(issuer: string): Promise<ContractStore> {
  const store = memoryStore()
  for (const clientId of ['web-shop', 'no-contract']) {
    const { client } = await registerClient(store, { name: clientId, actor })
    await linkIdentity(store, { client: client.id, issuer, clientId, actor })
    if (clientId === 'web-shop') await requestContract(store, { client: client.id, api, actor })
  }
  return store
}
