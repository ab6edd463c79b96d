import { inspect } from 'node:util'
import {
  approveContract,
  basicAuth,
  cachedStore,
  defineTier,
  headers,
  memoryCounter,
  memoryStore,
  query,
  registerClient,
  requestContract,
  type Client,
  type Contract,
  type ContractReader,
  type ContractStore,
  type FixedLimit,
  type Limit,
  type Tier,
} from 'clientele'
import { parseList, type Item } from 'structured-headers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, type Answer } from '../support/call.js'
import { frameworks, type Running } from '../support/frameworks.js'
import { attackedStores } from './attacked-stores.js'
import { clienteleFor, expectRefusal, type Headers, type Routes } from './attacked.js'

const actor = 'test'
const api = 'orders'
const limitOf = (requests: number, windowSeconds = 60): FixedLimit => ({ requests, windowSeconds, algorithm: 'fixed' })

interface Registered {
  readonly id: string
  readonly clientId: string
  readonly clientSecret: string
}

/** A client with an approved contract for `orders`. */
async function approvedClient(store: ContractStore, clientId: string, tier = 'gold'): Promise<Registered> {
  const { client, clientSecret } = await registerClient(store, { name: 'app', clientId, actor })
  await requestContract(store, { client: client.id, api, tier, actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true })
  return { id: client.id, clientId, clientSecret }
}

const credentials = ({ clientId, clientSecret }: Omit<Registered, 'id'>): Headers => [
  ['client_id', clientId],
  ['client_secret', clientSecret],
]
const ask = (server: Running, fields: Headers, path = '/limited'): Promise<Answer> =>
  call(server.url, { path, headers: fields })

const limited: Routes = { 'ALL /limited': (on) => [on.enforceClientId(), on.limitBySla()] }

const noNumbers = [NaN, undefined, '10', -1, 0, Infinity, -Infinity, null, 1.5]
const noWindows = [NaN, undefined, '60', -1, 0, Infinity, null, 0.05, 1e12]
const day = { requests: 10, algorithm: 'calendar', unit: 'day', timeZone: 'UTC' }
const rate = { ...limitOf(10), algorithm: 'gcra', burst: 10 }
const badLimits = [
  ...noNumbers.map((requests) => ({ ...limitOf(10), requests })),
  ...noWindows.map((windowSeconds) => ({ ...limitOf(10), windowSeconds })),
  ...['constructor', '__proto__', 'leaky', null].map((algorithm) => ({ ...limitOf(10), algorithm })),
  ...noNumbers.map((burst) => ({ ...rate, burst })),
  ...noWindows.map((windowSeconds) => ({ ...limitOf(10), algorithm: 'sliding', windowSeconds })),
  ...noWindows.map((maxAgeSeconds) => ({ requests: 10, algorithm: 'concurrent', maxAgeSeconds })).filter(hasAge),
  ...['fortnight', 'constructor', undefined, 1].map((unit) => ({ ...day, unit })),
  ...['Mars/Olympus', '+01:00', '', '../../etc/passwd', 'UTC\r\n', undefined, 0].map((timeZone) => ({
    ...day,
    timeZone,
  })),
  { ...day, windowSeconds: 60 },
  { ...limitOf(10), burst: 5 },
  { ...limitOf(10), unit: 'day' },
] as Limit[]
const shown = (limit: Limit): string => inspect(limit, { breakLength: Infinity })

/** Left out it is five minutes. */
function hasAge({ maxAgeSeconds }: { maxAgeSeconds: unknown }): boolean {
  return maxAgeSeconds !== undefined
}

describe('#30 a limit that is none, where it is defined', () => {
  it.each(badLimits.map((limit) => [shown(limit), limit] as const))('#30 %s is refused', async (_name, limit) => {
    const store = memoryStore()
    const define = (limits: readonly Limit[]) =>
      defineTier(store, { api, name: 'gold', approval: 'manual', limits, actor })
    for (const limits of [[limit], [limitOf(5, 3600), limit], []]) {
      await expect(define(limits)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
      expect(store.findTier(api, 'gold')).toBeUndefined()
    }
    const { tier } = await define([limitOf(5)])
    await expect(define([limit])).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
    const key = { api, name: 'gold' }
    const value = { ...tier, version: tier.version + 1, limits: [limit] }
    await expect(store.commit([{ kind: 'tier', key, expect: tier.version, value }])).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_INVALID',
    })
    expect(store.findTier(api, 'gold')).toEqual(tier)
  })
})

