import assert from 'node:assert/strict'
import type { ContractStore } from '../contracts/store.js'
import { testBasics } from './contract-store-basics.js'
import { testCommits } from './contract-store-commits.js'
import {
  contractRecord,
  known,
  putContract,
  type ContractStoreSuite,
  type SuiteContext,
} from './contract-store-fixtures.js'
import { testIds } from './contract-store-ids.js'
import { testLists } from './contract-store-lists.js'

/**
 * For the author of a contract store: the tests that every store of this package passes, under your own runner.
 * `makeStore` is called once per test and must give an empty store; each is closed when its test is over.
 *
 * @example
 * testContractStore('my store', () => myStore({ table: randomName() }), { describe, it })
 */
export function testContractStore(
  name: string,
  makeStore: () => ContractStore | Promise<ContractStore>,
  suite: ContractStoreSuite,
): void {
  const context: SuiteContext = {
    on(title, body) {
      suite.it(title, async () => {
        await withStore(await makeStore(), body)
      })
    },
  }
  suite.describe(name, () => {
    testBasics(context)
    testCommits(context)
    testLists(context)
    testIds(context)
    testWatching(context)
    if (suite.openAgain !== undefined) testOpeningAgain(suite, makeStore, suite.openAgain)
  })
}

async function withStore(store: ContractStore, body: (store: ContractStore) => Promise<void>): Promise<void> {
  try {
    await body(store)
  } finally {
    await store.close?.()
  }
}

function testWatching({ on }: SuiteContext): void {
  on('tells watchers of each commit, if it says that it can', async (store) => {
    assert.equal(store.capabilities.watch, store.watch !== undefined)
    const told = new Promise<void>((resolve) => {
      const stop = store.watch?.((keys) => {
        stop?.()
        assert.deepEqual(
          keys.map(({ kind }) => kind),
          ['client', 'identity'],
        )
        resolve()
      })
      if (stop === undefined) resolve()
    })
    await store.commit(known('one'))
    await told
  })
}

function testOpeningAgain(
  suite: ContractStoreSuite,
  makeStore: () => ContractStore | Promise<ContractStore>,
  openAgain: () => ContractStore | Promise<ContractStore>,
): void {
  suite.it('has every committed record when it is opened again', async () => {
    const contract = contractRecord('one', 'orders')
    await withStore(await makeStore(), (store) => store.commit([...known('one'), putContract(contract)]))
    await withStore(await openAgain(), async (store) => {
      assert.equal((await store.findClient({ issuer: 'local', clientId: 'one' }))?.id, 'one')
      assert.deepEqual(await store.findContract('one', 'orders'), contract)
      assert.deepEqual((await store.list({ kind: 'contract', api: 'orders' })).records, [contract])
    })
  })
}
