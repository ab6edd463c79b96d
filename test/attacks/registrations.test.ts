import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryStore, readAuditLog, type ContractStore } from 'clientele'
import { clientRegistrations, localProvider, type ClientRegistrations } from 'clientele/providers'
import { policyKinds } from '../../src/contracts/policy-kinds.js'
import { createSealing } from '../../src/runtime/sealing.js'
import { json, status, type KeyServer } from '../support/key-server.js'
import {
  actor,
  initialToken,
  issuedBy,
  providerAt,
  registers,
  sealingKeys,
  standIn,
  worldOf,
} from '../providers/world.js'

let server: KeyServer
beforeEach(async () => {
  server = await standIn()
})
afterEach(() => server.close())

const metadata = { name: 'Shop' }
const invalid = { code: 'ERR_CLIENTELE_INVALID' }

async function registered(changes: object = {}): Promise<{
  store: ContractStore
  registrations: ClientRegistrations
  which: { client: string; actor: string }
}> {
  registers(server, changes)
  const world = worldOf(providerAt(server))
  const { client } = await world.registrations.register({ actor, metadata })
  return { ...world, which: { client: client.id, actor } }
}

describe('redirect URIs', () => {
  it.each([
    'javascript:alert(1)',
    'JavaScript://shop.example/%0aalert(1)',
    'java\tscript:alert(1)',
    'data:text/html,<script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://shop.example/1',
    'about:blank',
    'http://shop.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://localhost.evil.example/',
    'https://user:password@shop.example/',
    'https://*.shop.example/cb',
    'https://shop.example\\@evil.example/',
    'https://shop.example/cb#fragment',
    'https://shop.example/cb#',
    ' https://shop.example/',
    'https://shöp.example/',
    '/cb',
    '',
  ])('never reach the issuer as %j', async (uri) => {
    const { registrations } = worldOf(providerAt(server))
    const wanted = { ...metadata, redirectUris: ['https://shop.example/', uri] }
    await expect(registrations.register({ actor, metadata: wanted })).rejects.toMatchObject(invalid)
    expect(server.received).toEqual([])
  })

  it('are those that RFC 8252 has', async () => {
    registers(server)
    const redirectUris = ['https://a.example/?x=1', 'http://127.0.0.1/', 'http://[::1]:80/cb', 'com.example.app:/cb']
    await worldOf(providerAt(server)).registrations.register({ actor, metadata: { ...metadata, redirectUris } })
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ redirect_uris: redirectUris })
  })
})

