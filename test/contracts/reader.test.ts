import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ChosenSecret, Client, GeneratedSecret, Tier } from '../../src/contracts/model.js'
import { checkedReader } from '../../src/contracts/reader.js'
import type { ContractReader } from '../../src/contracts/store.js'
import { resolveTerms } from '../../src/contracts/terms.js'
import { isPromise } from '../../src/decisions/maybe-promise.js'
import { memoryStore } from '../../src/stores/memory.js'
import {
  clientRecord,
  contractRecord,
  known,
  putContract,
  putTier,
  tierRecord,
} from '../../src/testing/contract-store-fixtures.js'

const acme = { issuer: 'local', clientId: 'acme' }
const storedSecrets: { readonly generated: GeneratedSecret; readonly chosen: ChosenSecret } = {
  generated: { id: 'one', algorithm: 'sha256', hash: 'A'.repeat(43), createdAt: '2026-01-02T03:04:05Z' },
  chosen: {
    ...{ id: 'two', algorithm: 'scrypt', hash: 'A'.repeat(43), createdAt: '2026-01-02T03:04:05Z' },
    ...{ salt: 'A'.repeat(22), cost: 1024, blockSize: 8, parallelization: 1 },
  },
}
const outage = { code: 'ERR_CLIENTELE_STORE', status: 503 }

const readerOf = (parts: Partial<ContractReader>) =>
  checkedReader(
    { findClient: () => undefined, findContract: () => undefined, findTier: () => undefined, ...parts },
    { timeoutMs: 50 },
  )

describe('checkedReader', () => {
  it('answers at once where the store does, with the same objects each time', async () => {
    const store = memoryStore()
    await store.commit(known('acme'))
    const reader = checkedReader(store, { timeoutMs: 50 })
    const client = reader.findClient(acme)
    if (client === undefined || isPromise(client)) throw new Error('expected an answer at once')
    expect(reader.findClient(acme)).toBe(client)
    const face = client.admitted(acme)
    expect(face).toEqual({ id: 'acme', name: 'A client', type: 'confidential', identity: acme })
    expect(Object.isFrozen(face) && Object.isFrozen(face.identity)).toBe(true)
    expect(client.admitted({ ...acme })).toBe(face)
    expect(() => client.admitted({ issuer: 'other', clientId: 'acme' })).toThrow()
  })

  it('makes every failure a 503 that tells nothing of the error', async () => {
    const failures: ContractReader['findClient'][] = [
      () => {
        throw new Error('password=hunter2')
      },
      () => Promise.reject(new Error('password=hunter2')),
      () => new Promise(() => {}),
      () => 'acme' as unknown as Client,
      () => ({ ...clientRecord('acme'), version: 'x' }) as unknown as Client,
      () => Promise.resolve({ ...clientRecord('acme'), state: 'hunter2' } as unknown as Client),
      () => ({ id: 'acme' }) as Client,
    ]
    for (const findClient of failures) {
      const error: unknown = await Promise.resolve()
        .then(() => readerOf({ findClient }).findClient(acme))
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject(outage)
      expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
    }
  })

  it('takes null for "no such thing"', () => {
    const nothing = () => null as unknown as undefined
    const reader = readerOf({ findClient: nothing, findContract: nothing, findTier: nothing })
    expect(reader.findClient(acme)).toBeUndefined()
    expect(reader.findContract('acme', 'orders')).toBeUndefined()
    expect(reader.findTier('orders', 'gold')).toBeUndefined()
  })

  it('takes another record than the one asked for as "no such thing"', () => {
    const reader = readerOf({
      findClient: () => clientRecord('acme'),
      findContract: () => contractRecord('acme', 'orders'),
      findTier: () => tierRecord('orders', 'gold'),
    })
    expect(reader.findClient(acme)).toBeDefined()
    for (const clientId of ['ACME', 'acm', 'acme:'])
      expect(reader.findClient({ issuer: 'local', clientId })).toBeUndefined()
    expect(reader.findClient({ issuer: 'Local', clientId: 'acme' })).toBeUndefined()
    expect(reader.findContract('ACME', 'orders')).toBeUndefined()
    expect(reader.findContract('acme', 'Orders')).toBeUndefined()
    expect(reader.findTier('orders', 'Gold')).toBeUndefined()
  })

  it('never asks the store for what cannot be an identity', () => {
    const reader = readerOf({
      findClient: () => {
        throw new Error('was asked')
      },
    })
    for (const clientId of ['', 'acmé', 'acme ', 'a\0', '%', '*', 'a'.repeat(256), ['acme'] as unknown as string]) {
      expect(reader.findClient({ issuer: 'local', clientId })).toBeUndefined()
    }
    for (const issuer of ['', 'a\nb', 'a'.repeat(2049)])
      expect(reader.findClient({ issuer, clientId: 'acme' })).toBeUndefined()
  })

  it('passes over what a newer version has added, and takes null for what is not there', () => {
    const added = { added: true, also: null }
    const [generated, chosen] = [storedSecrets.generated, storedSecrets.chosen]
    const record = {
      ...clientRecord('acme', { identities: [{ ...acme, ...added }] }),
      ...added,
      owner: null,
      secrets: [
        { ...generated, ...added, endsAt: null },
        { ...chosen, ...added, endsAt: null },
      ],
    } as unknown as Client
    const client = readerOf({ findClient: () => record }).findClient(acme)
    if (client === undefined || isPromise(client)) throw new Error('expected an answer at once')
    expect(client.record).toStrictEqual({
      ...clientRecord('acme', { version: record.version }),
      secrets: [generated, chosen],
    })
    const contract = { ...contractRecord('acme', 'orders'), ...added }
    expect(readerOf({ findContract: () => contract }).findContract('acme', 'orders')).not.toHaveProperty('added')
  })

  it('has no patience with a secret that is none, nor with a limit that it understands by half', () => {
    const broken = [{ ...storedSecrets.chosen, cost: 3 }, { ...storedSecrets.generated, hash: null }, null]
    for (const secret of broken) {
      const record = { ...clientRecord('acme'), secrets: [secret] } as unknown as Client
      const reader = readerOf({ findClient: () => record })
      expect(() => reader.findClient(acme)).toThrow(expect.objectContaining(outage))
    }
    const [limit] = tierRecord('orders', 'gold').limits
    for (const more of [{ burst: 5 }, { burst: null }]) {
      const tier = { ...tierRecord('orders', 'gold'), limits: [{ ...limit, ...more }] } as unknown as Tier
      const reader = readerOf({ findTier: () => tier })
      expect(() => reader.findTier('orders', 'gold')).toThrow(expect.objectContaining(outage))
    }
  })

  it('freezes what it was given to the bottom, so that no later change goes unseen', () => {
    const record = clientRecord('acme')
    const reader = readerOf({ findClient: () => record })
    void reader.findClient(acme)
    expect(() => Object.assign(record, { state: 'disabled' })).toThrow(TypeError)
    expect(() => (record.identities as unknown[]).push({ issuer: 'local', clientId: 'other' })).toThrow(TypeError)
    expect(() => Object.assign(record.identities[0] ?? {}, { clientId: 'other' })).toThrow(TypeError)
  })

  it('looks at a new object anew', () => {
    let record = clientRecord('acme')
    const reader = readerOf({ findClient: () => record })
    void reader.findClient(acme)
    record = { ...record, version: record.version + 1, state: 'disabled' }
    expect(reader.findClient(acme)).toMatchObject({ record: { state: 'disabled' } })
  })
})

