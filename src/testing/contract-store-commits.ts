import assert from 'node:assert/strict'
import { recordSchemas } from '../contracts/schemas.js'
import type { Change, ContractStore, RecordKind } from '../contracts/store.js'
import {
  clientRecord,
  contractRecord,
  known,
  putClient,
  putContract,
  putTier,
  tierRecord,
  type SuiteTests,
} from './contract-store-fixtures.js'

const conflict = { code: 'ERR_CLIENTELE_CONFLICT' }
const invalid = { code: 'ERR_CLIENTELE_INVALID' }

/** All or nothing, and of two writers one. */
export const commits: SuiteTests = {
  async 'refuses to create what is there and to edit or delete what is not'(store) {
    const contract = contractRecord('one', 'orders')
    await assert.rejects(store.commit([putContract({ ...contract, version: 2 }, 1)]), conflict)
    await assert.rejects(store.commit([removal(1)]), conflict)
    await store.commit([putContract(contract)])
    await assert.rejects(store.commit([putContract({ ...contract, version: contract.version + 1 })]), conflict)
    await assert.rejects(store.commit([removal(contract.version - 1)]), conflict)
    assert.deepEqual(await store.findContract('one', 'orders'), contract)
  },

  async 'changes all records of a commit or none'(store) {
    const tier = tierRecord('orders', 'gold')
    await store.commit([putTier(tier)])
    const late = putTier({ ...tier, version: tier.version + 1 }, tier.version - 1)
    await assert.rejects(store.commit([...known('one'), putContract(contractRecord('one', 'orders')), late]), conflict)
    assert.equal(await store.find('client', { id: 'one' }), undefined)
    assert.equal(await store.findContract('one', 'orders'), undefined)
    assert.deepEqual(await store.findTier('orders', 'gold'), tier)
    assert.deepEqual((await store.list({ kind: 'contract', api: 'orders' })).records, [])
  },

  async 'checks an expectation without a value and changes nothing by it'(store) {
    const tier = tierRecord('orders', 'gold')
    await store.commit([putTier(tier)])
    const key = { api: 'orders', name: 'gold' }
    await store.commit([{ kind: 'tier', key, expect: tier.version }, putContract(contractRecord('one', 'orders'))])
    assert.deepEqual(await store.findTier('orders', 'gold'), tier)
    const second = putContract(contractRecord('two', 'orders'))
    await assert.rejects(store.commit([{ kind: 'tier', key, expect: tier.version + 1 }, second]), conflict)
    await assert.rejects(store.commit([{ kind: 'tier', key, expect: null }, second]), conflict)
    assert.equal(await store.findContract('two', 'orders'), undefined)
    await store.commit([{ kind: 'tier', key: { api: 'orders', name: 'none' }, expect: null }, second])
    assert.notEqual(await store.findContract('two', 'orders'), undefined)
  },

  async 'lets exactly one of many writers win each round'(store) {
    let current = clientRecord('one')
    await store.commit([putClient(current)])
    for (let round = 0; round < 10; round++) {
      const { version } = current
      const attempts = Array.from({ length: 20 }, (_, writer) =>
        store.commit([
          putClient({ ...current, version: version + 1, name: `${String(round)}.${String(writer)}` }, version),
        ]),
      )
      await requireOneWinner(attempts)
      const after = await store.find('client', { id: 'one' })
      assert.ok(after)
      assert.equal(after.version, version + 1)
      current = after
    }
  },

  async 'lets exactly one of many creators win'(store) {
    const attempts = Array.from({ length: 20 }, (_, writer) =>
      store.commit([putContract(contractRecord('one', 'orders', { reason: String(writer) }))]),
    )
    await requireOneWinner(attempts)
    assert.equal((await store.list({ kind: 'contract', client: 'one' })).records.length, 1)
  },

  async 'refuses records that are not valid, and writes nothing beside them'(store) {
    for (const change of invalidChanges()) {
      await assert.rejects(store.commit([...known('one'), change]), invalid)
    }
    await assert.rejects(store.commit([...known('one'), ...known('one')]), invalid)
    await assertEmpty(store)
  },
}

function removal(expect: number): Change {
  return { kind: 'contract', key: { client: 'one', api: 'orders' }, expect, value: null }
}

async function requireOneWinner(attempts: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(attempts)
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal((outcome.reason as { code?: unknown }).code, conflict.code)
  }
}

/** Limits as a careless caller might write them (each must be refused), and records that do not fit their change. */
function invalidChanges(): Change[] {
  const requests = [NaN, undefined, '10', -1, 0, Infinity, 1.5]
  const windows = [NaN, undefined, '10', -1, 0, Infinity, 0.05, 367 * 86_400]
  const tier = tierRecord('orders', 'gold')
  const [limit] = tier.limits
  const limitLists: unknown[] = [
    [],
    [limit, limit],
    ...requests.map((value) => [{ ...limit, requests: value }]),
    ...windows.map((value) => [{ ...limit, windowSeconds: value }]),
  ]
  const contract = contractRecord('one', 'orders')
  return [
    ...limitLists.map((limits) => putTier({ ...tier, limits } as typeof tier)),
    putContract({ ...contract, state: 'granted' } as unknown as typeof contract),
    putContract({ ...contract, extra: true } as typeof contract),
    { kind: 'contract', key: { client: 'two', api: 'orders' }, expect: null, value: contract },
    putContract(contract, contract.version),
  ]
}

async function assertEmpty(store: ContractStore): Promise<void> {
  for (const kind of Object.keys(recordSchemas) as RecordKind[]) {
    assert.deepEqual((await store.list({ kind })).records, [])
  }
}
