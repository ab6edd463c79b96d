import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { introspectToken } from '../../src/policies/introspect-token.js'
import { validateJwt } from '../../src/policies/validate-jwt.js'
import { decideOn } from '../support/bearer-request.js'
import { jwtResource, opaqueResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { contextOf, ownReader, type OwnReader } from '../support/own-reader.js'

const client = { clientId: 'orders-client', clientSecret: 'p@ss: w%d+' }
const api = { clientId: 'orders-api', clientSecret: 'api-secret' }

describe.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('a real authorization server that signs with %s', (algorithm) => {
  let provider: OidcServer
  let reader: OwnReader
  beforeAll(async () => {
    provider = await startOidcProvider([client, api], algorithm)
  })
  afterAll(() => provider.close())
  beforeEach(() => {
    reader = ownReader()
    reader.register(provider.issuer, client.clientId)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const options = () => ({ issuer: provider.issuer, allowInsecureRequests: true })
  const jwtPolicy = (scopes?: readonly string[]) =>
    validateJwt(contextOf(reader), { ...options(), audience: jwtResource, ...(scopes && { scopes }) })
  const opaquePolicy = (maxAgeSeconds = 60) =>
    introspectToken(contextOf(reader), { ...options(), as: api, audience: opaqueResource, maxAgeSeconds })

  it('vouches for its JWTs by discovery and key set', async () => {
    const token = await provider.accessToken(client, jwtResource, 'orders:read')
    expect(await decideOn(jwtPolicy(['orders:read']), token)).toBe('admitted')
    expect(await decideOn(jwtPolicy(['orders:write']), token)).toBe('scope_insufficient')
  })

  it('vouches for its opaque tokens when asked, as a client with a difficult secret too', async () => {
    const token = await provider.accessToken(client, opaqueResource, 'orders:read')
    expect(await decideOn(opaquePolicy(), token)).toBe('admitted')
    const asClient = introspectToken(contextOf(reader), { ...options(), as: client, audience: opaqueResource })
    expect(await decideOn(asClient, token)).toBe('admitted')
    expect(await decideOn(opaquePolicy(), 'never-issued')).toBe('token_invalid')
  })

  it('signs its answers about them', async () => {
    const token = await provider.accessToken(client, opaqueResource)
    const policy = introspectToken(contextOf(reader), {
      ...options(),
      as: api,
      audience: opaqueResource,
      signedAnswers: true,
      maxAgeSeconds: 0,
    })
    expect(await decideOn(policy, token)).toBe('admitted')
    expect(await decideOn(policy, 'never-issued')).toBe('token_invalid')
    await provider.revoke(client, token)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('is not to blame for a JWT that it will not introspect', async () => {
    expect(await decideOn(opaquePolicy(), await provider.accessToken(client, jwtResource))).toBe('token_invalid')
  })

  it('refuses us with a wrong secret: a fault, not a bad token', async () => {
    const token = await provider.accessToken(client, opaqueResource)
    const wrong = { ...api, clientSecret: 'wrong' }
    const policy = introspectToken(contextOf(reader), { ...options(), as: wrong, audience: opaqueResource })
    await expect(decideOn(policy, token)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER', status: 503 })
  })

  it('revokes, and is believed when the answer is old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const policy = opaquePolicy(30)
    const token = await provider.accessToken(client, opaqueResource)
    expect(await decideOn(policy, token)).toBe('admitted')
    await provider.revoke(client, token)
    vi.advanceTimersByTime(30_000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
  })

  it('rotates its key while requests run, and nobody is turned away', async () => {
    const policy = jwtPolicy()
    const before = await provider.accessToken(client, jwtResource)
    const words: string[] = []
    let running = true
    const requests = Array.from({ length: 8 }, async () => {
      while (running) words.push(await decideOn(policy, await provider.accessToken(client, jwtResource)))
    })
    await vi.waitUntil(() => words.length > 20)
    const fetched = provider.requests.get('/jwks')
    provider.rotateKeys({ keepOld: true })
    const atRotation = words.length
    await vi.waitUntil(() => words.length > atRotation + 20)
    running = false
    await Promise.all(requests)
    expect(new Set([...words, await decideOn(policy, before)])).toEqual(new Set(['admitted']))
    expect(provider.requests.get('/jwks')).toBe((fetched ?? 0) + 1)
  })

  it('withdraws a key, and its tokens end with the keys that are remembered', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const policy = jwtPolicy()
    const token = await provider.accessToken(client, jwtResource)
    expect(await decideOn(policy, token)).toBe('admitted')
    provider.rotateKeys({ keepOld: false })
    vi.advanceTimersByTime(600_000)
    expect(await decideOn(policy, token)).toBe('token_invalid')
    expect(await decideOn(policy, await provider.accessToken(client, jwtResource))).toBe('admitted')
  })
})