describe.each(frameworks)('$name', (framework) => {
  describe('#30 a limit that is none, where it is read', () => {
    let server: Running
    let bad: Limit[]
    let good: Registered
    let spoilt: Registered

    beforeAll(async () => {
      const store = memoryStore()
      for (const name of ['gold', 'spoilt']) {
        await defineTier(store, { api, name, approval: 'manual', limits: [limitOf(100_000)], actor })
      }
      good = await approvedClient(store, 'good')
      spoilt = await approvedClient(store, 'spoilt', 'spoilt')
      const own: ContractReader = {
        findClient: (identity) => store.findClient(identity),
        findContract: (client, name) => store.findContract(client, name),
        findTier: (name, tier) => {
          const found = store.findTier(name, tier)
          return found && tier === 'spoilt' ? { ...found, limits: bad } : found
        },
      }
      server = await framework.start({ api, store: own }, { routes: limited })
    })
    afterAll(() => server.close())

    it.each(badLimits.map((limit) => [shown(limit), limit] as const))(
      '#30 %s admits nobody: 503',
      async (_name, limit) => {
        for (const limits of [[limit], [limitOf(5, 3600), limit], []]) {
          bad = limits
          expectRefusal(await ask(server, credentials(spoilt)), 503, 'ERR_CLIENTELE_STORE')
          expect((await ask(server, credentials(good))).status).toBe(200)
        }
        bad = [limitOf(5, 3600)]
        expect((await ask(server, credentials(spoilt))).headers['ratelimit-policy']).toBe('"spoilt";q=5;w=3600')
      },
    )
  })

  it.each([
    [
      ['a', 'bc'],
      ['ab', 'c'],
    ],
    [
      ['a', 'b:c'],
      ['a:b', 'c'],
    ],
    [
      ['a', 'b/c'],
      ['a/b', 'c'],
    ],
    [
      ['bc', 'a'],
      ['c', 'ab'],
    ],
    [
      ['b:c', 'a'],
      ['c', 'a:b'],
    ],
  ] as const)('#31 the client and API %j and %j are two, in store and counter', async (one, other) => {
    const store = ofPairs([one, other])
    // One counter and one store for both, as two `clientele()` of one process have them.
    const counter = memoryCounter()
    const second = clienteleFor(framework, { api: other[1], store, counter })
    const open = { secret: 'optional' } as const
    const routes: Routes = {
      'ALL /one': (on) => [on.enforceClientId(open), on.limitBySla()],
      'ALL /other': () => [second.enforceClientId(open), second.limitBySla()],
    }
    const server = await framework.start({ api: one[1], store, counter }, { routes })
    const statuses = async (path: string, [clientId]: readonly [string, string]) => {
      const all: number[] = []
      for (let index = 0; index < 3; index += 1) all.push((await ask(server, [['client_id', clientId]], path)).status)
      return all
    }
    expect(await statuses('/one', one)).toEqual([200, 200, 429])
    expect(await statuses('/other', other)).toEqual([200, 200, 429])
    // Nobody has a contract for the other one's API.
    expectRefusal(await ask(server, [['client_id', one[0]]], '/other'), 401, 'client_invalid')
    expectRefusal(await ask(server, [['client_id', other[0]]], '/one'), 401, 'client_invalid')
    await server.close()
  })

  describe('#34 names of tiers', () => {
    it.each([
      ['a quote and a backslash', 'a "quoted" \\ name', 'a "quoted" \\ name'],
      ['line ends', 'gold\r\nSet-Cookie: x=y\r\n\r\n', 'gold%0D%0ASet-Cookie: x=y%0D%0A%0D%0A'],
      ['text that is not ASCII', 'naïve 🥇', 'na%C3%AFve %F0%9F%A5%87'],
      ['parameters of its own', 'gold";q=1000000;w=1, "x', 'gold";q=1000000;w=1, "x'],
      ['control characters', '\u0000\u0001\u007f\u0085\u2028', '%00%01%7F%C2%85%E2%80%A8'],
      ['half a character', 'x\ud800', 'x%EF%BF%BD'],
    ])('#34 with %s give valid fields', async (_name, name, sent) => {
      const store = memoryStore()
      const tiers = [
        [name, [limitOf(1)]],
        [`${name}2`, [limitOf(1), limitOf(7, 3600), limitOf(9, 0.5)]],
      ] as const
      for (const [tier, limits] of tiers)
        await defineTier(store, { api, name: tier, approval: 'manual', limits, actor })
      const clients = [await approvedClient(store, 'one', name), await approvedClient(store, 'three', `${name}2`)]
      const server = await framework.start({ api, store }, { routes: limited })
      const expected = [[sent], [`${sent}2-60s`, `${sent}2-3600s`, `${sent}2-500ms`]]
      for (const [index, client] of clients.entries()) {
        for (const status of [200, 429]) {
          const answer = await ask(server, credentials(client))
          expect(answer.status, answer.text).toBe(status)
          for (const field of ['RateLimit', 'RateLimit-Policy']) {
            expect(answer.fields(field)).toHaveLength(1)
            const items = parseList(answer.fields(field)[0] ?? '') as Item[]
            expect(items.map(([value]) => value)).toEqual(expected[index])
            for (const [, parameters] of items) {
              expect([...parameters.keys()].every((key) => ['q', 'w', 'r', 't'].includes(key))).toBe(true)
              for (const number of parameters.values()) expect(Number.isInteger(number)).toBe(true)
            }
          }
          expect(answer.headers['set-cookie']).toBeUndefined()
          if (status === 429) {
            expect(answer.json).toMatchObject({ code: 'limit_exceeded', 'violated-policies': [expected[index]?.[0]] })
          }
        }
      }
      await server.close()
    })
  })

  it('#54 a full counter: who is used up stays so, who is known goes on, a newcomer gets a 503', async () => {
    const store = memoryStore()
    const clock = { nowMs: 1000 }
    const counter = memoryCounter({ maxKeys: 3, clock: () => clock.nowMs })
    await defineTier(store, { api, name: 'gold', approval: 'manual', limits: [limitOf(3)], actor })
    const names = ['used-up', 'second', 'third', ...Array.from({ length: 12 }, (_, index) => `newcomer-${index}`)]
    const clients = await Promise.all(names.map((name) => approvedClient(store, name)))
    const server = await framework.start({ api, store, counter }, { routes: limited })
    const [usedUp, second, third, ...newcomers] = clients.map((client) => () => ask(server, credentials(client)))
    if (usedUp === undefined || second === undefined || third === undefined) throw new Error('nobody registered')
    const statuses = [usedUp, usedUp, usedUp, usedUp, second, third].map(async (send) => (await send()).status)
    expect((await Promise.all(statuses)).toSorted()).toEqual([200, 200, 200, 200, 200, 429])
    for (let round = 0; round < 2; round += 1) {
      for (const newcomer of newcomers) {
        expectRefusal(await newcomer(), 503, 'ERR_CLIENTELE_COUNTER')
        expectRefusal(await usedUp(), 429, 'limit_exceeded')
        clock.nowMs += 1100
      }
      expect((await second()).status).toBe(200)
      expect((await third()).status).toBe(200)
    }
    expectRefusal(await second(), 429, 'limit_exceeded')
    // The first window is over, and with it its place is free.
    clock.nowMs = 62_000
    expect((await newcomers[0]?.())?.status).toBe(200)
    expect((await usedUp()).status).toBe(200)
    await server.close()
  })
})

