import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { editClient, linkIdentity, memoryStore, requestContract, type Registration } from 'clientele'
import { json, status, type KeyServer } from '../support/key-server.js'
import { actor, providerAt, registers, issuedBy, standIn, through, worldOf } from './world.js'

let server: KeyServer
beforeEach(async () => {
  server = await standIn()
})
afterEach(() => server.close())

const metadata = { name: 'Shop' }
const states = (list: readonly Registration[]) => list.map(({ state }) => state)
const deletes = () => server.received.filter(({ method }) => method === 'DELETE').map(({ path }) => path)

describe('a registration that breaks off', () => {
  it('because the issuer hangs up after making the client is listed, and repaired by who has looked there', async () => {
    server.on('/register', (_request, response) => response.destroy())
    server.on('/register/app-1', status(204))
    const { store, registrations } = worldOf(providerAt(server, { management: 'endpoint' }))
    await expect(registrations.register({ actor, metadata })).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
    const [left] = await registrations.unfinished()
    expect(left).toMatchObject({ state: 'registering', metadata })
    expect((await store.list({ kind: 'client' })).records).toEqual([])

    const registration = left?.id ?? ''
    await expect(registrations.repair({ actor, registration })).rejects.toThrow(/Look there for "Shop"/)
    expect(await registrations.repair({ actor, registration, clientId: 'app-1' })).toBeUndefined()
    expect(deletes()).toEqual(['/register/app-1'])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is adopted, where the client is worth keeping', async () => {
    server.on('/register', (_request, response) => response.destroy())
    const { store, registrations } = worldOf(providerAt(server))
    await expect(registrations.register({ actor, metadata })).rejects.toThrow()
    const [left] = await registrations.unfinished()
    const registration = left?.id ?? ''
    await registrations.repair({ actor, registration, clientId: 'app-1', outcome: 'adopt' })
    expect(await store.findClient({ issuer: server.url, clientId: 'app-1' })).toMatchObject({ name: 'Shop' })
  })

  it('is forgotten, where the issuer has no such client', async () => {
    server.on('/register', status(500))
    const { store, registrations } = worldOf(providerAt(server))
    await expect(registrations.register({ actor, metadata })).rejects.toMatchObject({ reason: 'status' })
    const [left] = await registrations.unfinished()
    await registrations.repair({ actor, registration: left?.id ?? '', gone: true })
    expect((await store.list({ kind: 'registration' })).records).toEqual([])
  })

  it('leaves nothing where it is sure that nothing was done', async () => {
    const { registrations } = worldOf(providerAt(server))
    for (const code of [400, 401, 403, 404, 429]) {
      server.on('/register', status(code))
      await expect(registrations.register({ actor, metadata })).rejects.toThrow(String(code))
    }
    expect(await registrations.unfinished()).toEqual([])
  })

  it('leaves nothing where nobody is there', async () => {
    const gone = await standIn()
    await gone.close()
    const { registrations } = worldOf(providerAt(gone))
    await expect(registrations.register({ actor, metadata })).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is taken away from the issuer where the store cannot keep it', async () => {
    registers(server)
    server.on('/register/app-1', status(204))
    let commits = 0
    const store = through(memoryStore(), (_changes, real) =>
      ++commits === 2 ? Promise.reject(new Error('away')) : real(),
    )
    const { registrations } = worldOf(providerAt(server), { store })
    await expect(registrations.register({ actor, metadata })).rejects.toThrow('away')
    expect(deletes()).toEqual(['/register/app-1'])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is listed with what manages it where it can neither be kept nor taken away, and repaired by that', async () => {
    registers(server)
    server.on('/register/app-1', status(500))
    let commits = 0
    const store = through(memoryStore(), (_changes, real) =>
      ++commits === 2 ? Promise.reject(new Error('away')) : real(),
    )
    const { registrations } = worldOf(providerAt(server), { store })
    await expect(registrations.register({ actor, metadata })).rejects.toThrow('away')
    const [left] = await registrations.unfinished()
    expect(left).toMatchObject({ state: 'registering', clientId: 'app-1' })
    server.on('/register/app-1', status(204))
    await registrations.repair({ actor, registration: left?.id ?? '' })
    const last = server.received.at(-1)
    expect([last?.method, last?.headers.authorization]).toEqual(['DELETE', 'Bearer the-registration-token'])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('stays listed where the store is away for good, and can be repaired when it is back', async () => {
    registers(server)
    server.on('/register/app-1', status(204))
    let [commits, isAway] = [0, true]
    const store = through(memoryStore(), (_changes, real) =>
      ++commits > 1 && isAway ? Promise.reject(new Error('away')) : real(),
    )
    const { registrations } = worldOf(providerAt(server), { store })
    await expect(registrations.register({ actor, metadata })).rejects.toThrow('away')
    isAway = false
    expect(states(await registrations.unfinished())).toEqual(['registering'])
  })

  it('counts as done where the store has kept it and died before it said so', async () => {
    registers(server)
    let commits = 0
    const store = through(memoryStore(), async (_changes, real) => {
      await real()
      if (++commits === 2) throw new Error('away')
    })
    const { registrations } = worldOf(providerAt(server), { store })
    const { clientSecret, registration } = await registrations.register({ actor, metadata })
    expect([clientSecret, registration.state]).toEqual(['the-secret-of-app-1', 'active'])
    expect(deletes()).toEqual([])
  })

  it('is not repaired while it may be under way', async () => {
    server.on('/register', (_request, response) => response.destroy())
    const { registrations } = worldOf(providerAt(server), { underWaySeconds: 60 })
    await expect(registrations.register({ actor, metadata })).rejects.toThrow()
    const [left] = await registrations.unfinished()
    const repairing = registrations.repair({ actor, registration: left?.id ?? '', gone: true })
    await expect(repairing).rejects.toThrow(/may be under way/)
  })
})

describe('a change that breaks off', () => {
  const registered = async () => {
    registers(server)
    const world = worldOf(providerAt(server))
    const made = await world.registrations.register({ actor, metadata })
    return { ...world, which: { client: made.client.id, actor }, id: made.registration.id }
  }

  it('is listed, and read anew from the issuer', async () => {
    const { registrations, which, id } = await registered()
    server.on('/register/app-1', ({ method }, response) => {
      if (method === 'PUT') response.destroy()
      else response.writeHead(200).end(JSON.stringify(issuedBy(server, { client_name: 'Shop 2' })))
    })
    await expect(registrations.update({ ...which, changes: { name: 'Shop 2' } })).rejects.toThrow()
    expect(states(await registrations.unfinished())).toEqual(['updating'])
    expect(await registrations.repair({ actor, registration: id })).toMatchObject({ metadata: { name: 'Shop 2' } })
    expect(await registrations.unfinished()).toEqual([])
  })

  it('is as it was where the issuer refuses', async () => {
    const { registrations, which, store } = await registered()
    server.on('/register/app-1', ({ method }, response) => {
      response.writeHead(method === 'PUT' ? 400 : 200).end(JSON.stringify(issuedBy(server)))
    })
    const updating = registrations.update({ ...which, changes: { name: 'Shop 2' } })
    await expect(updating).rejects.toMatchObject({ code: 'ERR_CLIENTELE_PROVIDER' })
    expect(await registrations.unfinished()).toEqual([])
    expect(await store.findClient({ issuer: server.url, clientId: 'app-1' })).toMatchObject({ name: 'Shop' })
  })

  it('refuses the client first when it is removed, and goes on where it broke off', async () => {
    const { registrations, which, store } = await registered()
    await requestContract(store, { client: which.client, api: 'orders', actor })
    server.on('/register/app-1', (_request, response) => response.destroy())
    await expect(registrations.remove(which)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_ISSUER' })
    expect(await store.findClient({ issuer: server.url, clientId: 'app-1' })).toBeUndefined()
    expect(await store.find('client', { id: which.client })).toMatchObject({ state: 'disabled' })
    expect(states(await registrations.unfinished())).toEqual(['deleting'])
    server.on('/register/app-1', status(404))
    await registrations.remove(which)
    expect(await registrations.unfinished()).toEqual([])
    expect((await store.list({ kind: 'contract' })).records).toEqual([])
    expect(await store.find('identity', { issuer: server.url, clientId: 'app-1' })).toMatchObject({ client: null })
  })

  it('is removed here alone, where who removes it says so', async () => {
    const { registrations, which } = await registered()
    await registrations.remove({ ...which, atIssuer: 'leave' })
    expect(deletes()).toEqual([])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('gives out the new secret though the old client cannot be removed', async () => {
    const { registrations, which } = await registered()
    server.on('/register/app-1', status(500))
    server.on('/register', json(issuedBy(server, { client_id: 'app-2', client_secret: 'another' }), 201))
    const rotated = await registrations.rotate(which)
    expect(rotated).toMatchObject({ clientId: 'app-2', clientSecret: 'another', old: 'unfinished' })
    expect(rotated.client.identities).toEqual([{ issuer: server.url, clientId: 'app-2' }])
    expect(states(await registrations.unfinished())).toEqual(['deleting'])
  })

  const replaced = async (commit: Parameters<typeof through>[1]) => {
    registers(server)
    const store = through(memoryStore(), commit)
    const world = worldOf(providerAt(server), { store })
    const made = await world.registrations.register({ actor, metadata })
    server.on('/register', json(issuedBy(server, { client_id: 'app-2', registration_client_uri: undefined }), 201))
    server.on('/register/app-2', status(204))
    const stateOf = async (clientId: string) => (await store.findClient({ issuer: server.url, clientId }))?.state
    return { ...world, store, which: { client: made.client.id, actor }, stateOf }
  }

  it('refuses the old client from the commit on that lets the new one in, whatever dies after it', async () => {
    let commits = 0
    const { registrations, which, stateOf } = await replaced((_changes, real) =>
      ++commits > 4 ? Promise.reject(new Error('away')) : real(),
    )
    server.on('/register/app-1', status(204))
    expect(await registrations.rotate(which)).toMatchObject({ clientId: 'app-2', old: 'unfinished' })
    expect([await stateOf('app-1'), await stateOf('app-2')]).toEqual([undefined, 'active'])
    const [left] = await registrations.unfinished()
    expect(left).toMatchObject({ state: 'deleting', clientId: 'app-1' })
    commits = 0
    expect(await registrations.repair({ actor, registration: left?.id ?? '' })).toBeUndefined()
    expect(await registrations.unfinished()).toEqual([])
    expect(await stateOf('app-2')).toBe('active')
  })

  it('lets neither in anew where that one commit fails, and takes the new client away again', async () => {
    let commits = 0
    const { registrations, which, stateOf } = await replaced((_changes, real) =>
      ++commits === 4 ? Promise.reject(new Error('away')) : real(),
    )
    await expect(registrations.rotate(which)).rejects.toThrow('away')
    expect([await stateOf('app-1'), await stateOf('app-2')]).toEqual(['active', undefined])
    expect(deletes()).toEqual(['/register/app-2'])
    expect(await registrations.unfinished()).toEqual([])
  })

  it('rotates though somebody edits the client at the same time', async () => {
    const { registrations, which, store, stateOf } = await replaced((_changes, real) => real())
    server.on('/register/app-1', status(204))
    server.on('/register', (_request, response) => {
      void editClient(store, { ...which, name: 'Edited' }).then(() =>
        response.writeHead(201).end(JSON.stringify(issuedBy(server, { client_id: 'app-2' }))),
      )
    })
    expect(await registrations.rotate(which)).toMatchObject({ client: { name: 'Edited' }, old: 'removed' })
    expect(await stateOf('app-1')).toBeUndefined()
  })

  it.each([false, true])(
    'does not let in again what was removed during its rotation (keepOld: %s)',
    async (keepOld) => {
      const { registrations, which, store, stateOf } = await replaced((_changes, real) => real())
      await linkIdentity(store, { ...which, issuer: 'https://other.example', clientId: 'other' })
      server.on('/register/app-1', status(204))
      server.on('/register', (_request, response) => {
        void registrations
          .remove({ ...which, clientId: 'app-1' })
          .then(() =>
            response
              .writeHead(201)
              .end(JSON.stringify(issuedBy(server, { client_id: 'app-2', registration_client_uri: undefined }))),
          )
      })
      await expect(registrations.rotate({ ...which, keepOld })).rejects.toThrow(/removed meanwhile/)
      expect([await stateOf('app-1'), await stateOf('app-2')]).toEqual([undefined, undefined])
      expect(deletes()).toEqual(['/register/app-1', '/register/app-2'])
      expect(await registrations.unfinished()).toEqual([])
    },
  )

  it.each([200, 400])('is no end to a removal that began meanwhile (the issuer answers %i)', async (code) => {
    registers(server)
    const { store, registrations } = worldOf(providerAt(server, { profile: 'okta' }))
    const { client } = await registrations.register({ actor, metadata })
    const which = { client: client.id, actor }
    server.on('/register/app-1', status(500))
    server.on('/register/app-1/lifecycle/newSecret', (_request, response) => {
      registrations
        .remove(which)
        .catch(() => response.writeHead(code).end(JSON.stringify(issuedBy(server, { client_secret: 'fresh' }))))
    })
    await expect(registrations.rotate(which)).rejects.toMatchObject({
      code: code === 200 ? 'ERR_CLIENTELE_STATE' : 'ERR_CLIENTELE_PROVIDER',
    })
    expect(states(await registrations.unfinished())).toEqual(['deleting'])
    expect(await store.find('client', { id: which.client })).toMatchObject({ state: 'disabled', identities: [] })
  })
})
