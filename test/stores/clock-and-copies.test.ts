import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  cachedStore,
  defineTier,
  memoryStore,
  registerClient,
  requestContract,
  revokeContract,
  rotateSecret,
  type ContractStore,
} from 'clientele'
import { diskStore } from 'clientele/disk'
import { clientele } from 'clientele/express'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { call } from '../support/call.js'
import { listen, type Running } from '../support/frameworks.js'
import type { Credentials } from './server-process.js'

const api = 'orders'
const actor = 'test'
const hourMs = 3_600_000

interface Registered extends Credentials {
  readonly id: string
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const end of ends.splice(0).reverse()) await end()
})

async function addTier(store: ContractStore): Promise<void> {
  const limits = [{ requests: 1000, windowSeconds: 60 }]
  await defineTier(store, { api, name: 'gold', approval: 'automatic', limits, actor })
}

async function addClient(store: ContractStore): Promise<Registered> {
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  return { id: client.id, clientId, clientSecret }
}

async function serving(store: ContractStore) {
  const { enforceClientId, limitBySla } = clientele({ api, store })
  const app = express()
  app.get('/orders', enforceClientId(), limitBySla(), (_req, res) => res.sendStatus(200))
  const server: Running = await listen(app)
  ends.push(() => server.close())
  return async ({ clientId, clientSecret }: Credentials): Promise<number> => {
    const headers = [
      ['client_id', clientId],
      ['client_secret', clientSecret],
    ] as const
    return (await call(server.url, { path: '/orders', headers })).status
  }
}

describe('a wall clock that is set back', () => {
  it('brings no revoked contract back, and nobody a 401: only ends that were told in time are later', async () => {
    const store = memoryStore()
    await addTier(store)
    const ask = await serving(cachedStore(store, { freshForMs: 100, staleForMs: 1000 }))
    const [known, revoked, renewed] = await Promise.all([addClient(store), addClient(store), addClient(store)])
    const { clientSecret } = await rotateSecret(store, { client: renewed.id, overlapSeconds: 60, actor })
    for (const client of [known, revoked, renewed]) expect(await ask(client)).toBe(200)
    await revokeContract(store, { client: revoked.id, api, actor })
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + hourMs)
    expect(await Promise.all([known, revoked, renewed].map(ask))).toEqual([200, 403, 401])
    vi.setSystemTime(Date.now() - 2 * hourMs)
    expect(await Promise.all([known, revoked, { ...renewed, clientSecret }].map(ask))).toEqual([200, 403, 200])
    // The old secret ends when the clock says so, and for that clock the end has not come yet.
    expect(await ask(renewed)).toBe(200)
  })
})

describe('an old copy of the data of a disk store', () => {
  async function withOldCopy() {
    const path = mkdtempSync(join(tmpdir(), 'clientele-copies-'))
    ends.push(() => {
      rmSync(path, { recursive: true, force: true })
    })
    const first = diskStore({ path })
    await addTier(first)
    const [known, revoked] = [await addClient(first), await addClient(first)]
    await first.close()
    const copy = join(path, 'copy')
    copyFileSync(join(path, 'data.mdb'), copy)
    const store = diskStore({ path })
    ends.push(() => store.close())
    await revokeContract(store, { client: revoked.id, api, actor })
    return {
      path,
      store,
      known,
      revoked,
      putBack: () => {
        renameSync(copy, join(path, 'data.mdb'))
      },
    }
  }

  it('put in its place under a process: that one goes on with what it has open', async () => {
    const { store, known, revoked, putBack } = await withOldCopy()
    const ask = await serving(store)
    expect(await Promise.all([known, revoked].map(ask))).toEqual([200, 403])
    putBack()
    expect(await Promise.all([known, revoked].map(ask))).toEqual([200, 403])
  })

  it('put in its place between two processes: it is believed, and what was revoked since has to be again', async () => {
    const { path, store, known, revoked, putBack } = await withOldCopy()
    await store.close()
    putBack()
    const again = diskStore({ path })
    ends.push(() => again.close())
    const ask = await serving(again)
    expect(await Promise.all([known, revoked].map(ask))).toEqual([200, 200])
    await revokeContract(again, { client: revoked.id, api, actor })
    expect(await ask(revoked)).toBe(403)
  })
})
