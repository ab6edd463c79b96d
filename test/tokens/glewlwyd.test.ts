import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { IntrospectTokenOptions } from '../../src/policies/introspection-options.js'
import { introspectToken } from '../../src/policies/introspect-token.js'
import { validateJwt } from '../../src/policies/validate-jwt.js'
import { tokenEngines } from '../../src/tokens/engines.js'
import type { IssuerEvent } from '../../src/tokens/issuer-event.js'
import { decideOn } from '../support/bearer-request.js'
import { faultOf } from '../support/fault-of.js'
import { startGlewlwyd, type GlewlwydIssuer, type GlewlwydServer } from '../support/glewlwyd.js'
import { describeWithGlewlwyd } from '../support/needs.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'

const client = { clientId: 'orders-client', clientSecret: 'client-secret' }
const api = { clientId: 'orders-api', clientSecret: 'api-secret' }
/** Form-encoded, which this server does not undo, it is another one. */
const spaced = { clientId: 'orders-spaced', clientSecret: 'a secret with spaces: +%' }

describeWithGlewlwyd()('glewlwyd, an authorization server in C', () => {
  let server: GlewlwydServer
  let reader: OwnReader
  let events: IssuerEvent[]
  beforeAll(async () => {
    server = await startGlewlwyd([client, api, spaced])
  })
  afterAll(() => server.close())
  beforeEach(() => {
    events = []
    reader = ownReader()
    for (const { issuer } of [server.rs256, server.es256]) reader.register(issuer, client.clientId)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const context = () => ({ ...contextOf(reader), tokens: tokenEngines((event) => events.push(event)) })
  function introspecting({ issuer }: GlewlwydIssuer, options: Partial<IntrospectTokenOptions> = {}) {
    const usual = { issuer, as: api, audience: 'orders:read', allowInsecureRequests: true }
    return introspectToken(context(), { ...usual, ...options })
  }
  function validating({ issuer }: GlewlwydIssuer, options: { audience?: string; scopes?: readonly string[] } = {}) {
    const usual = { issuer, audience: 'orders:read', allowInsecureRequests: true, profile: 'rfc9068' as const }
    return validateJwt(context(), { ...usual, ...options })
  }

  it.each(['rs256', 'es256'] as const)('vouches by discovery for JWTs that it signed with %s', async (name) => {
    const issuer = server[name]
    expect(issuer.issuer).toContain('//api/')
    const token = await issuer.accessToken(client)
    expect(await decideOn(validating(issuer, { scopes: ['orders:read'] }), token)).toBe('admitted')
    expect(await decideOn(validating(issuer, { scopes: ['orders:write'] }), token)).toBe('scope_insufficient')
    expect(await decideOn(validating(issuer), `${token.slice(0, -8)}AAAAAAAA`)).toBe('token_invalid')
  })

  it('writes all scopes into one aud, which is no audience of ours then', async () => {
    const token = await server.rs256.accessToken(client, 'orders:read orders:write')
    expect(await decideOn(validating(server.rs256), token)).toBe('token_invalid')
    expect(await decideOn(validating(server.rs256, { audience: 'orders:read orders:write' }), token)).toBe('admitted')
  })

  it('vouches for no JWT of its other issuer', async () => {
    const token = await server.es256.accessToken(client)
    expect(await decideOn(validating(server.rs256), token)).toBe('token_invalid')
  })

  it('introspects its JWTs, without iss and sub, and says of others that they are none', async () => {
    const policy = introspecting(server.rs256)
    expect(await decideOn(policy, await server.rs256.accessToken(client))).toBe('admitted')
    expect(await decideOn(policy, 'never-issued')).toBe('token_invalid')
    expect(await decideOn(policy, await server.es256.accessToken(client))).toBe('token_invalid')
    expect(events).toEqual([])
  })

  it('revokes, and is believed when the answer is old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const policy = introspecting(server.es256, { maxAgeSeconds: 30 })
    const token = await server.es256.accessToken(client)
    expect(await decideOn(policy, token)).toBe('admitted')
    await server.es256.revoke(client, token)
    vi.advanceTimersByTime(30_000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  const refusedUs = { code: 'ERR_CLIENTELE_ISSUER', status: 503, reason: 'credentials' }

  it('turns us away by a 401 without a body: a fault that says so, told once, and no further question', async () => {
    const policy = introspecting(server.rs256, { as: { ...api, clientSecret: 'wrong' } })
    const tokens = [await server.rs256.accessToken(client), await server.rs256.accessToken(client), 'never-issued']
    for (const token of tokens) expect(await faultOf(() => decideOn(policy, token))).toMatchObject(refusedUs)
    // Each question that was sent and failed is one event.
    expect(events).toMatchObject([{ kind: 'introspection_failed', reason: 'credentials' }])
  })

  it('lets itself be asked by who bears a token of its own with the right to', async () => {
    const token = await server.rs256.accessToken(client)
    const asked = async (bearer: string) => {
      const as = { method: 'header', name: 'Authorization', value: `Bearer ${bearer}` } as const
      return decideOn(introspecting(server.rs256, { as }), token)
    }
    expect(await asked(await server.rs256.introspectionToken())).toBe('admitted')
    expect(await faultOf(() => asked(token))).toMatchObject(refusedUs)
  })

  it('knows a secret with spaces only as it is, in a field of ours', async () => {
    const token = await server.rs256.accessToken(client)
    const fault = await faultOf(() => decideOn(introspecting(server.rs256, { as: spaced }), token))
    expect(fault).toMatchObject(refusedUs)
    const pair = Buffer.from(`${spaced.clientId}:${spaced.clientSecret}`).toString('base64')
    const as = { method: 'header', name: 'Authorization', value: `Basic ${pair}` } as const
    expect(await decideOn(introspecting(server.rs256, { as }), token)).toBe('admitted')
  })

  it('answers 400 without a body to a question without a token: the server is to blame, not the caller', async () => {
    // A validation endpoint that wants another parameter than this server: nobody has been asked about the token.
    const tokenInfo = { method: 'POST', parameter: 'access_token' } as const
    const endpoint = server.rs256.introspectionUrl
    const policy = introspecting(server.rs256, { endpoint, tokenInfo })
    const fault = await faultOf(() => decideOn(policy, 'never-issued'))
    expect(fault).toMatchObject({ code: 'ERR_CLIENTELE_ISSUER', status: 503, reason: 'status' })
    expect(events).toMatchObject([{ kind: 'introspection_failed', reason: 'status' }])
  })

  it('registers clients for who bears the right', async () => {
    const register = async (token: string): Promise<{ status: number; text: string }> => {
      const body = JSON.stringify({ client_name: 'x', redirect_uris: ['https://client.example/back'] })
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
      const answered = await fetch(server.rs256.registrationUrl, { method: 'POST', headers, body })
      return { status: answered.status, text: await answered.text() }
    }
    const registered = await register(await server.rs256.registrationToken())
    expect(registered.status).toBe(200)
    expect(JSON.parse(registered.text)).toMatchObject({ client_id: expect.any(String) })
    expect((await register(await server.rs256.accessToken(client))).status).toBe(401)
  })
})