/** Valid IDs that a careless backend takes for one another, or for a pattern, a path or a member of every object. */
const strangeIds = [
  'acme',
  'ACME',
  'Acme',
  'acme.',
  'acme~',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '::',
  'a::b',
  'a:b',
  '_',
  '-',
  '.',
  '..',
  '../',
  '../acme',
  '/',
  '@',
  'a'.repeat(254),
  'a'.repeat(255),
  `${'a'.repeat(254)}b`,
]
/** No IDs, each close to `acme`, to all or to none. */
const noIds = [
  'acm\u00e9',
  'acme\u0301',
  '\uff41cme',
  'acme ',
  ' acme',
  'acme\t',
  'acme\u00a0',
  'acme\u200b',
  'acme\u00ad',
  '%',
  '_%',
  '*',
  'acm?',
  "acme' or '1'='1",
  '{"$ne":null}',
  'acme\u0000',
  '\u212bcme',
  'a'.repeat(256),
  'a'.repeat(10_240),
]

for (const { name, suite, on, open } of attackedStores)
  suite(name, () => {
    describe.each(on)('$name', (framework) => {
      let store: ContractStore
      let remove: () => Promise<void>
      let server: Running
      let clients: Map<string, Registered>
      const any: Routes = {
        'ALL /any': (handlers) => [
          handlers.enforceClientId({ from: [headers(), query(), basicAuth()] }),
          handlers.limitBySla(),
        ],
      }

      beforeAll(async () => {
        ;({ store, remove } = await open())
        await defineTier(store, { api, name: 'gold', approval: 'manual', limits: [limitOf(100_000)], actor })
        const registered = new Map<string, Registered>()
        for (const id of strangeIds) registered.set(id, await approvedClient(store, id))
        clients = registered
        server = await framework.start({ api, store }, { routes: any })
      }, 120_000)
      afterAll(async () => {
        await server.close()
        await remove()
      })

      const of = (id: string): Registered => {
        const client = clients.get(id)
        if (client === undefined) throw new Error(`nobody registered ${id}`)
        return client
      }
      const inQuery = (clientId: string, secret: string): Promise<Answer> =>
        call(server.url, { path: `/any?client_id=${encodeURIComponent(clientId)}&client_secret=${secret}` })
      const inBasic = (clientId: string, secret: string): Promise<Answer> => {
        const value = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${secret}`).toString('base64')}`
        return ask(server, [['Authorization', value]], '/any')
      }
      const clientOf = (answer: Answer): unknown =>
        (answer.json as { admission?: { client?: { id?: string } } }).admission?.client?.id
      /** Every row but the versions of others: what must be as it was after an attack. */
      const row = async (clientId: string) => store.findClient({ issuer: 'local', clientId })

      it('#24 and #38 each ID is its own client, with its own secret, in every place', async () => {
        for (const id of strangeIds) {
          const { clientSecret } = of(id)
          const answers = [
            await ask(server, credentials({ clientId: id, clientSecret }), '/any'),
            await inQuery(id, clientSecret),
            await inBasic(id, clientSecret),
          ]
          expect(answers.map(clientOf)).toEqual([of(id).id, of(id).id, of(id).id])
        }
        expect(new Set(strangeIds.map((id) => of(id).id)).size).toBe(strangeIds.length)
        expect(({} as Record<string, unknown>)['id']).toBeUndefined()
      })

      it('#24 and #38 no ID is let in with the secret of another', async () => {
        const { clientSecret } = of('acme')
        const before = await Promise.all(strangeIds.map(row))
        for (const id of strangeIds.filter((each) => each !== 'acme')) {
          expectRefusal(await inQuery(id, clientSecret), 401, 'client_invalid')
          expectRefusal(await inBasic('acme', of(id).clientSecret), 401, 'client_invalid')
        }
        expect(await Promise.all(strangeIds.map(row))).toEqual(before)
        expect(clientOf(await inQuery('acme', clientSecret))).toBe(of('acme').id)
      })

      it.each(noIds)('#24 and #38 what is no ID finds nobody (%#)', async (id) => {
        const { clientSecret } = of('acme')
        const before = await row('acme')
        for (const answer of [
          await inQuery(id, clientSecret),
          ...(id.length > 8000 ? [] : [await inBasic(id, clientSecret)]),
        ]) {
          expectRefusal(answer, 401, 'client_invalid')
        }
        expect(await row('acme')).toEqual(before)
        expect(clientOf(await inQuery('acme', clientSecret))).toBe(of('acme').id)
      })

      it('#24 an empty ID is malformed, in every place', async () => {
        const { clientSecret } = of('acme')
        expectRefusal(await inQuery('', clientSecret), 400, 'credentials_malformed')
        expectRefusal(await inBasic('', clientSecret), 400, 'credentials_malformed')
        expectRefusal(
          await ask(server, credentials({ clientId: '', clientSecret }), '/any'),
          400,
          'credentials_malformed',
        )
        expect(clientOf(await inQuery('acme', clientSecret))).toBe(of('acme').id)
      })

      it('#38 nobody registers over another: not under his name, not under an alias of it', async () => {
        const before = await Promise.all(strangeIds.map(row))
        for (const clientId of strangeIds) {
          await expect(registerClient(store, { name: 'mallory', clientId, actor })).rejects.toMatchObject({
            code: 'ERR_CLIENTELE_STATE',
          })
        }
        for (const clientId of [...noIds, '']) {
          await expect(registerClient(store, { name: 'mallory', clientId, actor })).rejects.toMatchObject({
            code: 'ERR_CLIENTELE_INVALID',
          })
        }
        expect(await Promise.all(strangeIds.map(row))).toEqual(before)
      })

      it('#38 an alias that is an ID becomes another client, and the first one stays as it was', async () => {
        const { clientSecret } = of('acme')
        const before = await row('acme')
        for (const alias of ['aCME', 'acMe', 'acme:', 'acme-', 'acme_']) {
          const mallory = await approvedClient(store, alias)
          expect(mallory.id).not.toBe(of('acme').id)
          expectRefusal(await inQuery('acme', mallory.clientSecret), 401, 'client_invalid')
          expectRefusal(await inQuery(alias, clientSecret), 401, 'client_invalid')
          expect(clientOf(await inQuery(alias, mallory.clientSecret))).toBe(mallory.id)
          expect(await row('acme')).toEqual(before)
          expect(clientOf(await inQuery('acme', clientSecret))).toBe(of('acme').id)
        }
      })

      it('#30 takes no limit that is none, and keeps the tier that was there', async () => {
        const key = { api, name: 'gold' }
        const before = await store.findTier(api, 'gold')
        if (before === undefined) throw new Error('expected a tier')
        for (const limit of badLimits) {
          const limits = [limitOf(5, 3600), limit]
          const defined = defineTier(store, { ...key, approval: 'manual', limits, actor })
          await expect(defined, shown(limit)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
          const value = { ...before, version: before.version + 1, limits }
          const committed = store.commit([{ kind: 'tier', key, expect: before.version, value }])
          await expect(committed, shown(limit)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_INVALID' })
        }
        expect(await store.findTier(api, 'gold')).toEqual(before)
      })

      it('#50 is asked no more than the budget allows for IDs that nobody has, while known clients go on', async () => {
        let asked = 0
        const counting: ContractReader = {
          findClient: (identity) => {
            if (identity.clientId.startsWith('nobody-')) asked += 1
            return store.findClient(identity)
          },
          findContract: (client, of) => store.findContract(client, of),
          findTier: (of, tier) => store.findTier(of, tier),
        }
        const missesPerSecond = 10
        const cached = cachedStore(counting, { missesPerSecond, freshForMs: 600_000, staleForMs: 600_000 })
        const guarded = await framework.start({ api, store: cached }, { routes: any })
        const acme = credentials(of('acme'))
        expect((await ask(guarded, acme, '/any')).status).toBe(200)
        const begun = performance.now()
        const statuses = new Map<number, number>()
        for (let from = 0; from < 1000; from += 50) {
          const strangers = Array.from({ length: 50 }, (_, index) => `nobody-${String(from + index)}`)
          const sent = strangers.map((clientId) => ask(guarded, credentials({ clientId, clientSecret: 'x' }), '/any'))
          const known = ask(guarded, acme, '/any')
          for (const { status } of await Promise.all(sent)) statuses.set(status, (statuses.get(status) ?? 0) + 1)
          expect((await known).status).toBe(200)
        }
        const seconds = (performance.now() - begun) / 1000
        expect([...statuses.keys()].sort()).toEqual([401, 503])
        // What is saved up for a first second, and what has come in since.
        expect(asked).toBeLessThanOrEqual(missesPerSecond * (seconds + 2))
        expect(statuses.get(401)).toBe(asked)
        await guarded.close()
      })
    })
  })

/** A store of one's own, in which internal IDs are what the pairs say: public clients, each with one API. */
function ofPairs(pairs: readonly (readonly [client: string, api: string])[]): ContractReader {
  const changed = { version: 1, updatedAt: '2026-01-01T00:00:00.000Z', updatedBy: actor }
  const written = { ...changed, createdAt: changed.updatedAt }
  const has = (client: string, name: string): boolean => pairs.some((pair) => pair[0] === client && pair[1] === name)
  return {
    findClient: ({ issuer, clientId }): Client | undefined =>
      issuer === 'local' && pairs.some(([client]) => client === clientId)
        ? {
            ...written,
            id: clientId,
            name: clientId,
            type: 'public',
            state: 'active',
            identities: [{ issuer, clientId }],
            secrets: [],
          }
        : undefined,
    findContract: (client, name): Contract | undefined =>
      has(client, name) ? { ...written, client, api: name, state: 'approved', tier: 'gold', barred: false } : undefined,
    findTier: (name): Tier => ({
      ...changed,
      api: name,
      name: 'gold',
      approval: 'manual',
      state: 'active',
      limits: [limitOf(2)],
    }),
  }
}
