import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, registerClient, requestContract } from 'clientele'
import { diskStore } from 'clientele/disk'
import { afterAll, describe, expect, it } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'clientele-lists-'))
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

describe.each([
  ['memoryStore', () => memoryStore()],
  ['diskStore', () => diskStore({ path: join(root, 'store') })],
])('%s', (_name, make) => {
  it('takes no cursor of another kind, which would lead to records of that kind', async () => {
    const store = make()
    const { client } = await registerClient(store, { name: 'a', actor: 'test' })
    await requestContract(store, { client: client.id, api: 'orders', actor: 'test' })
    await store.find('client', { id: client.id })
    const fault = { code: 'ERR_CLIENTELE_INVALID' }
    await expect(store.list({ kind: 'contract', cursor: 'client/' })).rejects.toMatchObject(fault)
    await expect(store.list({ kind: 'contract', cursor: '' })).rejects.toMatchObject(fault)
  })
})

describe('memoryStore', () => {
  it('contains watchers that throw or reject', async () => {
    const store = memoryStore()
    const rejections: unknown[] = []
    const note = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', note)
    store.watch(() => {
      throw new Error('watcher')
    })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- what a mistaken watcher does
    store.watch(() => Promise.reject(new Error('watcher')))
    await registerClient(store, { name: 'a', actor: 'test' })
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
})
