import { registerClient, requestContract, type Client, type Contract, type ContractStore } from 'clientele'
import { clientele } from 'clientele/express'
import { keyvStore, type KeyvStoreOptions } from 'clientele/keyv'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import { FailingAdapter, FailingAdapterForMany, manners, type Manner } from './failing-adapter.js'
import { describeEachMajor, type KeyvClass } from './keyv-majors.js'

const actor = 'test'
const outage = { code: 'ERR_CLIENTELE_STORE', status: 503 }
const soleWriter = { soleWriter: true, timeoutMs: 2000 } as const

interface World {
  readonly store: ContractStore
  readonly client: Client
  readonly contract: Contract
  readonly headers: readonly (readonly [string, string])[]
}

async function worldOn(store: ContractStore): Promise<World> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  const contract = await requestContract(store, { client: client.id, api: 'orders', actor })
  const headers = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ] as const
  return { store, client, contract, headers }
}

function edit({ store, contract }: World, reason: string): Promise<void> {
  const { client, api, version } = contract
  const value = { ...contract, version: version + 1, reason }
  return store.commit([{ kind: 'contract', key: { client, api }, expect: version, value }])
}

function remove({ store, contract: { client, api, version } }: World): Promise<void> {
  return store.commit([{ kind: 'contract', key: { client, api }, expect: version, value: null }])
}

const finds: Readonly<Record<string, (world: World) => unknown>> = {
  'a client by its identity': ({ store, client }) => store.findClient(client.identities[0]!),
  'a client by an identity that nobody has': ({ store }) => store.findClient({ issuer: 'local', clientId: 'nobody' }),
  'a contract': ({ store, contract }) => store.findContract(contract.client, contract.api),
  'a contract that is not there': ({ store, contract }) => store.findContract(contract.client, 'other'),
  'a tier that is not there': ({ store }) => store.findTier('orders', 'none'),
  'a list': ({ store }) => store.list({ kind: 'contract' }),
}

const writes: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a record that is edited': (world) => edit(world, 'edited'),
  'a record that is removed': remove,
  'a client that is registered': ({ store }) => registerClient(store, { name: 'other', actor }),
}

async function expectOutages(world: World, attempts: Readonly<Record<string, (world: World) => unknown>>) {
  for (const [name, attempt] of Object.entries(attempts)) {
    await expect((async () => attempt(world))(), name).rejects.toMatchObject(outage)
  }
}

async function expectWhole(world: World): Promise<void> {
  const { store, client, contract } = world
  expect(await store.findClient(client.identities[0]!)).toEqual(client)
  expect(await store.findContract(contract.client, contract.api)).toEqual(contract)
  expect(await store.findContract(contract.client, 'other')).toBeUndefined()
  expect((await store.list({ kind: 'contract' })).records).toEqual([contract])
  await edit(world, 'after')
  expect(await store.findContract(contract.client, contract.api)).toMatchObject({ reason: 'after' })
}

function guarded(store: ContractStore): Promise<Running> {
  const { enforceClientId } = clientele({ api: 'orders', store, onDecision: () => undefined })
  const app = express()
  app.get('/', enforceClientId(), (_req, res) => void res.json({}))
  return listen(app)
}

const combinations = manners.flatMap((manner) =>
  [FailingAdapter, FailingAdapterForMany].flatMap((Adapter) =>
    [false, true].flatMap((listener) =>
      [false, true].map((throwOnErrors) => ({ manner, Adapter, listener, throwOnErrors })),
    ),
  ),
)

const titleOf = ({ manner, Adapter, listener, throwOnErrors }: (typeof combinations)[number]): string =>
  [
    `an adapter that ${manner}`,
    ...(Adapter === FailingAdapterForMany ? ['is asked for many'] : []),
    ...(listener ? ['a listener'] : []),
    ...(throwOnErrors ? ['throwOnErrors'] : []),
  ].join(', ')

