import { describe, expect, it } from 'vitest'
import { rotateSecret, endSecret } from '../../src/contracts/lifecycle/client-secrets.js'
import { disableClient, enableClient, removeClient } from '../../src/contracts/lifecycle/client-state.js'
import { registerClient } from '../../src/contracts/lifecycle/clients.js'
import { requestContract } from '../../src/contracts/lifecycle/contract-requests.js'
import { linkIdentity } from '../../src/contracts/lifecycle/identities.js'
import { prepareSecrets, verifySecret } from '../../src/contracts/secrets.js'
import type { Client } from '../../src/contracts/model.js'
import { memoryStore } from '../../src/stores/memory.js'
import { actor, api, interrupted, standingAt, tier } from './lifecycle-support.js'

const stateFault = { code: 'ERR_CLIENTELE_STATE' }
const invalid = { code: 'ERR_CLIENTELE_INVALID' }

const verifies = async (client: Client, text: string | undefined, nowMs = Date.now()): Promise<boolean> =>
  verifySecret(prepareSecrets(client), [text ?? ''], nowMs)

describe('registerClient', () => {
  it('shows a generated secret once and stores none', async () => {
    const store = memoryStore()
    const { client, clientId, clientSecret } = await registerClient(store, { actor, name: 'Shop', owner: 'Ann' })
    expect(clientId).toMatch(/^[a-z0-9]{32}$/)
    expect(clientId).not.toBe(client.id)
    expect(store.findClient({ issuer: 'local', clientId })).toBe(client)
    expect(await verifies(client, clientSecret)).toBe(true)
    expect(JSON.stringify(await store.list({ kind: 'client' }))).not.toContain(clientSecret)
  })

  it('takes a chosen ID and secret, and never shows the secret', async () => {
    const chosen = { clientId: 'shop', clientSecret: 'correct horse' }
    const registered = await registerClient(memoryStore(), { actor, name: 'Shop', ...chosen })
    expect(registered).toEqual({ client: registered.client, clientId: 'shop' })
    expect(registered.client.secrets).toMatchObject([{ algorithm: 'scrypt' }])
    expect(await verifies(registered.client, 'correct horse')).toBe(true)
  })

  it('gives a public client no secret', async () => {
    const { client, clientSecret } = await registerClient(memoryStore(), { actor, name: 'App', type: 'public' })
    expect(clientSecret).toBeUndefined()
    expect(client.secrets).toEqual([])
  })

  it.each([
    ['no name', { name: '' }],
    ['no actor', { actor: '' }],
    ['a secret for a public client', { type: 'public', clientSecret: 'correct horse' }],
    ['a secret that looks generated', { clientSecret: 'cls_something' }],
    ['an empty secret', { clientSecret: '' }],
    ['an ID that is none', { clientId: 'acmé' }],
    ['an unknown member', { clientID: 'shop' }],
  ] as const)('refuses %s and names no value', async (_, change) => {
    const input = { actor, name: 'Shop', ...change } as Parameters<typeof registerClient>[1]
    const error: unknown = await registerClient(memoryStore(), input).catch((reason: unknown) => reason)
    expect(error).toMatchObject(invalid)
    expect((error as Error).message).not.toMatch(/correct horse|cls_something|acmé/)
  })

  it('gives an ID to one of many who want it', async () => {
    const store = memoryStore()
    const wanted = Array.from({ length: 10 }, () => registerClient(store, { actor, name: 'Shop', clientId: 'shop' }))
    const outcomes = await Promise.allSettled(wanted)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await store.list({ kind: 'client' })).records).toHaveLength(1)
    await expect(registerClient(store, { actor, name: 'Shop', clientId: 'shop' })).rejects.toMatchObject(stateFault)
  })
})

describe('rotateSecret and endSecret', () => {
  it('let old and new overlap for the time that was given', async () => {
    const store = memoryStore()
    const { client, clientSecret: old } = await registerClient(store, { actor, name: 'Shop' })
    const rotated = await rotateSecret(store, { actor, client: client.id, overlapSeconds: 60 })
    expect(await verifies(rotated.client, old)).toBe(true)
    expect(await verifies(rotated.client, rotated.clientSecret)).toBe(true)
    expect(await verifies(rotated.client, old, Date.now() + 60_001)).toBe(false)
    expect(await verifies(rotated.client, rotated.clientSecret, Date.now() + 60_001)).toBe(true)
    const again = await rotateSecret(store, { actor, client: client.id, overlapSeconds: 3600 })
    expect(await verifies(again.client, old, Date.now() + 60_001)).toBe(false)
  })

  it('end secrets at once, and for good', async () => {
    const store = memoryStore()
    const { client, clientSecret: old } = await registerClient(store, { actor, name: 'Shop' })
    const rotated = await rotateSecret(store, { actor, client: client.id, overlapSeconds: 0 })
    expect(await verifies(rotated.client, old, 0)).toBe(false)
    const [secret] = rotated.client.secrets
    const ended = await endSecret(store, { actor, client: client.id, secret: secret?.id ?? '' })
    expect(await verifies(ended, rotated.clientSecret, 0)).toBe(false)
    const missing = endSecret(store, { actor, client: client.id, secret: secret?.id ?? '' })
    await expect(missing).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
  })

  it('refuse overlaps that are none, public clients and stale versions', async () => {
    const store = memoryStore()
    const { client } = await registerClient(store, { actor, name: 'Shop' })
    for (const overlapSeconds of [NaN, -1, Infinity, '5' as unknown as number, undefined as unknown as number]) {
      await expect(rotateSecret(store, { actor, client: client.id, overlapSeconds })).rejects.toMatchObject(invalid)
    }
    const open = await registerClient(store, { actor, name: 'App', type: 'public' })
    await expect(rotateSecret(store, { actor, client: open.client.id, overlapSeconds: 0 })).rejects.toMatchObject(
      stateFault,
    )
    const stale = rotateSecret(store, { actor, client: client.id, overlapSeconds: 0, version: client.version - 1 })
    await expect(stale).rejects.toMatchObject({ code: 'ERR_CLIENTELE_CONFLICT' })
  })
})

