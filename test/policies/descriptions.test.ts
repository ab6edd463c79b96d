import { generateKeyPairSync } from 'node:crypto'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basicAuth, headers, memoryCounter, payload } from 'clientele'
import { clientele, type ExpressHandler } from 'clientele/express'
import { snippetOf, fieldsOfAnswer, type RouteSnippet } from '../../src/cli/snippets/route-snippet.js'
import type { Guard } from '../../src/cli/routes.js'
import { call, type Answer, type Call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { switchedCounter } from '../support/switched-counter.js'
import { seededStore, type SeededClient, type State } from '../support/seeded-store.js'

const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
const broken = switchedCounter(memoryCounter())
broken.failure = 'rejects'

let server: Running
let clients: Record<State, SeededClient>
let snippets: ReadonlyMap<string, RouteSnippet>

beforeAll(async () => {
  const seeded = await seededStore(undefined, 1)
  clients = seeded.clients
  const { store } = seeded
  const on = clientele({ api: 'orders', store })
  const down = clientele({ api: 'orders', store, counter: broken })
  const token = { issuer: 'https://login.example.com', audience: 'orders', jwks: { keys: [{ ...jwk, alg: 'ES256' }] } }
  const routes: Readonly<Record<string, readonly ExpressHandler[]>> = {
    '/limited': [
      on.enforceClientId({ from: [headers(), basicAuth()] }),
      on.limitBySla({ fields: ['ratelimit', 'x-ratelimit'] }),
    ],
    '/quiet': [on.enforceClientId(), on.limitBySla({ fields: [] })],
    '/down': [on.enforceClientId(), down.limitBySla()],
    '/payload': [on.enforceClientId({ from: [payload({ maxBytes: 100 })] })],
    '/token': [on.validateJwt({ ...token, scopes: ['read'] })],
    '/either': [on.anyOf(on.validateJwt(token), on.enforceClientId())],
  }
  const app = express()
  snippets = new Map(
    Object.entries(routes).map(([path, handlers]) => {
      app.all(path, ...handlers, (_request, response) => response.json({}))
      const guards = handlers as unknown as readonly Guard[]
      return [path, snippetOf({ method: 'ALL', path, guards }, undefined)!]
    }),
  )
  server = await listen(app)
})

afterAll(() => server.close())

const as = (state: State): Call['headers'] => [
  ['client_id', clients[state].clientId],
  ['client_secret', clients[state].clientSecret],
]
const json = (body: object): Partial<Call> => ({
  method: 'POST',
  headers: [['Content-Type', 'application/json']],
  body: JSON.stringify(body),
})
const bearer = (token: string): Call['headers'] => [['Authorization', `Bearer ${token}`]]

const conversations: readonly (readonly [path: string, send: () => Partial<Call>, code: string | undefined])[] = [
  ['/limited', () => ({}), 'credentials_missing'],
  ['/limited', () => ({ headers: [...(as('approved') ?? []), ['client_id', 'x']] }), 'credentials_malformed'],
  ['/limited', () => ({ headers: as('none') }), 'contract_missing'],
  ['/limited', () => ({ headers: as('approved') }), undefined],
  ['/limited', () => ({ headers: as('approved') }), 'limit_exceeded'],
  ['/quiet', () => ({ headers: as('approved') }), 'limit_exceeded'],
  ['/down', () => ({ headers: as('approved') }), 'ERR_CLIENTELE_COUNTER'],
  ['/payload', () => json({ client_id: 'a', client_secret: 'b' }), 'client_invalid'],
  ['/payload', () => json({ long: 'x'.repeat(200) }), 'body_too_large'],
  ['/token', () => ({}), 'token_missing'],
  ['/token', () => ({ headers: bearer('a.b.c') }), 'token_invalid'],
  ['/either', () => ({}), 'credentials_missing'],
  ['/either', () => ({ headers: [...(as('approved') ?? []), ...(bearer('a.b.c') ?? [])] }), 'credentials_ambiguous'],
]

/** All that a description of the API would name, out of the headers of an answer. */
const named = /^(?:www-authenticate|retry-after|.*ratelimit.*|dpop-nonce)$/

function describedFields({ status }: Answer, snippet: RouteSnippet): readonly string[] {
  const fields = status === 200 ? snippet.fields : fieldsOfAnswer(status, snippet)
  return fields.map((field) => field.toLowerCase()).sort()
}

describe('what policies say of themselves', () => {
  it.each(conversations)('is what a server answers: %s', async (path, send, code) => {
    const answer = await call(server.url, { path, ...send() })
    const snippet = snippets.get(path)!
    expect((answer.json as { code?: string }).code).toBe(code)
    if (code !== undefined) {
      expect(snippet.answers.get(answer.status)?.map((each) => each.code)).toContain(code)
    }
    expect(
      Object.keys(answer.headers)
        .filter((name) => named.test(name))
        .sort(),
    ).toEqual(describedFields(answer, snippet))
  })

  it('names no way in where nobody is identified, and each of several', () => {
    const parts = (path: string): readonly string[] =>
      snippets.get(path)!.ways.map((way) => way.parts.map(({ kind }) => kind).join('+'))
    expect(parts('/limited')).toEqual(['header+header', 'basic'])
    expect(parts('/either')).toEqual(['bearer', 'header+header'])
    expect(parts('/payload')).toEqual(['body+body'])
    expect(snippets.get('/token')!.ways[0]?.scopes).toEqual(['read'])
  })
})
