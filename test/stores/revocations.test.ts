import {
  allowTokens,
  approveContract,
  cachedStore,
  forgetRevocations,
  linkIdentity,
  memoryStore,
  revokeTokens,
  type ContractStore,
  type RevokedTokens,
} from 'clientele'
import { replicate } from 'clientele/replica'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { bearer, codeOf, expectRefusal } from '../attacks/attacked.js'
import { RevocationList } from '../../src/contracts/revocation-list.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'
import { describeWithServer } from '../support/needs.js'
import { seededStore } from '../support/seeded-store.js'
import { nowSeconds } from '../support/signed-jwt.js'
import { until } from '../support/until.js'
import { accessToken, attackedIssuer } from '../support/token-attacks.js'
import { openStore } from './children/open-store.js'
import { makePlace } from './store-places.js'

const actor = 'test'
const target = attackedIssuer('https://issuer.example', 'https://trap.example')
const { issuer } = target
const limits = { issuer, audience: 'orders', jwks: { keys: [target.key.jwk] }, contract: 'skip' } as const
const invalid = expect.objectContaining({ code: 'ERR_CLIENTELE_INVALID' }) as Error

function named(name: string): Framework {
  const framework = frameworks.find((each) => each.name === name)
  if (framework === undefined) throw new Error(`There is no ${name}.`)
  return framework
}
const [express, koa] = [named('Express 5'), named('Koa 3')]

const running: Running[] = []
afterEach(() => Promise.all(running.splice(0).map((server) => server.close())))

async function serve(store: ContractStore, framework = express): Promise<(token: string) => Promise<Answer>> {
  const server = await framework.start(
    { api: 'orders', store, revocations: 'store', storeTimeoutMs: 300, onDecision: () => undefined },
    { routes: { 'ALL /': (on) => [on.validateJwt(limits)] } },
  )
  running.push(server)
  return (token) => call(server.url, { headers: bearer(token) })
}

/** The same store, but for its list, and without a word of changes. */
function withList(store: ContractStore, list: ContractStore['list']): ContractStore {
  return {
    capabilities: store.capabilities,
    findClient: (identity) => store.findClient(identity),
    findContract: (client, api) => store.findContract(client, api),
    findTier: (api, name) => store.findTier(api, name),
    find: (kind, key) => store.find(kind, key),
    commit: (changes) => store.commit(changes),
    list,
  }
}

/** Reads the list at once, and hands it over when it is let go. */
function heldList(store: ContractStore) {
  let held = Promise.resolve()
  let release = (): void => undefined
  let waiting = 0
  let readings = 0
  const list: ContractStore['list'] = async (query) => {
    const page = await store.list(query)
    readings += 1
    waiting += 1
    await held
    waiting -= 1
    return page
  }
  const hold = (): void => {
    held = new Promise((resolve) => {
      release = resolve
    })
  }
  const watch: NonNullable<ContractStore['watch']> = (...heard) => {
    const stop = store.watch?.(...heard)
    return () => stop?.()
  }
  const source = { list, watch }
  return {
    source,
    hold,
    release: () => {
      release()
    },
    waiting: () => waiting,
    readings: () => readings,
  }
}

const tokenOf = (claims: Record<string, unknown> = {}): string =>
  accessToken(target, { jti: 'one', sub: 'ann', client_id: 'app', iat: nowSeconds() - 60, ...claims })

describe.each([express, koa])('revokeTokens, behind $name', (framework) => {
  it.each<readonly [name: string, which: Omit<RevokedTokens, 'issuer'>, others: Record<string, unknown>]>([
    ['one token', { token: 'one' }, { jti: 'two' }],
    ['all of a user', { subject: 'ann' }, { sub: 'bob' }],
    ['all of a client', { clientId: 'app' }, { client_id: 'other' }],
  ])('ends %s, at the next request, and lets the others be', async (_name, which, others) => {
    const store = memoryStore()
    const send = await serve(store, framework)
    expect((await send(tokenOf())).status).toBe(200)
    await revokeTokens(store, { issuer, ...which, actor, reason: 'lost' })
    expectRefusal(await send(tokenOf()), 401, 'token_invalid')
    expect((await send(tokenOf(others))).status).toBe(200)
    if (which.token === undefined) {
      expect((await send(tokenOf({ iat: nowSeconds() + 4 }))).status).toBe(200)
      expectRefusal(await send(tokenOf({ iat: undefined })), 401, 'token_invalid')
    }
    await allowTokens(store, { issuer, ...which, actor })
    expect((await send(tokenOf())).status).toBe(200)
  })

  it('#39 ends no token of another issuer', async () => {
    const store = memoryStore()
    const send = await serve(store, framework)
    for (const which of [{ token: 'one' }, { subject: 'ann' }, { clientId: 'app' }]) {
      await revokeTokens(store, { issuer: 'https://other.example', ...which, actor })
    }
    expect((await send(tokenOf())).status).toBe(200)
  })
})

