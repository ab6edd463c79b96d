import assert from 'node:assert/strict'
import { readAuditLog } from '../contracts/lifecycle/audit-chain.js'
import { registerClient } from '../contracts/lifecycle/clients.js'
import type { Change, ContractStore } from '../contracts/store.js'
import { addAudit, auditEntry, type BesideTests, type SuiteTests } from './contract-store-fixtures.js'

const invalid = { code: 'ERR_CLIENTELE_INVALID' }
const numbers = ['000000000001', '000000000002', '000000000010']

/** The log of who did what: a kind of record that only ever grows. */
export const audit: SuiteTests = {
  async 'keeps entries of the audit log, and lists them by client and API'(store) {
    const entries = numbers.map((entry, at) => auditEntry(entry, { client: `client${at % 2}`, api: 'orders' }))
    await store.commit(entries.map(addAudit))
    for (const entry of entries) assert.deepEqual(await store.find('audit', { entry: entry.entry }), entry)
    const { records } = await store.list<'audit'>({ kind: 'audit', client: 'client0' })
    assert.deepEqual(records.map(({ entry }) => entry).sort(), ['000000000001', '000000000010'])
    assert.equal((await store.list({ kind: 'audit', api: 'orders' })).records.length, 3)
  },

  async 'neither edits nor removes an entry of the audit log'(store) {
    const entry = auditEntry('000000000001')
    await store.commit([addAudit(entry)])
    const key = { entry: entry.entry }
    const edited = { ...entry, version: 2, actor: 'somebody else' }
    const attempts: Change[] = [
      { kind: 'audit', key, expect: 1, value: edited },
      { kind: 'audit', key, expect: 1, value: null },
    ]
    for (const change of attempts) await assert.rejects(store.commit([change]), invalid)
    await assert.rejects(store.commit([addAudit({ ...entry, actor: 'somebody else' })]), {
      code: 'ERR_CLIENTELE_CONFLICT',
    })
    assert.deepEqual(await store.find('audit', key), entry)
  },

  async 'chains the steps of many who act at the same moment'(store) {
    const names = Array.from({ length: 10 }, (_, at) => `client ${String(at)}`)
    await Promise.all(names.map((name) => registerClient(store, { name, actor: name })))
    assert.deepEqual((await actors(store)).sort(), names)
  },
}

/** The same log through two stores, where both may write. */
export const auditBeside: BesideTests = {
  async 'chains the steps of two stores that write at the same moment'(store, other) {
    const names = Array.from({ length: 10 }, (_, at) => `client ${String(at)}`)
    const writers = names.map((name, at) => registerClient(at % 2 === 0 ? store : other, { name, actor: name }))
    await Promise.all(writers)
    assert.deepEqual((await actors(store)).sort(), names)
    assert.deepEqual(await actors(other), await actors(store))
  },
}

async function actors(store: ContractStore): Promise<string[]> {
  const found: string[] = []
  for await (const { actor } of readAuditLog(store)) found.push(actor)
  return found
}
