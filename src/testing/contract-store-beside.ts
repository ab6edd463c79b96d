import assert from 'node:assert/strict'
import type { Contract } from '../contracts/model.js'
import type { ContractStore } from '../contracts/store.js'
import { contractRecord, known, putContract, type BesideTests } from './contract-store-fixtures.js'

/** Two stores over the same records, as two processes have them. */
export const beside: BesideTests = {
  async 'shows what another store has written to the very next find and list'(store, other) {
    for (const reason of ['1', '2', '3']) {
      await write(store, reason, await current(store))
      assert.equal((await current(other))?.reason, reason)
    }
    await store.commit(known('one'))
    assert.equal((await other.findClient({ issuer: 'local', clientId: 'one' }))?.id, 'one')
    assert.equal((await other.list({ kind: 'contract', client: 'one' })).records.length, 1)
  },

  async 'tells watchers of what another store has written, or that something may have been, if it has any'(
    store,
    other,
  ) {
    const watcher = { told: (): void => undefined }
    const tell = (): void => {
      watcher.told()
    }
    const stop = store.watch?.(tell, tell)
    if (stop === undefined) return
    for (const reason of ['1', '2']) {
      const before = await current(other)
      const told = new Promise<void>((resolve) => {
        watcher.told = resolve
      })
      await write(other, reason, before)
      await told
    }
    stop()
  },

  async 'loses no update when two stores write in turn'(store, other) {
    let last: string | undefined
    for (let round = 0; round < 10; round++) {
      for (const writer of [store, other]) {
        const reason = `${String(round)} ${writer === store ? 'one' : 'other'}`
        // A store that cannot share the work refuses it, rather than writing over what the other has written.
        if (await writes(writer, reason, await current(writer))) last = reason
        else assert.equal(writer.capabilities.atomicCommits, false)
        for (const reader of [store, other]) assert.equal((await current(reader))?.reason, last)
      }
    }
    assert.notEqual(last, undefined)
  },
}

/** What only a store promises whose commits are atomic among all processes. */
export const besideAtOnce: BesideTests = {
  async 'lets exactly one of two stores win that write at the same moment'(store, other) {
    for (let round = 0; round < 20; round++) {
      const before = await current(store)
      const attempts = [store, other].map((writer, at) => writes(writer, `${String(round)} ${String(at)}`, before))
      assert.deepEqual((await Promise.all(attempts)).sort(), [false, true])
    }
  },
}

async function current(store: ContractStore): Promise<Contract | undefined> {
  return store.findContract('one', 'orders')
}

function write(store: ContractStore, reason: string, before: Contract | undefined): Promise<void> {
  return store.commit([putContract(contractRecord('one', 'orders', { reason }), before?.version ?? null)])
}

async function writes(...attempt: Parameters<typeof write>): Promise<boolean> {
  return write(...attempt).then(
    () => true,
    () => false,
  )
}
