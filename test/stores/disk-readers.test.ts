import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diskStore, type DiskStore } from 'clientele/disk'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { killed, startChild, type Child } from '../support/child-process.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-readers-'))
let made = 0
const newPath = (): string => join(root, `store${String(++made)}`)
const megabyte = 1024 ** 2

const children: Child[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

async function reading(path: string, places: number): Promise<Child> {
  const child = await startChild(new URL('children/reader-places.ts', import.meta.url), path, String(places))
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

async function killWhileReading(path: string, places: number): Promise<void> {
  await killed(await reading(path, places))
}

/** One record, edited again and again: where old pages may be used again the file does not grow. */
async function edit(store: DiskStore, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const before = store.findContract('edited', 'orders') as { readonly version: number } | undefined
    const reason = 'x'.repeat(1000)
    const next = contractRecord('edited', 'orders', { reason, ...(before && { version: before.version + 1 }) })
    await store.commit([putContract(next, before?.version ?? null)])
  }
}

describe('processes that are killed while they read', () => {
  it('fill no table: hundreds later everybody opens, reads and writes', { timeout: 60_000 }, async () => {
    const path = newPath()
    const store = diskStore({ path })
    await store.commit(known('one'))
    for (let round = 0; round < 4; round++) await killWhileReading(path, 100)
    expect(store.find('client', { id: 'one' })).toBeDefined()
    await store.commit(known('two'))
    await reading(path, 1)
    const beside = diskStore({ path })
    expect(beside.find('client', { id: 'two' })).toBeDefined()
    await Promise.all([store.close(), beside.close()])
  })

  it('do not let the file grow for ever: what they read is used again', { timeout: 60_000 }, async () => {
    const path = newPath()
    const store = diskStore({ path })
    await store.commit(known('one'))
    await edit(store, 10)
    await killWhileReading(path, 1)
    await edit(store, 1000)
    // A thousand edits of some pages each would be many times as much.
    expect(statSync(join(path, 'data.mdb')).size).toBeLessThan(3 * megabyte)
    await store.close()
  })
})
