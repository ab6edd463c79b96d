import assert from 'node:assert/strict'
import type { ContractStore } from '../contracts/store.js'
import { basics } from './contract-store-basics.js'
import { commits } from './contract-store-commits.js'
import {
  contractRecord,
  known,
  putContract,
  type ContractStoreSuite,
  type SuiteTests,
} from './contract-store-fixtures.js'
import { ids } from './contract-store-ids.js'
import { lists } from './contract-store-lists.js'

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
  const { openAgain } = suite
  suite.describe(name, () => {
    for (const [title, test] of Object.entries({ ...basics, ...commits, ...lists, ...ids, ...watching })) {
      suite.it(title, async () => {
        await withStore(await makeStore(), test)
      })
    }
    if (openAgain === undefined) return
    suite.it('has every committed record when it is opened again', async () => {
      await testOpeningAgain(makeStore, openAgain)
    })
  })
}

async function withStore(store: ContractStore, body: (store: ContractStore) => Promise<void>): Promise<void> {
  try {
    await body(store)
  } finally {
    await store.close?.()
  }
}

const watching: SuiteTests = {
  async 'tells watchers of each commit, if it has any'(store) {
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
  },
}

async function testOpeningAgain(
  makeStore: () => ContractStore | Promise<ContractStore>,
  openAgain: () => ContractStore | Promise<ContractStore>,
): Promise<void> {
  const contract = contractRecord('one', 'orders')
  await withStore(await makeStore(), (store) => store.commit([...known('one'), putContract(contract)]))
  await withStore(await openAgain(), async (store) => {
    assert.equal((await store.findClient({ issuer: 'local', clientId: 'one' }))?.id, 'one')
    assert.deepEqual(await store.findContract('one', 'orders'), contract)
    assert.deepEqual((await store.list({ kind: 'contract', api: 'orders' })).records, [contract])
  })
}
