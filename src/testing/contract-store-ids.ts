import assert from 'node:assert/strict'
import type { Change } from '../contracts/store.js'
import {
  clientRecord,
  contractRecord,
  known,
  linkRecord,
  putClient,
  putContract,
  putLink,
  putTier,
  tierRecord,
  type SuiteTests,
} from './contract-store-fixtures.js'

const longest = 'a'.repeat(255)

/** Valid IDs that a careless backend would take for one another, for a pattern, a path or a member of every object. */
const validIds = [
  'acme',
  'ACME',
  'Acme',
  '__proto__',
  'constructor',
  'a::b',
  'a:b',
  '_',
  '../x',
  '..',
  '.',
  '/',
  'a/b',
  '@',
]
const longIds = [longest, `${longest.slice(1)}b`, longest.slice(1)]

/** No ID at all: accents, spaces, wildcards, NUL, too long, empty, and one name in two Unicode forms. */
const invalidIds = [
  '',
  ' ',
  'acme ',
  ' acme',
  'acmé',
  'acme\u0301',
  '%',
  '*',
  'a\0',
  'acme\0',
  'a'.repeat(256),
  'a'.repeat(10_240),
]

/** Any text may name a tier. */
const tierNames = [
  'gold',
  'Gold',
  'gold ',
  'göld',
  'go\u0308ld',
  'go"ld',
  'gold\r\nx: y',
  '🥇',
  '%',
  '__proto__',
  'g'.repeat(255),
]

/** Nobody gets in under a name that is almost another's (attacks 24 and 38). */
export const ids: SuiteTests = {
  async 'keeps IDs apart that differ in case, punctuation or the last of 255 characters'(store) {
    const ids = [...validIds, ...longIds]
    for (const id of ids) await store.commit([...known(id), putContract(contractRecord(id, 'orders'))])
    for (const id of ids) {
      assert.equal((await store.findClient({ issuer: 'local', clientId: id }))?.id, id)
      assert.equal((await store.findContract(id, 'orders'))?.client, id)
    }
    assert.equal((await store.list({ kind: 'contract', client: '_' })).records.length, 1)
    assert.equal((await store.list({ kind: 'contract', api: 'orders' })).records.length, ids.length)
    assert.equal(({} as Record<string, unknown>)['orders'], undefined)
  },

  async 'does not find one by the other of two such IDs, and does not write it'(store) {
    const [client, link] = [clientRecord('acme'), linkRecord('acme', 'acme')]
    await store.commit([putClient(client), putLink(link)])
    for (const id of [...validIds, ...longIds, ...invalidIds].filter((one) => one !== 'acme')) {
      assert.equal(await store.findClient({ issuer: 'local', clientId: id }), undefined)
      assert.equal(await store.find('client', { id }), undefined)
      assert.equal(await store.findContract(id, 'orders'), undefined)
      assert.equal(await store.findTier('orders', id), undefined)
    }
    await store.commit([...known('ACME')])
    assert.deepEqual(await store.find('client', { id: 'acme' }), client)
    assert.deepEqual(await store.find('identity', { issuer: 'local', clientId: 'acme' }), link)
  },

  async 'refuses to write what is no ID'(store) {
    await store.commit(known('acme'))
    const before = await store.find('client', { id: 'acme' })
    for (const id of invalidIds) {
      const changes: Change[] = [
        putClient(clientRecord(id, { identities: [] })),
        putLink(linkRecord(id, 'acme')),
        putContract(contractRecord('acme', id)),
        { kind: 'client', key: { id }, expect: null },
      ]
      for (const change of changes) await assert.rejects(store.commit([change]), { code: 'ERR_CLIENTELE_INVALID' })
    }
    assert.deepEqual(await store.find('client', { id: 'acme' }), before)
  },

  async 'keeps pairs apart that would be one when joined'(store) {
    const pairs = [
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a', 'b/c'],
      ['a/b', 'c'],
      ['a', 'bc'],
      ['ab', 'c'],
    ] as const
    for (const [client, api] of pairs)
      await store.commit([putContract(contractRecord(client, api, { reason: client }))])
    for (const [client, api] of pairs) assert.equal((await store.findContract(client, api))?.reason, client)
    assert.equal((await store.list({ kind: 'contract', client: 'a' })).records.length, 3)
  },

  async 'keeps tier names apart, whatever text they are'(store) {
    for (const name of tierNames) await store.commit([putTier(tierRecord('orders', name, { description: name }))])
    for (const name of tierNames) assert.equal((await store.findTier('orders', name))?.description, name)
    assert.equal((await store.list({ kind: 'tier', api: 'orders' })).records.length, tierNames.length)
  },

  async 'keeps issuers apart that differ in case, form or a slash'(store) {
    const issuers = [
      'https://idp.example',
      'https://idp.example/',
      'https://IDP.example',
      'https://é',
      'https://e\u0301',
    ]
    for (const [index, issuer] of issuers.entries()) {
      await store.commit([putLink(linkRecord('app', `client${String(index)}`, issuer))])
    }
    for (const [index, issuer] of issuers.entries()) {
      assert.equal((await store.find('identity', { issuer, clientId: 'app' }))?.client, `client${String(index)}`)
    }
  },
}
