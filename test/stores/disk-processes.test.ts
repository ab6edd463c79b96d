import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { diskStore } from '../../src/stores/disk.js'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-processes-'))
const children: ChildProcess[] = []
let made = 0
const newPath = (): string => join(root, `store${String(++made)}`)

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

function start(script: string, ...parameters: string[]) {
  const file = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...parameters], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe('a process that is killed while it writes', () => {
  it('loses nothing that it was told is written, and leaves nothing half', { timeout: 120_000 }, async () => {
    const path = newPath()
    const acknowledged: string[] = []
    for (let round = 0; round < 10; round++) {
      // Two at a time, so that one may die with the lock while the other waits for it.
      const pair = await Promise.all([
        writeUntilKilled(path, `${String(round)}a`),
        writeUntilKilled(path, `${String(round)}b`),
      ])
      acknowledged.push(...pair.flat())
    }
    expect(acknowledged.length).toBeGreaterThan(100)
    const store = diskStore({ path })
    for (const id of acknowledged) expect(await store.findContract(id, 'orders')).toMatchObject({ client: id })
    expect(await idsOf(store)).toEqual(expect.objectContaining({ whole: true }))
    await store.commit(known('next'))
    await store.close()
  })
})

async function writeUntilKilled(path: string, round: string): Promise<string[]> {
  const child = start('writer', path, round)
  const ids: string[] = []
  const lines = createInterface({ input: child.stdout })
  const killAfter = 1 + Math.floor(Math.random() * 40)
  lines.on('line', (id) => {
    ids.push(id)
    // Some time into the next commits, not at their edges.
    if (ids.length === killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 5)
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return ids
}

/** Clients, identities and contracts were written three at a time: so they must stand there, by key and by list. */
async function idsOf(store: ReturnType<typeof diskStore>): Promise<{ whole: boolean; count: number }> {
  const lists = await Promise.all([
    everyId(store, 'client', (record) => (record as { id: string }).id),
    everyId(store, 'identity', (record) => (record as { clientId: string }).clientId),
    everyId(store, 'contract', (record) => (record as { client: string }).client, 'orders'),
  ])
  const [clients = [], ...others] = lists.map((ids) => ids.sort())
  return { whole: others.every((ids) => ids.join() === clients.join()), count: clients.length }
}

async function everyId(
  store: ReturnType<typeof diskStore>,
  kind: 'client' | 'identity' | 'contract',
  idOf: (record: unknown) => string,
  api?: string,
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await store.list({ kind, pageSize: 1000, ...(api && { api }), ...(cursor && { cursor }) })
    ids.push(...page.records.map(idOf))
    cursor = page.cursor
  } while (cursor !== undefined)
  return ids
}

describe('the files of a disk store', () => {
  it.each(['000', '022', '077'])('are for their owner alone under umask %s', async (umask) => {
    const path = newPath()
    expect(await once(start('open-and-write', path, umask), 'exit')).toEqual([0, null])
    expect(modeOf(path)).toBe('700')
    const files = readdirSync(path)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(modeOf(join(path, file))).toBe('600')
  })

  it('are made so when they stand there with wider modes', async () => {
    const path = newPath()
    await once(start('open-and-write', path, '022'), 'exit')
    chmodSync(path, 0o755)
    for (const file of readdirSync(path)) chmodSync(join(path, file), 0o666)
    const store = diskStore({ path })
    expect(modeOf(path)).toBe('700')
    for (const file of readdirSync(path)) expect(modeOf(join(path, file))).toBe('600')
    expect(await store.find('client', { id: 'one' })).toBeDefined()
    await store.close()
  })

  it('are not made through a symbolic link, and not where a file stands', () => {
    const path = newPath()
    mkdirSync(path)
    symlinkSync(join(root, 'elsewhere'), join(path, 'data.mdb'))
    expect(() => diskStore({ path })).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_STORE' }))
    const file = newPath()
    writeFileSync(file, 'not a directory')
    expect(() => diskStore({ path: file })).toThrow(/diskStore/)
  })
})

describe('two processes on one path', () => {
  async function neighbour(path: string) {
    const child = start('neighbour', JSON.stringify({ kind: 'disk', path }))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const answer = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
    expect(await answer()).toBe('ready')
    return (line: string): Promise<unknown> => {
      child.stdin.write(`${line}\n`)
      return answer()
    }
  }

  it('see each other’s edits at the next find, after having read the record before', async () => {
    const path = newPath()
    const store = diskStore({ path })
    const ask = await neighbour(path)
    for (let round = 0; round < 10; round++) {
      expect(await ask(`put theirs ${String(round)}`)).toBe('done')
      expect(await store.findContract('theirs', 'orders')).toMatchObject({ reason: String(round) })
      const before = await store.findContract('ours', 'orders')
      const next = contractRecord('ours', 'orders', { reason: String(round), version: (before?.version ?? 0) + 1 })
      await store.commit([putContract(next, before?.version ?? null)])
      expect(await ask('find ours')).toMatchObject({ reason: String(round) })
    }
    await store.close()
  })

  it('show edits within one turn of the event loop', async () => {
    const path = newPath()
    const store = diskStore({ path })
    await store.commit([putContract(contractRecord('shared', 'orders', { reason: '0' }))])
    const ask = await neighbour(path)
    const adding = ask('add 1')
    const before = await store.findContract('shared', 'orders')
    const deadlineMs = Date.now() + 10_000
    let now = before
    // No turn ends in this loop: what is seen here is seen by the find alone.
    while (now?.reason === '0' && Date.now() < deadlineMs) now = store.findContract('shared', 'orders') as typeof before
    expect(now?.reason).toBe('1')
    await adding
    await store.close()
  })

  it('lose no update to each other', async () => {
    const path = newPath()
    const store = diskStore({ path })
    await store.commit([putContract(contractRecord('shared', 'orders', { reason: '0' }))])
    const asks = await Promise.all([neighbour(path), neighbour(path)])
    await Promise.all(asks.map((ask) => ask('add 200')))
    expect(await store.findContract('shared', 'orders')).toMatchObject({ reason: '400' })
    await store.close()
  })
})
