import assert from 'node:assert/strict'
import type { ContractStore, ListQuery, RecordKind, Records } from '../contracts/store.js'
import {
  clientRecord,
  contractRecord,
  known,
  linkRecord,
  putClient,
  putContract,
  putLink,
  putRegistration,
  putTier,
  registrationRecord,
  tierRecord,
  type SuiteTests,
} from './contract-store-fixtures.js'

const invalid = { code: 'ERR_CLIENTELE_INVALID' }

/** Lists by kind, API, client and state, page by page. */
export const lists: SuiteTests = {
  async 'lists by API, client and state, alone and together'(store) {
    await store.commit([
      putContract(contractRecord('one', 'orders')),
      putContract(contractRecord('one', 'reports', { state: 'pending' })),
      putContract(contractRecord('two', 'orders', { state: 'pending' })),
      putContract(contractRecord('two', 'orders2')),
      putTier(tierRecord('orders', 'gold')),
      putTier(tierRecord('reports', 'gold', { state: 'deprecated' })),
      putClient(clientRecord('off', { state: 'disabled' })),
      putLink(linkRecord('held', 'off')),
      putLink(linkRecord('free', null)),
    ])
    await expectContracts(store, { api: 'orders' }, ['one orders', 'two orders'])
    await expectContracts(store, { client: 'two' }, ['two orders', 'two orders2'])
    await expectContracts(store, { state: 'pending' }, ['one reports', 'two orders'])
    await expectContracts(store, { api: 'orders', state: 'pending' }, ['two orders'])
    await expectContracts(store, { client: 'one', api: 'orders', state: 'pending' }, [])
    assert.deepEqual((await store.list({ kind: 'tier', api: 'orders' })).records.length, 1)
    assert.deepEqual((await store.list({ kind: 'tier', state: 'deprecated' })).records.length, 1)
    assert.deepEqual((await store.list({ kind: 'client', state: 'disabled' })).records.length, 1)
    const held = await store.list<'identity'>({ kind: 'identity', client: 'off' })
    assert.deepEqual(
      held.records.map(({ clientId }) => clientId),
      ['held'],
    )
  },

  async 'keeps registrations at issuers, and lists them by client and state'(store) {
    const metadata = {
      name: 'Shop',
      redirectUris: ['https://shop.example/cb'],
      jwks: { keys: [{ kty: 'OKP', x: 'é' }] },
    }
    const active = registrationRecord('one', { client: 'shop', clientId: 'app', metadata })
    const broken = registrationRecord('two', { state: 'registering', client: 'shop' })
    await store.commit([active, broken, registrationRecord('three')].map((each) => putRegistration(each)))
    assert.deepEqual(await store.find('registration', { id: 'one' }), active)
    assert.equal((await store.list({ kind: 'registration', client: 'shop' })).records.length, 2)
    assert.deepEqual((await store.list({ kind: 'registration', state: 'registering' })).records, [broken])
  },

  async 'lists a record under what it is now, not under what it was'(store) {
    const contract = contractRecord('one', 'orders', { state: 'pending' })
    await store.commit([putContract(contract)])
    await store.commit([
      putContract({ ...contract, version: contract.version + 1, state: 'approved' }, contract.version),
    ])
    await expectContracts(store, { state: 'pending' }, [])
    await expectContracts(store, { state: 'approved' }, ['one orders'])
  },

  async 'gives every record once over pages, also while others come and go'(store) {
    const ids = Array.from({ length: 25 }, (_, index) => `client${String(index).padStart(2, '0')}`)
    await store.commit(ids.flatMap((id) => [...known(id), putContract(contractRecord(id, 'orders'))]))
    assert.deepEqual((await everyPage(store, { kind: 'client', pageSize: 7 })).map(({ id }) => id).sort(), ids)
    const contracts = await everyPage<'contract'>(store, {
      kind: 'contract',
      api: 'orders',
      state: 'approved',
      pageSize: 5,
    })
    assert.deepEqual(contracts.map(({ client }) => client).sort(), ids)
    const first = await store.list<'client'>({ kind: 'client', pageSize: 10 })
    const [gone] = first.records
    assert.ok(gone)
    await store.commit([{ kind: 'client', key: { id: gone.id }, expect: gone.version, value: null }])
    const rest = await everyPage<'client'>(store, { kind: 'client', pageSize: 10, cursor: first.cursor ?? '' })
    assert.equal(new Set([...first.records, ...rest].map(({ id }) => id)).size, ids.length)
  },

  async 'ends a list that is exactly one page without a cursor'(store) {
    await store.commit([...known('one'), ...known('two')])
    const page = await store.list({ kind: 'client', pageSize: 2 })
    assert.equal(page.records.length, 2)
    assert.equal(page.cursor, undefined)
  },

  async 'refuses page sizes out of range and filters that a kind does not have'(store) {
    for (const pageSize of [0, -1, 1001, 1.5, NaN]) {
      await assert.rejects(store.list({ kind: 'client', pageSize }), invalid)
    }
    await assert.rejects(store.list({ kind: 'client', api: 'orders' }), invalid)
    await assert.rejects(store.list({ kind: 'clients' as RecordKind }), invalid)
  },
}

async function expectContracts(
  store: ContractStore,
  filter: Omit<ListQuery, 'kind'>,
  expected: readonly string[],
): Promise<void> {
  const { records } = await store.list<'contract'>({ kind: 'contract', ...filter })
  assert.deepEqual(records.map(({ client, api }) => `${client} ${api}`).sort(), expected)
}

async function everyPage<K extends RecordKind>(
  store: ContractStore,
  query: ListQuery<K>,
): Promise<Records[K]['value'][]> {
  const records: Records[K]['value'][] = []
  let cursor = query.cursor
  do {
    const page = await store.list<K>(cursor === undefined ? query : { ...query, cursor })
    records.push(...page.records)
    cursor = page.cursor
  } while (cursor !== undefined)
  return records
}