describe('resolveTerms', () => {
  it('gives contract and tier, frozen, and the same object while neither changes', async () => {
    const store = memoryStore()
    const tier = tierRecord('orders', 'gold')
    await store.commit([putContract(contractRecord('acme', 'orders', { tier: 'gold' })), putTier(tier)])
    const reader = checkedReader(store, { timeoutMs: 50 })
    const terms = resolveTerms(reader, 'orders', 'acme')
    expect(terms).toMatchObject({
      kind: 'approved',
      contract: { client: 'acme', tier: 'gold' },
      tier: { name: 'gold' },
    })
    expect(resolveTerms(reader, 'orders', 'acme')).toBe(terms)
    await store.commit([
      putTier(
        { ...tier, version: tier.version + 1, limits: [{ requests: 5, windowSeconds: 1, algorithm: 'fixed' }] },
        tier.version,
      ),
    ])
    expect(resolveTerms(reader, 'orders', 'acme')).toMatchObject({ tier: { limits: [{ requests: 5 }] } })
  })

  it.each(['pending', 'rejected', 'revoked'] as const)('refuses a contract that is %s', (state) => {
    const reader = readerOf({ findContract: () => contractRecord('acme', 'orders', { state }) })
    expect(resolveTerms(reader, 'orders', 'acme')).toEqual({ kind: 'refused', code: `contract_${state}` })
  })

  it('tells a contract without a tier from one whose tier is gone', () => {
    expect(resolveTerms(readerOf({}), 'orders', 'acme')).toEqual({ kind: 'refused', code: 'contract_missing' })
    const free = readerOf({ findContract: () => contractRecord('acme', 'orders') })
    expect(resolveTerms(free, 'orders', 'acme')).not.toHaveProperty('tier')
    const broken = readerOf({ findContract: () => contractRecord('acme', 'orders', { tier: 'gold' }) })
    expect(() => resolveTerms(broken, 'orders', 'acme')).toThrow(expect.objectContaining(outage))
  })

  it('waits for a store that answers later', async () => {
    const reader = readerOf({
      findContract: () => Promise.resolve(contractRecord('acme', 'orders', { tier: 'gold' })),
      findTier: () => Promise.resolve(tierRecord('orders', 'gold')),
    })
    expect(await resolveTerms(reader, 'orders', 'acme')).toMatchObject({ kind: 'approved', tier: { name: 'gold' } })
  })
})
