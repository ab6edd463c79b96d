import { generateKeyPairSync } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { decodeJwt } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { json, status, type KeyServer } from '../support/key-server.js'
import type { IssuerProfileName } from 'clientele/providers'
import { actor, initialToken, issuedBy, providerAt, registers, standIn, worldOf } from './world.js'

let server: KeyServer
beforeEach(async () => {
  server = await standIn()
})
afterEach(() => server.close())

const metadata = { name: 'Shop', redirectUris: ['https://shop.example/cb'] }
const page = (code: number, html: string) => (_request: unknown, response: ServerResponse) => {
  response.writeHead(code, { 'content-type': 'text/html' }).end(html)
}
const sent = (method: string) => {
  const request = server.received.findLast((each) => each.method === method)
  return {
    ...request,
    json: JSON.parse(request?.body === '' ? '{}' : (request?.body ?? '{}')) as Record<string, unknown>,
  }
}

/** The servers are not here; these are the answers that each was seen, or is documented, to give. */
describe('what is known of issuers (recorded answers)', () => {
  it('takes 200 for 201, and 200 for a removal, as Glewlwyd answers', async () => {
    registers(server, {}, 200)
    server.on('/register/app-1', status(200))
    const { registrations } = worldOf(providerAt(server, { profile: 'glewlwyd' }))
    const redirectUris = ['https://shop.example/back']
    const { client } = await registrations.register({ actor, metadata: { ...metadata, redirectUris } })
    await registrations.remove({ client: client.id, actor })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('takes texts for numbers, client_id_expires_at and no registration token, as LemonLDAP::NG answers', async () => {
    const ends = Math.floor(Date.now() / 1000) + 3600
    const answer = {
      client_id: 'app-1',
      client_secret: 's',
      client_id_issued_at: '1',
      client_id_expires_at: String(ends),
    }
    server.on('/register', json(answer, 201))
    const { registrations } = worldOf(providerAt(server, { profile: 'lemonldap' }))
    const { client, registration } = await registrations.register({ actor, metadata })
    expect(registration.secretEndsAt).toBe(new Date(ends * 1000).toISOString())
    expect(registration).not.toHaveProperty('sealedToken')
    await expect(registrations.remove({ client: client.id, actor })).rejects.toThrow(/by hand.*atIssuer: "leave"/)
    await registrations.remove({ client: client.id, actor, atIssuer: 'leave' })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('takes a page of HTML with 201 for a refusal, as LemonLDAP::NG means it, and shows it as what it is', async () => {
    server.on(
      '/register',
      page(201, '<html><head><title>Error</title></head><body><p>Bad <b>redirect</b></p></body></html>'),
    )
    const { registrations } = worldOf(providerAt(server, { profile: 'lemonldap' }))
    await expect(registrations.register({ actor, metadata })).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_PROVIDER',
      message: expect.stringMatching(/a page of HTML: Error$/) as string,
    })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('repeats of an answer only what is seen, and takes no time over a page of nothing but brackets', async () => {
    server.on('/register', page(400, 'a\u2066b\u2069c\u061cd\u200be\u001b[31m'))
    const { registrations } = worldOf(providerAt(server))
    await expect(registrations.register({ actor, metadata })).rejects.toThrow(/400 a b c d e \[31m$/)
    server.on('/register', page(400, '<'.repeat(200_000)))
    const beganAt = process.cpuUsage().user
    await expect(registrations.register({ actor, metadata })).rejects.toThrow(/a page of HTML/)
    expect((process.cpuUsage().user - beganAt) / 1000).toBeLessThan(500)
  })

  it('takes the same page from anybody else for no answer, and keeps what may have been made', async () => {
    server.on('/register', page(201, '<h1>Welcome</h1>'))
    const { registrations } = worldOf(providerAt(server))
    await expect(registrations.register({ actor, metadata })).rejects.toThrow(/201 with no JSON object\.$/)
    expect(await registrations.unfinished()).toHaveLength(1)
  })

  it('registers at Okta with SSWS as a service, manages below the endpoint, and has a new secret made in place', async () => {
    registers(server, { registration_access_token: undefined, registration_client_uri: undefined })
    server.on('/register/app-1', json(issuedBy(server, { client_secret: undefined })))
    server.on('/register/app-1/lifecycle/newSecret', json(issuedBy(server, { client_secret: 'fresh' })))
    const { registrations } = worldOf(providerAt(server, { profile: 'okta' }), { sealingKeys: undefined })
    const { client } = await registrations.register({ actor, metadata: { name: 'Job' } })
    expect(sent('POST').headers?.authorization).toBe(`SSWS ${initialToken}`)
    expect(sent('POST').json).toMatchObject({
      application_type: 'service',
      grant_types: ['client_credentials'],
      response_types: ['token'],
    })
    const which = { client: client.id, actor }
    expect(await registrations.rotate(which)).toMatchObject({ clientId: 'app-1', clientSecret: 'fresh' })
    await registrations.update({ ...which, changes: { name: 'Night job' } })
    expect(sent('PUT')).toMatchObject({
      path: '/register/app-1',
      json: { client_id: 'app-1', client_name: 'Night job' },
    })
    await registrations.remove(which)
    expect(sent('DELETE').headers?.authorization).toBe(`SSWS ${initialToken}`)
  })

  it('passes on what Okta says, cause by cause', async () => {
    const said = {
      errorCode: 'E0000001',
      errorSummary: 'Api validation failed',
      errorCauses: [{ errorSummary: 'no implicit' }],
    }
    server.on('/register', json(said, 400))
    const { registrations } = worldOf(providerAt(server, { profile: 'okta' }), { sealingKeys: undefined })
    await expect(registrations.register({ actor, metadata })).rejects.toThrow(
      'E0000001: Api validation failed: no implicit',
    )
  })

  it('keeps the token that Keycloak gives with each answer', async () => {
    registers(server)
    let turn = 0
    const used: (string | undefined)[] = []
    server.on('/register/app-1', ({ headers, method }, response) => {
      used.push(headers.authorization)
      const answer = issuedBy(server, { registration_access_token: `token-${String(++turn)}` })
      response.writeHead(method === 'DELETE' ? 204 : 200).end(method === 'DELETE' ? undefined : JSON.stringify(answer))
    })
    const { registrations } = worldOf(providerAt(server, { profile: 'keycloak' }))
    const { client } = await registrations.register({ actor, metadata })
    await registrations.update({ client: client.id, actor, changes: { name: 'Two' } })
    await registrations.remove({ client: client.id, actor })
    expect(used).toEqual(['Bearer the-registration-token', 'Bearer token-1', 'Bearer token-2'])
  })

  it('manages at ForgeRock by the address that it gives, with its query', async () => {
    registers(server, { registration_client_uri: `${server.url}/register?client_id=app-1` })
    const { registrations } = worldOf(providerAt(server, { profile: 'forgerock' }))
    const { client } = await registrations.register({ actor, metadata })
    server.on('/register', status(204))
    await registrations.remove({ client: client.id, actor })
    expect(sent('DELETE').headers?.authorization).toBe('Bearer the-registration-token')
  })

  it.each<IssuerProfileName>(['auth0', 'salesforce'])('asks %s for nothing without a redirect URI', async (profile) => {
    const { registrations } = worldOf(providerAt(server, { profile }), { sealingKeys: undefined })
    await expect(registrations.register({ actor, metadata: { name: 'Job' } })).rejects.toThrow(/redirectUris/)
    expect(server.received).toEqual([])
    registers(server, { registration_access_token: undefined, registration_client_uri: undefined }, 200)
    await registrations.register({ actor, metadata })
    const method = profile === 'auth0' ? 'client_secret_post' : 'client_secret_basic'
    expect(sent('POST').json['token_endpoint_auth_method']).toBe(method)
  })

  it('sends PUT without what RFC 7592 forbids, and with what the issuer has beside', async () => {
    registers(server)
    const own = { policy: 'gold', client_id_issued_at: 1, client_secret_expires_at: 0 }
    server.on('/register/app-1', json(issuedBy(server, own)))
    const { registrations } = worldOf(providerAt(server, { profile: 'pingfederate' }))
    const { client } = await registrations.register({ actor, metadata })
    const updated = await registrations.update({
      client: client.id,
      actor,
      changes: { redirectUris: ['https://b.example/'] },
    })
    expect(updated.clientSecret).toBeUndefined()
    const { json: body } = sent('PUT')
    expect(body).toMatchObject({
      policy: 'gold',
      client_secret: 'the-secret-of-app-1',
      redirect_uris: ['https://b.example/'],
    })
    expect(Object.keys(body).filter((name) => /^registration_|_at$/.test(name))).toEqual([])
  })

  it('takes a client that was made by hand where nobody can be asked about it', async () => {
    const { store, registrations } = worldOf(providerAt(server, { profile: 'salesforce' }), { sealingKeys: undefined })
    await expect(registrations.importClient({ actor, clientId: 'by-hand' })).rejects.toThrow(/name/)
    await registrations.importClient({ actor, clientId: 'by-hand', name: 'Old app' })
    expect(await store.findClient({ issuer: server.url, clientId: 'by-hand' })).toMatchObject({ name: 'Old app' })
    const again = registrations.importClient({ actor, clientId: 'by-hand', name: 'Old app' })
    await expect(again).rejects.toMatchObject({ code: 'ERR_CLIENTELE_STATE' })
  })
})

describe('what lets us register', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

  it('is a token by private_key_jwt, found by discovery and used again', async () => {
    const document = {
      issuer: server.url,
      registration_endpoint: `${server.url}/register`,
      token_endpoint: `${server.url}/token`,
    }
    server.on('/.well-known/openid-configuration', json(document))
    server.on('/token', json({ access_token: 'management-token', token_type: 'Bearer', expires_in: 3600 }))
    registers(server)
    const provider = providerAt(server, {
      registrationEndpoint: undefined,
      authorization: { clientId: 'us', method: 'private_key_jwt', privateKey: pem, scopes: ['okta.clients.manage'] },
    })
    const { registrations } = worldOf(provider)
    await registrations.register({ actor, metadata })
    registers(server, { client_id: 'app-2' })
    await registrations.register({ actor, metadata })
    expect(sent('POST').headers?.authorization).toBe('Bearer management-token')
    expect(server.count('/token')).toBe(1)
    const form = new URLSearchParams(server.received.find(({ path }) => path === '/token')?.body)
    expect(form.get('scope')).toBe('okta.clients.manage')
    expect(decodeJwt(form.get('client_assertion') ?? '')).toMatchObject({ iss: 'us', aud: server.url })
  })

  it('leaves nothing behind where there is no token to be had, however that fails', async () => {
    const provider = providerAt(server, {
      authorization: { clientId: 'us', clientSecret: 'our-own-secret', tokenEndpoint: `${server.url}/token` },
      timeoutMs: 200,
    })
    const { registrations } = worldOf(provider)
    const failures = [
      json({ error: 'invalid_client', error_description: 'our-own-secret is wrong' }, 401),
      status(500),
      () => undefined,
    ]
    for (const failure of failures) {
      server.on('/token', failure)
      const error: unknown = await registrations.register({ actor, metadata }).catch((each: unknown) => each)
      expect(error).toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
      expect(String(error)).not.toContain('our-own-secret')
    }
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is asked for anew where the issuer takes the token no longer', async () => {
    let good = 'T1'
    server.on('/token', (_request, response) => {
      response.writeHead(200).end(JSON.stringify({ access_token: good, expires_in: 1e308 }))
    })
    server.on('/register', ({ headers }, response) => {
      const isGood = headers.authorization === `Bearer ${good}`
      response.writeHead(isGood ? 201 : 401).end(JSON.stringify(issuedBy(server)))
    })
    const authorization = { clientId: 'us', clientSecret: 'our-own-secret', tokenEndpoint: `${server.url}/token` }
    const provider = providerAt(server, { authorization })
    const wanted = { metadata, marker: 'm' }
    await provider.create(wanted)
    good = 'T2'
    await expect(provider.create(wanted)).rejects.toMatchObject({ reason: 'credentials' })
    await expect(provider.create(wanted)).resolves.toMatchObject({ clientId: 'app-1' })
    expect(server.count('/token')).toBe(2)
  })

  it('goes to no other origin than the issuer’s own unless that is written', async () => {
    const document = { issuer: server.url, registration_endpoint: 'https://elsewhere.example/register' }
    server.on('/.well-known/openid-configuration', json(document))
    const { registrations } = worldOf(providerAt(server, { registrationEndpoint: undefined }))
    await expect(registrations.register({ actor, metadata })).rejects.toThrow(/another origin.*"registrationEndpoint"/)
    expect(await registrations.unfinished()).toEqual([])
  })
})