describeEachMajor('keyvStore in an outage', (Keyv) => {
  describe.each(combinations.map((combination) => [titleOf(combination), combination] as const))('%s', (_, each) => {
    async function world(options: KeyvStoreOptions = soleWriter) {
      const adapter = new each.Adapter(each.manner)
      const keyv = new Keyv({ store: adapter, throwOnErrors: each.throwOnErrors })
      if (each.listener) keyv.on('error', () => undefined)
      return { adapter, ...(await worldOn(keyvStore(keyv, options))) }
    }

    it('says that it does not know, and knows everything afterwards', async () => {
      const own = await world()
      own.adapter.fail('get', 'set', 'delete')
      await expectOutages(own, { ...finds, ...writes })
      own.adapter.recover()
      await expectWhole(own)
    })

    it('says so where reading alone fails', async () => {
      const own = await world()
      own.adapter.fail('get')
      await expectOutages(own, { ...finds, ...writes })
      own.adapter.recover()
      await expectWhole(own)
    })

    it('says so where writing alone fails, and goes on finding', async () => {
      const own = await world()
      own.adapter.fail('set')
      await expectOutages(own, writes)
      expect(await own.store.findContract(own.contract.client, 'orders')).toEqual(own.contract)
      own.adapter.recover()
      await expectWhole(own)
    })

    it('does not find again what could not be deleted, and deletes it before the next commit', async () => {
      const own = await world()
      own.adapter.fail('delete')
      await remove(own)
      expect(await own.store.findContract(own.contract.client, 'orders')).toBeUndefined()
      expect((await own.store.list({ kind: 'contract' })).records).toEqual([])
      await expectOutages(own, { 'the next commit': writes['a client that is registered']! })
      own.adapter.recover()
      await registerClient(own.store, { name: 'next', actor })
      expect([...own.adapter.rows.keys()].filter((key) => key.includes('clientele/contract/'))).toEqual([])
    })

    it('answers 503, and 401 only when it knows', async () => {
      const own = await world()
      const server = await guarded(own.store)
      const strangers = [['client_id', 'nobody'] as const, ['client_secret', 'x'] as const]
      try {
        for (const [headers, status] of [
          [own.headers, 200],
          [strangers, 401],
        ] as const) {
          expect((await call(server.url, { headers })).status).toBe(status)
          own.adapter.fail('get')
          expect((await call(server.url, { headers })).json).toMatchObject(outage)
          own.adapter.recover()
          expect((await call(server.url, { headers })).status).toBe(status)
        }
      } finally {
        await server.close()
      }
    })
  })

  it.each(['throws', 'reports'] as const)('an adapter that %s for one key alone is not believed', async (manner) => {
    const { adapter, store, contract } = await onAdapter(Keyv, manner)
    adapter.onlyFor = (key) => key.includes('/contract/')
    adapter.fail('get')
    await expect(store.findContract(contract.client, 'orders')).rejects.toMatchObject(outage)
    await expect(store.findContract(contract.client, 'other')).rejects.toMatchObject(outage)
    expect(await store.findTier('orders', 'none')).toBeUndefined()
  })

  it('takes no answer for a success that says it is none, nor one that is not true', async () => {
    const untrue: Readonly<Record<string, (key: string, value: string, rows: Map<string, unknown>) => boolean>> = {
      'written, and denied': (key, value, rows) => rows.set(key, value) !== rows && false,
      'not written, and claimed': () => true,
      'cut off in the value': (key, value, rows) => rows.set(key, value.slice(0, 200)) === rows,
      'cut off in the key': (key, value, rows) => rows.set(key.slice(0, 40), value) === rows,
    }
    for (const [name, set] of Object.entries(untrue)) {
      const own = await onAdapter(Keyv, 'throws')
      own.adapter.set = async (key: string, value: unknown) => set(key, String(value), own.adapter.rows)
      await expectOutages(own, { [name]: writes['a record that is edited']! })
      await expectOutages(own, { [name]: writes['a client that is registered']! })
    }
  })

  it.each(['', '{', 'text', '{"value":7}', '{"value":{}}', '{"value":"{"}', '{"value":"{}"}', '{"value":"null"}'])(
    'takes a row that holds %s for no answer',
    async (text) => {
      const { adapter, store, contract } = await onAdapter(Keyv, 'throws')
      const row = [...adapter.rows.keys()].find((key) => key.includes('clientele/contract/'))!
      adapter.rows.set(row, text)
      await expect(store.findContract(contract.client, 'orders')).rejects.toMatchObject(outage)
    },
  )
})

async function onAdapter(Keyv: KeyvClass, manner: Manner) {
  const adapter = new FailingAdapter(manner)
  return { adapter, ...(await worldOn(keyvStore(new Keyv({ store: adapter }), soleWriter))) }
}
