import { memoryReplays } from 'clientele'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { IntrospectTokenOptions, ValidateJwtOptions } from '../../src/clientele.js'
import { bearer, codeOf } from '../attacks/attacked.js'
import { call, type Answer } from '../support/call.js'
import { dpopProof, proofKeys, withProof } from '../support/dpop-proof.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { json, outages, startKeyServer, type KeyServer } from '../support/key-server.js'
import { ownReader } from '../support/own-reader.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { accessToken, attackedIssuer, type AttackedIssuer } from '../support/token-attacks.js'

/** As rows of the table of outages have them. */
const kinds = ['a closed connection', 'a hang', 'a drip', 'a redirect', 'html', '500', 'an endless body'] as const
const two = frameworks.filter(({ name }) => name === 'Express 5' || name === 'Koa 3')

describe.each(two)('an issuer in trouble, minute by minute, behind $name', (framework) => {
  let issuer: KeyServer
  let target: AttackedIssuer
  let server: Running
  let made = 0

  const common = () => ({ issuer: target.issuer, audience: 'orders', allowInsecureRequests: true, timeoutMs: 200 })
  const jwt = (): ValidateJwtOptions => ({ ...common(), jwksUri: `${issuer.url}/jwks` })
  const opaque = (): IntrospectTokenOptions => ({
    ...common(),
    endpoint: `${issuer.url}/introspect`,
    as: { clientId: 'orders-api', clientSecret: 'introspection-secret' },
  })

  beforeEach(async () => {
    issuer = await startKeyServer()
    target = attackedIssuer(issuer.url, `${issuer.url}/trap`)
    const reader = ownReader()
    reader.register(target.issuer, target.clientId)
    const dpop = { publicUrl: 'https://api.example.com', replays: memoryReplays() }
    server = await framework.start(
      { api: 'orders', store: reader, onDecision: () => undefined, onIssuerEvent: () => undefined },
      {
        routes: {
          'ALL /jwt': (on) => [on.validateJwt(jwt())],
          'ALL /opaque': (on) => [on.introspectToken(opaque())],
          'ALL /dpop': (on) => [on.validateJwt({ ...jwt(), dpop })],
          'ALL /tolerant': (on) => [on.validateJwt({ ...jwt(), dpop, clockToleranceSeconds: 65 })],
        },
      },
    )
    works()
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(async () => {
    vi.useRealTimers()
    await server.close()
    await issuer.close()
  })

  function works(): void {
    issuer.on('/jwks', json({ keys: [target.key.jwk] }))
    issuer.on('/introspect', json({ active: true, client_id: target.clientId, aud: 'orders' }))
  }
  function fails(kind: (typeof kinds)[number]): void {
    for (const path of ['/jwks', '/introspect']) issuer.on(path, outages[kind] ?? json({}))
  }
  const newJwt = (claims: Record<string, unknown> = {}): string =>
    accessToken(target, { exp: nowSeconds() + 86_400, jti: String(++made), ...claims })
  const send = (path: string, token: string): Promise<Answer> => call(server.url, { path, headers: bearer(token) })
  const minutes = (count: number): void => void vi.advanceTimersByTime(count * 60_000)
  const outage = [503, 'ERR_CLIENTELE_ISSUER']

  it.each(kinds)(
    '%s: JWTs, known and new, for ten minutes and an hour more, then 503, then as before',
    async (kind) => {
      const known = newJwt()
      expect((await send('/jwt', known)).status).toBe(200)
      fails(kind)
      for (const [passed, expected] of [
        [9, 200],
        [2, 200],
        [50, 200],
        [8, 200],
      ] as const) {
        minutes(passed)
        expect((await send('/jwt', known)).status).toBe(expected)
        expect((await send('/jwt', newJwt())).status).toBe(expected)
      }
      minutes(2)
      for (const token of [known, newJwt()]) {
        const answer = await send('/jwt', token)
        expect(codeOf(answer)).toEqual(outage)
        expect(answer.headers['retry-after']).toMatch(/^\d+$/)
      }
      works()
      minutes(1)
      for (const token of [known, newJwt()]) expect((await send('/jwt', token)).status).toBe(200)
    },
  )

  it.each(kinds)('%s: opaque tokens, known ones for a minute, new ones not, then as before', async (kind) => {
    expect((await send('/opaque', 'known')).status).toBe(200)
    fails(kind)
    minutes(0.9)
    expect((await send('/opaque', 'known')).status).toBe(200)
    expect(codeOf(await send('/opaque', `new-${kind.replaceAll(' ', '-')}`))).toEqual(outage)
    minutes(0.2)
    expect(codeOf(await send('/opaque', 'known'))).toEqual(outage)
    works()
    minutes(1)
    expect((await send('/opaque', 'known')).status).toBe(200)
  })

  it.each([
    ['exp', -60],
    ['nbf', 60],
  ] as const)('a clock 60 s off, by %s: 401, unless that is tolerated', async (claim, seconds) => {
    const token = (): string => newJwt({ [claim]: nowSeconds() + seconds })
    expect(codeOf(await send('/jwt', token()))).toEqual([401, 'token_invalid'])
    expect((await send('/tolerant', token())).status).toBe(200)
  })

  it('a clock 60 s off, of a caller with proofs: ahead is 401, unless that is tolerated; behind is late', async () => {
    const keys = proofKeys()
    const token = newJwt({ cnf: { jkt: keys.jkt } })
    const proven = (path: string, seconds: number): Promise<Answer> => {
      const url = `https://api.example.com${path}`
      const proof = dpopProof(keys, { url, token, claims: { iat: nowSeconds() + seconds } })
      return call(server.url, { path, headers: withProof(token, proof) })
    }
    expect(codeOf(await proven('/dpop', 60))).toEqual([401, 'proof_invalid'])
    expect((await proven('/tolerant', 60)).status).toBe(200)
    expect((await proven('/dpop', -50)).status).toBe(200)
    expect(codeOf(await proven('/dpop', -70))).toEqual([401, 'proof_invalid'])
  })

  it('10,000 keys: those behind the first hundred are not used, and the rest works', async () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => ({
      ...target.key.jwk,
      kid: at === 0 ? target.key.kid : `k${at}`,
    }))
    const padded = { ...jwt(), maxResponseBytes: 10_000_000, timeoutMs: 5000 }
    issuer.on('/jwks', json({ keys }))
    const reader = ownReader()
    reader.register(target.issuer, target.clientId)
    const own = await framework.start(
      { api: 'orders', store: reader, onIssuerEvent: () => undefined },
      { routes: { 'ALL /': (on) => [on.validateJwt(padded)] } },
    )
    const at = (token: string): Promise<Answer> => call(own.url, { headers: bearer(token) })
    expect((await at(newJwt())).status).toBe(200)
    expect(codeOf(await at(accessToken(target, {}, { kid: 'k9999' })))).toEqual([401, 'token_invalid'])
    // Past the bytes that are allowed it is no answer at all.
    expect(codeOf(await send('/jwt', newJwt()))).toEqual(outage)
    await own.close()
  })

  it('1000 parallel requests with one new token cost one introspection', async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, () => send('/opaque', 'one-new-token')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(issuer.count('/introspect')).toBe(1)
  })
})
