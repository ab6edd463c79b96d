import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basicAuth, headers, linkIdentity, query, readAuditLog } from 'clientele'
import { clientele as policies } from 'clientele/express'
import { diskCounter, diskStore, type DiskCounter, type DiskStore } from 'clientele/disk'
import { call } from '../support/call.js'
import { dpopProof, proofKeys } from '../support/dpop-proof.js'
import { listen, type Running } from '../support/frameworks.js'
import { jwtResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { nowSeconds, rsaKey, signText } from '../support/signed-jwt.js'
import { seededStore, type SeededClient, type State } from '../support/seeded-store.js'
import type { Guard } from '../../src/cli/routes.js'
import { captureText } from '../../src/cli/explain/captured-text.js'
import { explainAll } from '../../src/cli/explain/explanation.js'
import { writeAppConfig } from './app-config.js'
import { answerOf, clientele, type Surroundings } from './clientele-process.js'

const directory = mkdtempSync(join(tmpdir(), 'clientele-explain-'))
const caller = { clientId: 'caller', clientSecret: 'a secret of the issuer' }

let provider: OidcServer
let store: DiskStore
let counter: DiskCounter
let clients: Record<State, SeededClient>
let server: Running
let at: Surroundings

beforeAll(async () => {
  provider = await startOidcProvider([caller])
  store = diskStore({ path: join(directory, 'data') })
  counter = diskCounter({ path: join(directory, 'counter') })
  clients = (await seededStore(store, 3)).clients
  await linkIdentity(store, { client: clients.approved.id, issuer: provider.issuer, clientId: 'caller', actor: 'test' })
  at = { environment: { CLIENTELE_CONFIG: writeAppConfig({ directory, issuer: provider.issuer }) } }
  const { enforceClientId, limitBySla } = policies({ api: 'orders', store, counter })
  const app = express()
  app.get('/orders/:id', enforceClientId(), limitBySla(), (_request, response) => response.json({}))
  server = await listen(app)
})

afterAll(async () => {
  await Promise.all([server.close(), provider.close()])
  await Promise.all([store.close(), counter.close()])
  rmSync(directory, { recursive: true, force: true })
})

interface Told {
  readonly answer: { readonly status: number; readonly code: string } | null
  readonly policies: readonly { readonly verdict: string; readonly code?: string; readonly why: string }[]
}

const explain = async (input: string, ...parameters: readonly string[]): Promise<Told> =>
  (await answerOf({ ...at, input }, 'explain', ...parameters)) as Told

const get = (id: string, secret: string, path = '/orders/7'): string =>
  `GET ${path} HTTP/1.1\nclient_id: ${id}\nclient_secret: ${secret}\n\n`

const post = (token: string): string => `POST /orders HTTP/1.1\nAuthorization: Bearer ${token}\n\n`

/** Of every refusal that the routes have: what is sent, and what the operator reads of it. */
const refusals: readonly (readonly [name: string, send: () => Promise<string> | string, code: string, why: RegExp])[] =
  [
    ['no credentials', () => 'GET /orders/7 HTTP/1.1\n\n', 'credentials_missing', /required/],
    [
      'two IDs',
      () => 'GET /orders/7 HTTP/1.1\nclient_id: a\nclient_id: b\n\n',
      'credentials_malformed',
      /cannot be read/,
    ],
    ['two places', () => get('a', 'b', '/orders/7?client_id=c&client_secret=d'), 'credentials_ambiguous', /disagree/],
    ['an unknown ID', () => get('nobody', 'secret'), 'client_invalid', /nobody is registered/],
    [
      'a wrong secret',
      () => get(clients.approved.clientId, clients.none.clientSecret),
      'client_invalid',
      /none of those/,
    ],
    [
      'a mistyped secret',
      () => get(clients.approved.clientId, `${clients.approved.clientSecret}x`),
      'client_invalid',
      /checksum/,
    ],
    [
      'no secret',
      () => `GET /orders/7 HTTP/1.1\nclient_id: ${clients.approved.clientId}\n\n`,
      'client_invalid',
      /without a secret/,
    ],
    [
      'a disabled client',
      () => get(clients.disabled.clientId, clients.disabled.clientSecret),
      'client_invalid',
      /disabled/,
    ],
    ['no contract', () => get(clients.none.clientId, clients.none.clientSecret), 'contract_missing', /no contract/],
    [
      'a pending contract',
      () => get(clients.pending.clientId, clients.pending.clientSecret),
      'contract_pending',
      /awaits/,
    ],
    [
      'a rejected contract',
      () => get(clients.rejected.clientId, clients.rejected.clientSecret),
      'contract_rejected',
      /rejected/,
    ],
    [
      'a revoked contract',
      () => get(clients.revoked.clientId, clients.revoked.clientSecret),
      'contract_revoked',
      /revoked/,
    ],
    ['a token that is none', () => post('a.b.c'), 'token_invalid', /no JWT/],
    [
      'a token without the scope',
      async () => post(await provider.accessToken(caller, jwtResource)),
      'scope_insufficient',
      /orders:write/,
    ],
    ['no token', () => 'PUT /orders/1 HTTP/1.1\n\n', 'token_missing', /required/],
  ]

/** The routes of the config file, without a process for each request. */
function routesHere(): Readonly<Record<string, readonly Guard[]>> {
  const on = policies({ api: 'orders', store, counter })
  const token = { issuer: provider.issuer, audience: jwtResource, allowInsecureRequests: true }
  const routes: Record<string, readonly unknown[]> = {
    GET: [on.enforceClientId({ from: [headers(), basicAuth(), query()] }), on.limitBySla()],
    POST: [on.anyOf(on.validateJwt({ ...token, scopes: ['orders:write'] }), on.enforceClientId()), on.limitBySla()],
    PUT: [on.validateJwt(token), on.requireScopes(['orders:admin']), on.limitBySla()],
  }
  return routes as Record<string, readonly Guard[]>
}

describe('explain', () => {
  it.each(refusals)('says why of %s', { timeout: 60_000 }, async (_name, send, code, why) => {
    const request = await captureText(Buffer.from(await send()), { address: '127.0.0.1', encrypted: false })
    const told = await explainAll(routesHere()[request.method] ?? [], request)
    const refused = told.find((each) => each.code !== undefined)
    expect(refused?.code).toBe(code)
    expect(refused?.why).toMatch(why)
    expect(told.at(-1)?.verdict).toBe('not reached')
  })

  it('uses up no proof', { timeout: 60_000 }, async () => {
    const remembered: unknown[] = []
    const replays = { remember: (key: string) => remembered.push(key) > 0 }
    const on = policies({ api: 'orders', store, counter })
    const dpop = { publicUrl: 'http://localhost', replays }
    const bound = proofKeys()
    const key = rsaKey('k')
    const claims = { iss: provider.issuer, aud: jwtResource, client_id: 'caller', cnf: { jkt: bound.jkt } }
    const access = signText(
      JSON.stringify({ alg: 'RS256', kid: 'k' }),
      JSON.stringify({ ...claims, exp: nowSeconds() + 60 }),
      key,
    )
    const guard = on.validateJwt({
      issuer: provider.issuer,
      allowInsecureRequests: true,
      audience: jwtResource,
      jwks: { keys: [key.jwk] },
      dpop,
    })
    const proof = dpopProof(bound, { url: 'http://localhost/orders/7', token: access })
    const text = `GET /orders/7 HTTP/1.1\nAuthorization: DPoP ${access}\nDPoP: ${proof}\n\n`
    const request = await captureText(Buffer.from(text), { address: '127.0.0.1', encrypted: false })
    const told = await explainAll([guard], request)
    expect(told).toMatchObject([{ verdict: 'admitted' }])
    expect(remembered).toEqual([])
  })

  it('spends nothing, and prints no secret', { timeout: 240_000 }, async () => {
    const { clientId, clientSecret, id } = clients.approved
    const send = (): Promise<{ status: number }> =>
      call(server.url, {
        path: '/orders/7',
        headers: [
          ['client_id', clientId],
          ['client_secret', clientSecret],
        ],
      })
    const { usageOf } = policies({ api: 'orders', store, counter })
    const steps = async (): Promise<number> => {
      const entries = []
      for await (const entry of readAuditLog(store)) entries.push(entry)
      return entries.length
    }
    const before = [(await usageOf({ client: id })).usage.used, await steps()]
    const runs = await Promise.all(
      [get(clientId, clientSecret), get(clientId, 'wrong secret')].map((input) =>
        clientele({ ...at, input }, 'explain'),
      ),
    )
    for (const { stdout, stderr } of runs)
      expect(stdout + stderr).not.toMatch(new RegExp(`${clientSecret}|wrong secret`))
    expect(runs.map(({ code }) => code)).toEqual([0, 0])
    expect(runs[0]?.stdout).toContain('The request would reach its handler.')
    expect(runs[1]?.stdout).toContain('The answer would be 401.')
    expect([(await usageOf({ client: id })).usage.used, await steps()]).toEqual(before)

    expect((await send()).status).toBe(200)
    expect((await send()).status).toBe(200)
    expect((await send()).status).toBe(200)
    const { answer, policies: told } = await explain(get(clientId, clientSecret))
    expect(answer).toEqual({ status: 429, code: 'limit_exceeded' })
    expect(told[1]?.why).toMatch(/no room in gold; again in \d+ s/)
    expect((await send()).status).toBe(429)
    expect((await usageOf({ client: id })).usage.used).toBe(3)
  })

  it.each([
    [
      'a body shorter than it says',
      'POST /orders HTTP/1.1\nContent-Length: 100\n\n{"a":1',
      /shorter than its Content-Length/,
    ],
    ['chunks without an end', 'POST /orders HTTP/1.1\nTransfer-Encoding: chunked\n\n5\n{"a', /HTTP\/1\.1|last chunk/],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\n\n', /CONNECT asks a proxy/],
  ])('refuses a request that would never end: %s', async (_name, text, message) => {
    const captured = captureText(Buffer.from(text), { address: '127.0.0.1', encrypted: false })
    await expect(captured).rejects.toMatchObject({ exit: 'wrongInput', message: expect.stringMatching(message) })
  })

  it('takes header lines alone, and no query on the command line', { timeout: 240_000 }, async () => {
    const file = join(directory, 'headers.txt')
    writeFileSync(file, `client_id: ${clients.approved.clientId}\nclient_secret: ${clients.approved.clientSecret}\n`)
    const told = await explain('', '--path', '/orders/7', '--from', '10.0.0.1', file)
    expect(told.policies[0]).toMatchObject({ verdict: 'admitted' })
    const [inQuery, unreadable, nowhere] = await Promise.all([
      clientele(at, 'explain', '--path', '/orders/7?client_secret=s3cr3t'),
      clientele({ ...at, input: 'no request at all' }, 'explain'),
      clientele({ ...at, input: 'GET /elsewhere HTTP/1.1\n\n' }, 'explain'),
    ])
    expect([inQuery.code, unreadable.code, nowhere.code]).toEqual([2, 2, 3])
  })
})

describe('usage', () => {
  it('is listed by client, and forgotten on demand', { timeout: 240_000 }, async () => {
    const list = async (): Promise<{ name: string; limits: { used: number }[] }[]> =>
      (await answerOf(at, 'usage', 'list', '--used')) as { name: string; limits: { used: number }[] }[]
    const { clientId, clientSecret } = clients.approved
    await answerOf(at, 'usage', 'reset', clientId, '--api', 'orders')
    expect(await list()).toEqual([])
    await call(server.url, {
      path: '/orders/7',
      headers: [
        ['client_id', clientId],
        ['client_secret', clientSecret],
      ],
    })
    expect(await list()).toMatchObject([{ name: 'approved', limits: [{ used: 1 }] }])
    const table = await clientele(at, 'usage', 'list')
    expect(table.stdout).toMatch(/approved +orders +gold +3\/60s +1 +2/)
    const byPath = await answerOf(
      { store: join(directory, 'data') },
      'usage',
      'list',
      '--used',
      '--counter',
      join(directory, 'counter'),
    )
    expect(byPath).toHaveLength(1)
    expect((await clientele({ store: join(directory, 'data') }, 'usage', 'list')).code).toBe(2)
  })
})

describe('doctor', () => {
  it('looks at issuer, counter, clock and files', { timeout: 120_000 }, async () => {
    const found = (await answerOf(at, 'doctor')) as { check: string; ok: boolean }[]
    expect(found.filter(({ ok }) => !ok)).toEqual([])
    const names = found.map(({ check }) => check)
    expect(names).toContain(`${provider.issuer} is sane`)
    expect(names).toContain('the counter answers')
    expect(names).toContain('the policies get metadata and keys')
  })

  it('says what is wrong with an issuer: its clock, its keys, that it is not there', { timeout: 120_000 }, async () => {
    const late = await issuerOf((issuer) => ({ issuer, jwks_uri: `${issuer}/keys` }), {
      keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'k' }],
    })
    const own = join(directory, 'wrong')
    mkdirSync(own)
    const config = writeAppConfig({ directory: own, issuer: late.issuer })
    const run = (): ReturnType<typeof clientele> =>
      clientele({ environment: { CLIENTELE_CONFIG: config } }, '--json', '--create', 'doctor')
    const { code, stdout } = await run()
    expect(code).toBe(7)
    expect(stdout).toMatch(/its clock is -\d+ s from ours/)
    expect(stdout).toMatch(/the key k is not used: it is symmetric/)
    await late.close()
    const gone = await run()
    expect(gone.code).toBe(7)
    expect(gone.stdout).toContain('ERR_CLIENTELE_ISSUER')
  })
})

/** An issuer whose clock stands in the past. */
async function issuerOf(
  metadata: (issuer: string) => object,
  keys: object,
): Promise<{ issuer: string; close(): Promise<void> }> {
  let issuer = ''
  const answering: Server = createServer((request, response) => {
    response.sendDate = false
    response.setHeader('Date', new Date(Date.now() - 600_000).toUTCString())
    const found =
      request.url === '/keys'
        ? keys
        : request.url?.endsWith('openid-configuration') === true
          ? metadata(issuer)
          : undefined
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? {}))
  })
  await new Promise<void>((resolve) => answering.listen(0, '127.0.0.1', resolve))
  const { port } = answering.address() as { port: number }
  issuer = `http://127.0.0.1:${String(port)}`
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        answering.close(() => {
          resolve()
        })
        answering.closeAllConnections()
      }),
  }
}