describe('disableClient, enableClient and removeClient', () => {
  it('refuse to do twice what is done', async () => {
    const { store, client } = await standingAt('absent')
    await expect(enableClient(store, { actor, client })).rejects.toThrow(/active cannot enable/)
    await expect(enableClient(store, { actor: '', client })).rejects.toMatchObject(invalid)
    expect(await disableClient(store, { actor, client })).toMatchObject({ state: 'disabled' })
    await expect(disableClient(store, { actor, client })).rejects.toMatchObject(stateFault)
    expect(await enableClient(store, { actor, client })).toMatchObject({ state: 'active' })
  })

  it('leave of a removed client its IDs and what it was barred from', async () => {
    const { store, client, move } = await standingAt('rejected')
    const record = await store.find('client', { id: client })
    const [identity] = record?.identities ?? []
    if (identity === undefined) throw new Error('expected an identity')
    await removeClient(store, { actor, client })
    expect(await store.findClient(identity)).toBeUndefined()
    expect(await store.findContract(client, api)).toBeUndefined()
    expect(await store.find('identity', identity)).toMatchObject({ client: null, barredApis: [api] })
    await expect(move('request')).rejects.toMatchObject({ code: 'ERR_CLIENTELE_NOT_FOUND' })
    const again = registerClient(store, { actor, name: 'Other', clientId: identity.clientId })
    await expect(again).rejects.toMatchObject({ ...stateFault, message: expect.stringContaining('reuse') as string })
  })

  it('leaves no contract behind that was asked for at the same time', async () => {
    const { store, client } = await standingAt('absent')
    const request = { actor, api, client, tier: 'free' }
    const removing = interrupted(store, () => removeClient(store, { actor, client }))
    await expect(requestContract(removing, request)).rejects.toMatchObject({ code: 'ERR_CLIENTELE_CONFLICT' })
    expect((await store.list({ kind: 'contract' })).records).toEqual([])
  })

  it('removes with the client what is asked for while it is being removed', async () => {
    const { store, client } = await standingAt('absent')
    const requesting = interrupted(store, () => requestContract(store, { actor, api, client, tier: 'free' }))
    await removeClient(requesting, { actor, client })
    expect(await store.find('client', { id: client })).toBeUndefined()
    expect((await store.list({ kind: 'contract' })).records).toEqual([])
  })
})

describe('linkIdentity', () => {
  const identity = { issuer: 'https://idp.example', clientId: 'shop' }

  it('lets a client in under a further name, and nobody under a held one', async () => {
    const { store, client } = await standingAt('absent')
    await linkIdentity(store, { actor, client, ...identity })
    expect(await store.findClient(identity)).toMatchObject({ id: client })
    const other = await registerClient(store, { actor, name: 'Other' })
    const taking = linkIdentity(store, { actor, client: other.client.id, ...identity })
    await expect(taking).rejects.toMatchObject(stateFault)
    const stealing = linkIdentity(store, { actor, client: other.client.id, ...identity, reuse: true })
    await expect(stealing).rejects.toMatchObject(stateFault)
    await expect(linkIdentity(store, { actor, client, ...identity })).rejects.toMatchObject(stateFault)
  })

  it('gives a freed name away on request only, and the bars with it', async () => {
    const { store, client } = await standingAt('revoked')
    await linkIdentity(store, { actor, client, ...identity })
    await removeClient(store, { actor, client })
    const heir = (await registerClient(store, { actor, name: 'Heir' })).client.id
    await expect(linkIdentity(store, { actor, client: heir, ...identity })).rejects.toThrow('reuse: true')
    await linkIdentity(store, { actor, client: heir, ...identity, reuse: true })
    expect(await store.findContract(heir, api)).toMatchObject({ state: 'revoked', barred: true })
    expect(await store.find('identity', identity)).toMatchObject({ client: heir })
  })

  it('gives it to no client that has an approved contract where the former holder was barred', async () => {
    const { store, client } = await standingAt('rejected')
    await linkIdentity(store, { actor, client, ...identity })
    await removeClient(store, { actor, client })
    await tier(store, 'free', 'automatic')
    const heir = (await registerClient(store, { actor, name: 'Heir' })).client.id
    await requestContract(store, { actor, api, client: heir, tier: 'free' })
    const linked = linkIdentity(store, { actor, client: heir, ...identity, reuse: true })
    await expect(linked).rejects.toMatchObject(stateFault)
    expect(await store.findClient(identity)).toBeUndefined()
  })
})
