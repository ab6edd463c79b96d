import assert from 'node:assert/strict'
import type { ContractStore } from '../contracts/store.js'
import { audit, auditBeside } from './contract-store-audit.js'
import { basics } from './contract-store-basics.js'
import { beside, besideAtOnce } from './contract-store-beside.js'
import { commits } from './contract-store-commits.js'
import {
  contractRecord,
  known,
  putContract,
  type BesideTests,
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
  const { openAgain, openBeside, atomicCommits = true } = suite
  suite.describe(name, () => {
    for (const [title, test] of Object.entries({ ...basics, ...commits, ...lists, ...ids, ...audit, ...watching })) {
      suite.it(title, async () => {
        await withStore(await makeStore(), test)
      })
    }
    if (openAgain !== undefined) {
      suite.it('has every committed record when it is opened again', async () => {
        await testOpeningAgain(makeStore, openAgain)
      })
    }
    if (openBeside === undefined) return
    for (const [title, test] of Object.entries(beside)) suite.it(title, () => withTwo(makeStore, openBeside, test))
    const leftOut = atomicCommits ? '' : 'left out, because capabilities.atomicCommits is false: '
    for (const [title, test] of Object.entries({ ...besideAtOnce, ...auditBeside })) {
      suite.it(leftOut + title, () =>
        withTwo(makeStore, openBeside, async (store, other) => {
          assert.equal(store.capabilities.atomicCommits, atomicCommits)
          if (atomicCommits) await test(store, other)
        }),
      )
    }
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

type MakeStore = () => ContractStore | Promise<ContractStore>

async function withTwo(makeStore: MakeStore, openBeside: MakeStore, test: BesideTests[string]): Promise<void> {
  await withStore(await makeStore(), async (store) => {
    await withStore(await openBeside(), (other) => test(store, other))
  })
}

async function testOpeningAgain(makeStore: MakeStore, openAgain: MakeStore): Promise<void> {
  const contract = contractRecord('one', 'orders')
  await withStore(await makeStore(), (store) => store.commit([...known('one'), putContract(contract)]))
  await withStore(await openAgain(), async (store) => {
    assert.equal((await store.findClient({ issuer: 'local', clientId: 'one' }))?.id, 'one')
    assert.deepEqual(await store.findContract('one', 'orders'), contract)
    assert.deepEqual((await store.list({ kind: 'contract', api: 'orders' })).records, [contract])
  })
}
