import assert from 'node:assert/strict'
import {
  clientRecord,
  contractRecord,
  known,
  linkRecord,
  putClient,
  putContract,
  putLink,
  putRevocation,
  putTier,
  revocationRecord,
  tierRecord,
  type SuiteTests,
} from './contract-store-fixtures.js'

/** What is written is found, what is not there is `undefined`, and what is closed does not know. */
export const basics: SuiteTests = {
  async 'answers undefined for what is not there'(store) {
    assert.equal(await store.findClient({ issuer: 'local', clientId: 'nobody' }), undefined)
    assert.equal(await store.findContract('nobody', 'orders'), undefined)
    assert.equal(await store.findTier('orders', 'gold'), undefined)
    assert.equal(await store.find('identity', { issuer: 'local', clientId: 'nobody' }), undefined)
  },

  async 'finds each kind of record as it was written'(store) {
    const client = clientRecord('one', {
      owner: 'Ann',
      identities: [{ issuer: 'https://idp.example', clientId: 'one' }],
    })
    const link = linkRecord('one', 'one', 'https://idp.example')
    const contract = contractRecord('one', 'orders', { tier: 'gold' })
    const tier = tierRecord('orders', 'gold')
    await store.commit([putClient(client), putLink(link), putContract(contract), putTier(tier)])
    assert.deepEqual(await store.findClient({ issuer: 'https://idp.example', clientId: 'one' }), client)
    assert.deepEqual(await store.find('client', { id: 'one' }), client)
    assert.deepEqual(await store.find('identity', { issuer: 'https://idp.example', clientId: 'one' }), link)
    assert.deepEqual(await store.findContract('one', 'orders'), contract)
    assert.deepEqual(await store.findTier('orders', 'gold'), tier)
  },

  async 'keeps revoked tokens, whatever their names'(store) {
    const targets = ['token:a', 'token:A', 'token:a b/c:d', 'subject:auth0|ü', `token:${'x'.repeat(1000)}`] as const
    const records = targets.map((target) => revocationRecord(target, { issuedBefore: '2026-01-02T03:04:05.678Z' }))
    await store.commit(records.map((record) => putRevocation(record)))
    for (const record of records) {
      const { issuer, target } = record
      assert.deepEqual(await store.find('revocation', { issuer, target }), record)
      assert.equal(await store.find('revocation', { issuer: 'https://other.example', target }), undefined)
    }
    const page = await store.list({ kind: 'revocation' })
    assert.deepEqual(new Set(page.records.map(({ target }) => target)), new Set(targets))
    const [first] = records
    assert.ok(first)
    const { issuer, target, version: expect } = first
    await store.commit([{ kind: 'revocation', key: { issuer, target }, expect, value: null }])
    assert.equal(await store.find('revocation', { issuer, target }), undefined)
    assert.equal((await store.list({ kind: 'revocation' })).records.length, targets.length - 1)
  },

  async 'finds a client by its identity, not by its internal ID or another issuer'(store) {
    await store.commit([putClient(clientRecord('internal')), putLink(linkRecord('outside', 'internal'))])
    assert.equal((await store.findClient({ issuer: 'local', clientId: 'outside' }))?.id, 'internal')
    assert.equal(await store.findClient({ issuer: 'local', clientId: 'internal' }), undefined)
    assert.equal(await store.findClient({ issuer: 'https://idp.example', clientId: 'outside' }), undefined)
  },

  async 'finds no client by an identity whose client was removed'(store) {
    await store.commit([putLink(linkRecord('gone', null))])
    assert.equal(await store.findClient({ issuer: 'local', clientId: 'gone' }), undefined)
    assert.equal((await store.find('identity', { issuer: 'local', clientId: 'gone' }))?.client, null)
  },

  async 'shows an edit to the very next find'(store) {
    await store.commit(known('one'))
    const before = await store.find('client', { id: 'one' })
    assert.ok(before)
    await store.commit([putClient({ ...before, version: before.version + 1, name: 'Edited' }, before.version)])
    assert.equal((await store.findClient({ issuer: 'local', clientId: 'one' }))?.name, 'Edited')
  },

  async 'deletes, and lets the key be used again'(store) {
    const first = contractRecord('one', 'orders')
    await store.commit([putContract(first)])
    const key = { client: 'one', api: 'orders' }
    await store.commit([{ kind: 'contract', key, expect: first.version, value: null }])
    assert.equal(await store.findContract('one', 'orders'), undefined)
    assert.deepEqual((await store.list({ kind: 'contract', client: 'one' })).records, [])
    const second = contractRecord('one', 'orders', { state: 'pending' })
    await store.commit([putContract(second)])
    assert.deepEqual(await store.findContract('one', 'orders'), second)
  },

  async 'hands over records that nobody can change'(store) {
    await store.commit(known('one'))
    const client = await store.find('client', { id: 'one' })
    assert.ok(client)
    assert.throws(() => Object.assign(client, { state: 'disabled' }), TypeError)
    assert.equal((await store.find('client', { id: 'one' }))?.state, 'active')
  },

  async 'keeps its own copy of what it was given'(store) {
    const contract = contractRecord('one', 'orders', { state: 'pending' })
    await store.commit([putContract(contract)])
    Object.assign(contract, { state: 'approved' })
    assert.equal((await store.findContract('one', 'orders'))?.state, 'pending')
  },

  async 'rejects or throws once it is closed, rather than knowing nothing'(store) {
    await store.commit(known('one'))
    await store.close?.()
    const failure = { code: 'ERR_CLIENTELE_STORE' }
    await assert.rejects(async () => store.findClient({ issuer: 'local', clientId: 'one' }), failure)
    await assert.rejects(async () => store.findContract('one', 'orders'), failure)
    await assert.rejects(store.commit(known('two')), failure)
    await assert.rejects(store.list({ kind: 'client' }), failure)
  },
}
