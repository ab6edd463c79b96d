import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entraProvider } from 'clientele/providers'
import { actor, worldOf } from './world.js'

interface Application {
  appId: string
  displayName: string
  tags: string[]
  passwordCredentials: { keyId: string; endDateTime: string }[]
}

/** As learn.microsoft.com documents the endpoints that are used; the service itself was never asked. */
async function startGraph() {
  const applications = new Map<string, Application>()
  const principals = new Set<string>()
  const trouble = { at: '' }
  const act = (
    method: string,
    path: string,
    query: URLSearchParams,
    body: Partial<Record<string, string>>,
  ): [number, unknown?] => {
    if (trouble.at !== '' && path.endsWith(trouble.at)) return [500, { error: { code: 'x', message: 'out of order' } }]
    if (path === '/v1.0/applications' && method === 'POST') {
      const made = { ...(body as unknown as Application), appId: randomUUID(), passwordCredentials: [] }
      applications.set(made.appId, made)
      return [201, { ...made, id: randomUUID() }]
    }
    if (path === '/v1.0/applications') {
      const tag = /eq '([^']+)'/.exec(query.get('$filter') ?? '')?.[1] ?? ''
      return [200, { value: [...applications.values()].filter(({ tags }) => tags.includes(tag)) }]
    }
    if (path === '/v1.0/servicePrincipals') {
      principals.add(body['appId'] ?? '')
      return [201, { id: randomUUID() }]
    }
    const [, appId = '', action] = /^\/v1\.0\/applications\(appId='([^']+)'\)(?:\/(\w+))?$/.exec(path) ?? []
    const found = applications.get(appId)
    if (found === undefined) {
      return [404, { error: { code: 'Request_ResourceNotFound', message: `Resource '${appId}' does not exist` } }]
    }
    if (action === 'addPassword') {
      const { endDateTime } = body['passwordCredential'] as unknown as { endDateTime: string }
      found.passwordCredentials.push({ keyId: randomUUID(), endDateTime })
      return [200, { secretText: `secret-${String(Math.random())}`, endDateTime, keyId: randomUUID() }]
    }
    if (action === 'removePassword') {
      found.passwordCredentials = found.passwordCredentials.filter(({ keyId }) => keyId !== body['keyId'])
      return [204]
    }
    if (method === 'DELETE') return [applications.delete(appId) ? 204 : 404]
    if (method === 'PATCH') {
      Object.assign(found, body)
      return [204]
    }
    return [200, found]
  }
  const answer = async (request: IncomingMessage): Promise<[number, unknown?]> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://graph')
    const body = await text(request)
    if (pathname === '/our-tenant/oauth2/v2.0/token') {
      const form = new URLSearchParams(body)
      const isUs = form.get('client_id') === 'us' && form.get('client_secret') === 'our secret'
      return isUs && form.get('scope')?.endsWith('/.default') === true
        ? [200, { access_token: 'graph-token', expires_in: 3599 }]
        : [401, { error: 'invalid_client', error_description: 'AADSTS7000215' }]
    }
    if (request.headers.authorization !== 'Bearer graph-token') return [401]
    return act(
      request.method ?? '',
      pathname,
      searchParams,
      JSON.parse(body === '' ? '{}' : body) as Partial<Record<string, string>>,
    )
  }
  const server = createServer((request, response) => {
    answer(request).then(
      ([code, body]) => {
        response.writeHead(code, { 'content-type': 'application/json' })
        response.end(body === undefined ? undefined : JSON.stringify(body))
      },
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return {
    url,
    applications,
    principals,
    trouble,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

describe('Microsoft Entra ID (a stand-in of the documented endpoints)', () => {
  let entra: Awaited<ReturnType<typeof startGraph>>
  beforeEach(async () => {
    entra = await startGraph()
  })
  afterEach(() => entra.close())
  const world = (clientSecret = 'our secret') =>
    worldOf(
      entraProvider({
        tenant: 'our-tenant',
        clientId: 'us',
        clientSecret,
        loginUrl: entra.url,
        graphUrl: entra.url,
        allowInsecureRequests: true,
      }),
      { sealingKeys: undefined },
    )
  const only = () => [...entra.applications.values()]

  it('sends its secret by https alone, however http is written', () => {
    const options = { tenant: 'our-tenant', clientId: 'us', clientSecret: 'our secret' }
    for (const url of ['http://login.example', 'HTTP://login.example', 'https://us:them@login.example']) {
      expect(() => entraProvider({ ...options, loginUrl: url })).toThrow(/loginUrl: expected/)
      expect(() => entraProvider({ ...options, graphUrl: url })).toThrow(/graphUrl: expected/)
    }
  })

  it('makes application, service principal and secret, changes, rotates and removes', async () => {
    const { registrations, store } = world()
    const redirectUris = ['https://shop.example/cb']
    const made = await registrations.register({ actor, metadata: { name: 'Shop', redirectUris } })
    expect(made.clientSecret).toMatch(/^secret-/)
    expect(Date.parse(made.registration.secretEndsAt ?? '')).toBeGreaterThan(Date.now() + 179 * 86_400_000)
    expect(only()).toMatchObject([{ displayName: 'Shop', web: { redirectUris } }])
    expect([...entra.principals]).toEqual([made.clientId])
    expect(made.client.identities).toEqual([{ issuer: `${entra.url}/our-tenant/v2.0`, clientId: made.clientId }])

    const which = { client: made.client.id, actor }
    await registrations.update({ ...which, changes: { name: 'Web shop' } })
    expect(only()).toMatchObject([{ displayName: 'Web shop' }])
    const before = only()[0]?.passwordCredentials[0]?.keyId
    const rotated = await registrations.rotate(which)
    expect(rotated.clientId).toBe(made.clientId)
    expect(rotated.clientSecret).not.toBe(made.clientSecret)
    expect(only()[0]?.passwordCredentials).toHaveLength(1)
    expect(only()[0]?.passwordCredentials[0]?.keyId).not.toBe(before)
    await registrations.remove(which)
    expect(only()).toEqual([])
    expect((await store.list({ kind: 'client' })).records).toEqual([])
  })

  it('takes back what is half made', async () => {
    const { registrations } = world()
    entra.trouble.at = '/addPassword'
    await expect(registrations.register({ actor, metadata: { name: 'Shop' } })).rejects.toThrow(/out of order/)
    expect(only()).toEqual([])
    const [left] = await registrations.unfinished()
    expect(await registrations.repair({ actor, registration: left?.id ?? '' })).toBeUndefined()
    expect(await registrations.unfinished()).toEqual([])
  })

  it('finds by its tag what was made for an attempt that broke off, and discards it', async () => {
    const { registrations } = world()
    entra.trouble.at = '/servicePrincipals'
    const attempt = registrations.register({ actor, metadata: { name: 'Shop' } })
    await expect(attempt).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
    const [left] = await registrations.unfinished()
    // As if the process had been killed before it could take the application back.
    entra.applications.set('app', {
      appId: 'app',
      displayName: 'Shop',
      tags: [`clientele-${left?.id ?? ''}`],
      passwordCredentials: [],
    })
    entra.trouble.at = ''
    await registrations.repair({ actor, registration: left?.id ?? '' })
    expect(only()).toEqual([])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('takes over an application that was made by hand', async () => {
    entra.applications.set('by-hand', { appId: 'by-hand', displayName: 'Old', tags: [], passwordCredentials: [] })
    const { registrations } = world()
    const { client } = await registrations.importClient({ actor, clientId: 'by-hand' })
    expect(client.name).toBe('Old')
    await expect(registrations.importClient({ actor, clientId: 'unknown' })).rejects.toThrow(/Request_ResourceNotFound/)
  })

  it('leaves nothing where our own secret is wrong, and says so', async () => {
    const { registrations } = world('a bad one')
    await expect(registrations.register({ actor, metadata: { name: 'Shop' } })).rejects.toThrow(/AADSTS7000215/)
    expect(await registrations.unfinished()).toEqual([])
  })
})