describe('members that the issuer would act on', () => {
  it.each([
    { jwks_uri: 'http://169.254.169.254/' },
    { jwksUri: 'https://keys.example/' },
    { logo_uri: 'http://10.0.0.1/' },
    { logoUri: 'https://a.example/logo' },
    { sector_identifier_uri: 'https://a.example/' },
    { client_id: 'victim' },
    { client_secret: 'chosen' },
    { software_statement: 'x.y.z' },
    { jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
    { jwks: { keys: [{ kty: 'RSA', n: 'x', e: 'AQAB', x5u: 'http://10.0.0.1/' }] } },
    { name: 'Shop\r\nSet-Cookie: a=b' },
  ])('are not passed on: %j', async (member) => {
    const { registrations, which } = await registered()
    const before = server.received.length
    const wanted = { ...metadata, ...member } as typeof metadata
    await expect(registrations.register({ actor, metadata: wanted })).rejects.toMatchObject(invalid)
    await expect(registrations.update({ ...which, changes: wanted })).rejects.toMatchObject(invalid)
    expect(server.received).toHaveLength(before)
  })
})

describe('an answer that is about somebody else', () => {
  it('does not change the client ID by an update', async () => {
    const { registrations, which, store } = await registered()
    server.on('/register/app-1', ({ method }, response) => {
      const answer = issuedBy(server, method === 'PUT' ? { client_id: 'victim' } : {})
      response.writeHead(200).end(JSON.stringify(answer))
    })
    const updating = registrations.update({ ...which, changes: { name: 'Two' } })
    await expect(updating).rejects.toThrow(/another client ID/)
    expect(await store.findClient({ issuer: server.url, clientId: 'victim' })).toBeUndefined()
    expect(await registrations.unfinished()).toMatchObject([{ state: 'updating', clientId: 'app-1' }])
  })

  it('tells whoever asked of a secret that an update has changed, and of no other', async () => {
    const { registrations, which } = await registered()
    server.on('/register/app-1', ({ method }, response) => {
      const answer = issuedBy(server, method === 'PUT' ? { client_secret: 'changed' } : {})
      response.writeHead(200).end(JSON.stringify(answer))
    })
    expect(await registrations.update({ ...which, changes: { name: 'Two' } })).toMatchObject({
      clientSecret: 'changed',
    })
  })

  it('gives nobody the client of another, and does not have us delete that one', async () => {
    const { registrations, store } = await registered()
    server.on('/register/app-1', status(204))
    await expect(registrations.register({ actor, metadata: { name: 'Thief' } })).rejects.toThrow(/another client here/)
    expect(server.received.filter(({ method }) => method === 'DELETE')).toEqual([])
    expect(await store.findClient({ issuer: server.url, clientId: 'app-1' })).toMatchObject({ name: 'Shop' })
    const [left] = await registrations.unfinished()
    const repairing = registrations.repair({ actor, registration: left?.id ?? '', clientId: 'app-1' })
    await expect(repairing).rejects.toThrow(/left alone/)
  })

  it.each(['', 'a b', '../admin', 'x'.repeat(300), 7, ['app-1'], { $ne: null }])(
    'names no client ID %j that cannot be one',
    async (clientId) => {
      registers(server, { client_id: clientId })
      const { registrations, store } = worldOf(providerAt(server))
      const outcome = registrations.register({ actor, metadata })
      if (clientId === '../admin') {
        expect((await outcome).clientId).toBe('../admin')
        return
      }
      await expect(outcome).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
      expect((await store.list({ kind: 'client' })).records).toEqual([])
    },
  )

  it('escapes a client ID that looks like a path', async () => {
    registers(server, { client_id: '../../admin', registration_client_uri: undefined })
    const { registrations } = worldOf(providerAt(server))
    const { client } = await registrations.register({ actor, metadata })
    await expect(registrations.remove({ client: client.id, actor, atIssuer: 'delete' })).resolves.toBeUndefined()
    expect(server.received.at(-1)?.path).toBe('/register/..%2F..%2Fadmin')
  })
})

describe('registration tokens', () => {
  it('are sent to no other origin, and along no redirect', async () => {
    const other = await standIn()
    const foreign = await registered({ registration_client_uri: `${other.url}/register/app-1` })
    const [kept] = (await foreign.store.list<'registration'>({ kind: 'registration' })).records
    if (kept === undefined) throw new Error('nothing is registered')
    expect(kept).not.toHaveProperty('managementUri')
    const led = { ...kept, version: kept.version + 1, managementUri: `${other.url}/register/app-1` }
    await foreign.store.commit([{ kind: 'registration', key: { id: kept.id }, expect: kept.version, value: led }])
    const updating = foreign.registrations.update({ ...foreign.which, changes: { name: 'Two' } })
    await expect(updating).rejects.toThrow(/another origin/)
    expect(await foreign.registrations.unfinished()).toEqual([])
    await expect(foreign.registrations.remove(foreign.which)).rejects.toThrow(/another origin/)
    server.on('/register/app-1', status(307, { location: `${other.url}/register/app-1` }))
    registers(server, { client_id: 'app-2' })
    const { client } = await foreign.registrations.register({ actor, metadata })
    server.on('/register/app-1', status(307, { location: other.url }))
    await expect(foreign.registrations.remove({ client: client.id, actor })).rejects.toMatchObject({
      reason: 'redirected',
    })
    expect(other.received).toEqual([])
    await other.close()
  })

  it('do not open in the record of another registration', async () => {
    const { store, registrations, which } = await registered()
    registers(server, { client_id: 'app-2', registration_access_token: 'token-of-app-2' })
    const { registration: thief } = await registrations.register({ actor, metadata: { name: 'Thief' } })
    const [victim] = (await store.list<'registration'>({ kind: 'registration', client: which.client })).records
    const stolen = { ...thief, version: thief.version + 1, sealedToken: victim?.sealedToken ?? '' }
    await store.commit([{ kind: 'registration', key: { id: thief.id }, expect: thief.version, value: stolen }])
    const removing = registrations.remove({ client: thief.client, actor })
    await expect(removing).rejects.toThrow(/moved here from another record/)
    expect(server.received.filter(({ method }) => method === 'DELETE')).toEqual([])
  })

  it('are of no use to who has another key', async () => {
    const { store, which } = await registered()
    const other = clientRegistrations({ store, provider: providerAt(server), sealingKeys: 'ab'.repeat(32) })
    await expect(other.remove(which)).rejects.toThrow(/put that key behind the present one/)
    const keys = `${'ab'.repeat(32)},${sealingKeys}`
    server.on('/register/app-1', status(204))
    await clientRegistrations({ store, provider: providerAt(server), sealingKeys: keys }).remove(which)
  })

  it('stand nowhere in the clear, and in no feed', async () => {
    const { store, registrations, which } = await registered()
    server.on(
      '/register/app-1',
      json({ error: 'invalid_token', error_description: 'the-registration-token, really?' }, 400),
    )
    const error: unknown = await registrations
      .update({ ...which, changes: { name: 'x' } })
      .catch((each: unknown) => each)
    const log: unknown[] = [error]
    for await (const entry of readAuditLog(store)) log.push(entry)
    for (const kind of ['client', 'identity', 'registration'] as const) log.push((await store.list({ kind })).records)
    for (const secret of ['the-registration-token', 'the-secret-of-app-1', initialToken, sealingKeys]) {
      expect(inspect(log, { depth: 10 })).not.toContain(secret)
    }
    expect(policyKinds).not.toContain('registration')
    const [kept] = (await store.list<'registration'>({ kind: 'registration' })).records
    const place = `registration/${server.url}/${kept?.id ?? ''}`
    expect(createSealing(sealingKeys).open(kept?.sealedToken ?? '', place)).toBe('the-registration-token')
  })
})

describe('answers and messages', () => {
  const failureOf = async (work: Promise<unknown>): Promise<string> =>
    inspect(
      await work.then(
        () => 'done',
        (error: unknown) => error,
      ),
      { depth: 10 },
    )

  it.each([
    '[{"client_secret":"TOPSECRET"}]',
    'client_id=a&client_secret=TOPSECRET',
    '{"client_secret":"TOPSECRET"',
    '<html><pre>{"client_secret":"TOPSECRET"}',
  ])('of success that cannot be read are not repeated: %s', async (body) => {
    server.on('/register', (_request, response) => response.writeHead(201).end(body))
    for (const profile of ['rfc', 'lemonldap'] as const) {
      const { registrations } = worldOf(providerAt(server, { profile }))
      expect(await failureOf(registrations.register({ actor, metadata }))).not.toContain('TOPSECRET')
    }
  })

  it.each(['basic', 'post'] as const)(
    'hold our secret in no form, where its endpoint echoes it (%s)',
    async (method) => {
      const clientSecret = 'C A+N/A%RYüx'
      server.on('/token', ({ body, headers }, response) => {
        const proof = (headers.authorization ?? '').replace('Basic ', '')
        const said = `got ${body} ${proof} ${Buffer.from(proof, 'base64').toString()} ${encodeURIComponent(clientSecret)}`
        response.writeHead(400).end(JSON.stringify({ error: 'x', error_description: said }))
      })
      const authorization = { clientId: 'us', clientSecret, method, tokenEndpoint: `${server.url}/token` }
      const { registrations } = worldOf(providerAt(server, { authorization }))
      const said = await failureOf(registrations.register({ actor, metadata }))
      expect(said).toContain('got ')
      expect(said).not.toMatch(/N%2FA|N\/A|dXM6/)
    },
  )

  it('with an end in milliseconds lose nothing of what was given', async () => {
    const { clientSecret, registration } = await worldOf(providerAt(server)).registrations.register(
      (registers(server, { client_secret_expires_at: 1_893_456_000_000 }), { actor, metadata }),
    )
    expect(clientSecret).toBe('the-secret-of-app-1')
    expect(registration).not.toHaveProperty('secretEndsAt')
  })

  it.each(['.', '..'])('about a client ID %j do not lead above the endpoint', async (clientId) => {
    const { registrations } = worldOf(providerAt(server, { profile: 'okta' }))
    const importing = registrations.importClient({ actor, clientId, name: 'x' })
    await expect(importing).rejects.toMatchObject({ code: 'ERR_CLIENTELE_PROVIDER' })
    expect(server.received).toEqual([])
  })

  it('that name no client are about none', async () => {
    server.on('/register/app-1', json({ id: 'x' }))
    const { registrations } = worldOf(providerAt(server, { profile: 'okta' }))
    const importing = registrations.importClient({ actor, clientId: 'app-1', name: 'x' })
    await expect(importing).rejects.toThrow(/does not name the client/)
  })

  it('do not hold up the process by a page of nothing but <', async () => {
    server.on('/register', (_request, response) => response.writeHead(400).end('<'.repeat(200_000)))
    const started = performance.eventLoopUtilization()
    await expect(worldOf(providerAt(server)).registrations.register({ actor, metadata })).rejects.toThrow()
    expect(performance.eventLoopUtilization(started).active).toBeLessThan(1000)
  })
})

describe('floods', () => {
  it('end at the cap of what is under way, and nobody is asked', async () => {
    server.on('/register', () => undefined)
    const { registrations } = worldOf(providerAt(server, { timeoutMs: 500 }), { mostUnderWay: 3 })
    const attempts = Array.from({ length: 20 }, () => registrations.register({ actor, metadata }))
    const outcomes = await Promise.allSettled(attempts)
    const refused = outcomes.filter(
      (each) => each.status === 'rejected' && (each.reason as { code?: string }).code === 'ERR_CLIENTELE_STATE',
    )
    expect(refused).toHaveLength(17)
    expect(server.received).toHaveLength(3)
  })

  it('end at the cap of an owner', async () => {
    const store = memoryStore()
    const registrations = clientRegistrations({ store, provider: localProvider(), mostPerOwner: 2 })
    const attempts = Array.from({ length: 10 }, () => registrations.register({ actor, owner: 'bob', metadata }))
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.filter(({ status: outcome }) => outcome === 'fulfilled')).toHaveLength(2)
    await registrations.register({ actor, owner: 'eve', metadata })
  })
})

describe('what an issuer says', () => {
  it('comes to the operator without what a terminal would act on, and not at any length', async () => {
    const said = `\u001b]0;pwned\u0007\u202e${'long '.repeat(500)}`
    server.on('/register', json({ error: 'invalid_request', error_description: said }, 400))
    const { registrations } = worldOf(providerAt(server))
    const error: unknown = await registrations.register({ actor, metadata }).catch((each: unknown) => each)
    const { message } = error as Error
    expect(message).toContain('invalid_request')
    expect(message).not.toMatch(/[\p{Cc}\u202e]/u)
    expect(message.length).toBeLessThan(500)
  })

  it('is not read without end', async () => {
    server.on('/register', (_request, response) => {
      response.writeHead(201)
      const pour = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', pour)
      pour()
    })
    const { registrations } = worldOf(providerAt(server))
    await expect(registrations.register({ actor, metadata })).rejects.toMatchObject({ reason: 'too_large' })
  })
})
