import express from 'express'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore, readAuditLog, removeClient, requestContract, type Registration } from 'clientele'
import { clientele } from 'clientele/express'
import { oidcProvider } from 'clientele/providers'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { initialAccessToken, jwtResource, startOidcProvider, type OidcServer } from '../support/oidc-provider.js'
import { actor, worldOf } from './world.js'

describe('a client of a real authorization server with registration and management', () => {
  let server: OidcServer
  let api: Running
  const store = memoryStore()
  beforeAll(async () => {
    server = await startOidcProvider([])
    const { validateJwt } = clientele({ api: 'orders', store })
    const app = express()
    const issuer = { issuer: server.issuer, audience: jwtResource, allowInsecureRequests: true }
    app.get('/', validateJwt(issuer), (_request, response) => {
      response.send('fine')
    })
    api = await listen(app)
  })
  afterAll(async () => {
    await api.close()
    await server.close()
  })

  const provider = () =>
    oidcProvider({
      name: 'idp',
      issuer: server.issuer,
      authorization: { token: initialAccessToken },
      allowInsecureRequests: true,
    })
  const world = () => worldOf(provider(), { store })
  const statusFor = async (clientId: string, clientSecret: string): Promise<number | string> => {
    const token = await server.accessToken({ clientId, clientSecret }, jwtResource).catch(() => undefined)
    if (token === undefined) return 'no token'
    return (await call(api.url, { headers: [['Authorization', `Bearer ${token}`]] })).status
  }

  it('is registered, calls, is updated, rotated and removed, and is refused from then on', async () => {
    const { registrations } = world()
    const metadata = { name: 'Shop' }
    const made = await registrations.register({ actor, owner: 'shop team', metadata })
    const { clientId, clientSecret = '' } = made
    expect(await statusFor(clientId, clientSecret)).toBe(403)
    await requestContract(store, { client: made.client.id, api: 'orders', actor })
    expect(await statusFor(clientId, clientSecret)).toBe(200)

    const which = { client: made.client.id, actor }
    const updated = await registrations.update({ ...which, changes: { name: 'Web shop' } })
    expect([updated.client.name, updated.registration.state]).toEqual(['Web shop', 'active'])
    expect(updated.clientSecret).toBeUndefined()
    expect(updated.registration.sealedToken).not.toBe(made.registration.sealedToken)
    expect(await statusFor(clientId, clientSecret)).toBe(200)

    const oldToken = await server.accessToken({ clientId, clientSecret }, jwtResource)
    const rotated = await registrations.rotate(which)
    expect(rotated.old).toBe('removed')
    expect(rotated.clientId).not.toBe(clientId)
    expect(rotated.client.identities).toEqual([{ issuer: server.issuer, clientId: rotated.clientId }])
    expect(await statusFor(clientId, clientSecret)).toBe('no token')
    expect((await call(api.url, { headers: [['Authorization', `Bearer ${oldToken}`]] })).status).toBe(403)
    expect(await statusFor(rotated.clientId, rotated.clientSecret ?? '')).toBe(200)

    const last = await server.accessToken(
      { clientId: rotated.clientId, clientSecret: rotated.clientSecret ?? '' },
      jwtResource,
    )
    await expect(removeClient(store, which)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
    await registrations.remove(which)
    expect((await call(api.url, { headers: [['Authorization', `Bearer ${last}`]] })).status).toBe(403)
    expect(await statusFor(rotated.clientId, rotated.clientSecret ?? '')).toBe('no token')
    expect((await store.list({ kind: 'registration' })).records).toEqual([])
    expect((await store.list({ kind: 'client' })).records).toEqual([])

    const log: unknown[] = []
    for await (const entry of readAuditLog(store)) log.push(entry)
    for (const secret of [clientSecret, rotated.clientSecret ?? '', initialAccessToken]) {
      expect(inspect(log, { depth: 10 })).not.toContain(secret)
    }
  })

  it('keeps the old client beside the new one where that is asked for', async () => {
    const { registrations } = world()
    const made = await registrations.register({ actor, metadata: { name: 'Slow' } })
    await requestContract(store, { client: made.client.id, api: 'orders', actor })
    const rotated = await registrations.rotate({ client: made.client.id, actor, keepOld: true })
    expect(await statusFor(made.clientId, made.clientSecret ?? '')).toBe(200)
    expect(await statusFor(rotated.clientId, rotated.clientSecret ?? '')).toBe(200)
    await registrations.remove({ client: made.client.id, clientId: made.clientId, actor })
    expect(await statusFor(made.clientId, made.clientSecret ?? '')).toBe('no token')
    expect(await statusFor(rotated.clientId, rotated.clientSecret ?? '')).toBe(200)
  })

  it('tells the operator what the server says of a bad request, and leaves nothing behind', async () => {
    const { registrations } = world()
    const metadata = { name: 'Odd', grantTypes: ['urn:example:unheard-of'] }
    const refused = registrations.register({ actor, metadata })
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_PROVIDER',
      message: expect.stringContaining('invalid_client_metadata') as string,
    })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is imported with its registration token, which changes with its use and is sealed again', async () => {
    const registered = await fetch(`${server.issuer}/reg`, {
      method: 'POST',
      headers: { authorization: `Bearer ${initialAccessToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'By hand',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      }),
    })
    const made = (await registered.json()) as Record<string, string>
    const { client_id: clientId = '', client_secret: clientSecret = '', registration_access_token: token = '' } = made
    const { registrations } = world()
    const { client } = await registrations.importClient({ actor, clientId, management: { token } })
    expect(client.name).toBe('By hand')
    await requestContract(store, { client: client.id, api: 'orders', actor })
    expect(await statusFor(clientId, clientSecret)).toBe(200)
    await registrations.update({ client: client.id, actor, changes: { name: 'Ours' } })
    const { records } = await store.list<'registration'>({ kind: 'registration', client: client.id })
    expect(JSON.stringify(records satisfies readonly Registration[])).not.toContain(token)
    await registrations.remove({ client: client.id, actor })
    expect(await statusFor(clientId, clientSecret)).toBe('no token')
  })
})