describe('the list', () => {
  it('moves on when tokens are revoked once more, and forgets what has ended', async () => {
    const store = memoryStore()
    const past = '2026-01-01T00:00:00.000Z'
    const first = await revokeTokens(store, { issuer, subject: 'ann', issuedBefore: past, endsAt: past, actor })
    const second = await revokeTokens(store, { issuer, subject: 'ann', actor, version: first.version })
    expect(second.version).toBeGreaterThan(first.version)
    expect(Date.parse(second.issuedBefore ?? '')).toBeGreaterThan(Date.parse(past))
    expect(second.endsAt).toBeUndefined()
    await revokeTokens(store, { issuer, token: 'old', endsAt: past, actor })
    expect(await forgetRevocations(store, { actor })).toBe(1)
    expect((await store.list({ kind: 'revocation' })).records).toEqual([second])
  })

  it.each<readonly [name: string, input: object]>([
    ['nothing', {}],
    ['two things', { token: 'a', subject: 'b' }],
    ['a moment for one token', { token: 'a', issuedBefore: '2026-01-01T00:00:00.000Z' }],
    ['a moment that is none', { subject: 'a', issuedBefore: 'yesterday' }],
    ['an empty name', { token: '' }],
  ])('is not told of %s', async (_name, input) => {
    await expect(revokeTokens(memoryStore(), { issuer, actor, ...input })).rejects.toThrow(invalid)
  })

  it('takes back only what is there', async () => {
    const missing = allowTokens(memoryStore(), { issuer, token: 'a', actor })
    await expect(missing).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
  })

  it.each<readonly [name: string, list: () => Promise<never>]>([
    ['fails', () => Promise.reject(new Error('canary'))],
    ['hangs', () => new Promise<never>(() => undefined)],
    ['answers nonsense', () => Promise.resolve({} as never)],
  ])("that %s is nobody's answer: 503, and 200 again when it can be read", async (_name, list) => {
    const store = memoryStore()
    let broken = true
    const failing = withList(store, (query) => (broken ? list() : store.list(query)))
    const send = await serve(failing)
    const answer = await send(tokenOf())
    expectRefusal(answer, 503, 'ERR_CLIENTELE_REVOCATION')
    expect(answer.text).not.toContain('canary')
    broken = false
    await vi.waitUntil(async () => (await send(tokenOf())).status === 200, { timeout: 10_000 })
    broken = true
    await vi.waitUntil(async () => codeOf(await send(tokenOf()))[1] === 'ERR_CLIENTELE_REVOCATION', { timeout: 10_000 })
  })

  it('is read again by itself where the store tells nothing', async () => {
    const store = memoryStore()
    const silent = withList(store, (query) => store.list(query))
    const send = await serve(silent)
    expect((await send(tokenOf())).status).toBe(200)
    await revokeTokens(store, { issuer, token: 'one', actor })
    await vi.waitUntil(async () => (await send(tokenOf())).status === 401, { timeout: 10_000 })
  })

  it('is read again where it changed while it was being read', async () => {
    const store = memoryStore()
    const held = heldList(store)
    const list = new RevocationList(held.source, 30_000)
    const token = { issuer, claims: { jti: 'one' }, clientId: undefined }
    expect(await list.isRevoked(token)).toBe(false)
    await revokeTokens(store, { issuer, token: 'another', actor })
    held.hold()
    const before = list.isRevoked(token)
    await until(() => held.waiting() === 1)
    await revokeTokens(store, { issuer, token: 'one', actor })
    const after = list.isRevoked(token)
    held.release()
    expect([await before, await after]).toEqual([true, true])
    // Nobody has read it for each of them.
    expect(held.readings()).toBe(3)
  })

  it('is that of a replica too, which hears of it from its source', async () => {
    const { store } = await seededStore()
    const replica = replicate({ from: store, into: 'memory', maxAgeMs: 60_000, onEvent: () => undefined })
    await vi.waitUntil(() => replica.ready().ready, { timeout: 10_000 })
    const send = await serve(replica)
    expect((await send(tokenOf())).status).toBe(200)
    await revokeTokens(store, { issuer, token: 'one', actor })
    await vi.waitUntil(async () => (await send(tokenOf())).status === 401, { timeout: 10_000 })
    expect((await send(tokenOf({ jti: 'two' }))).status).toBe(200)
    await replica.close()
    await vi.waitUntil(async () => (await send(tokenOf({ jti: 'two' }))).status === 503, { timeout: 10_000 })
  })

  it('needs a store that can be listed', () => {
    const store = { findClient: () => undefined, findContract: () => undefined, findTier: () => undefined }
    const start = () => express.start({ api: 'orders', store, revocations: 'store' }, { routes: {} })
    expect(start).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
  })
})

const places = [
  ['disk', describe],
  ['redis', await describeWithServer('redis')],
  ['postgres', await describeWithServer('postgres')],
] as const

for (const [kind, suite] of places) {
  suite(`revoked tokens on ${kind}, which others share`, () => {
    let place: Awaited<ReturnType<(typeof makePlace)['disk']>>
    let opened: Awaited<ReturnType<typeof openStore>>[]
    beforeAll(async () => {
      place = await makePlace[kind]()
      opened = [await openStore(place.place), await openStore(place.place)]
    })
    afterAll(async () => {
      for (const one of opened) await one.close()
      await place.remove()
    })

    it('end in the other too, in front of its cache as well', async () => {
      const [here, there] = opened
      if (here === undefined || there === undefined) throw new Error('two stores were opened')
      const { clients } = await seededStore(here.store)
      const { id } = clients.none
      await linkIdentity(here.store, { client: id, issuer, clientId: 'app', actor })
      await approveContract(here.store, { client: clients.pending.id, api: 'orders', actor, ownRequest: true })
      const senders = [await serve(there.store), await serve(cachedStore(there.store))]
      for (const send of senders) expect((await send(tokenOf())).status).toBe(200)
      await revokeTokens(here.store, { issuer, token: 'one', actor })
      for (const send of senders) {
        await vi.waitUntil(async () => (await send(tokenOf())).status === 401, { timeout: 10_000 })
        expect((await send(tokenOf({ jti: 'two' }))).status).toBe(200)
      }
    })
  })
}
