import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { diskStore } from '../../src/stores/disk.js'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { startChild, type Child } from '../support/child-process.js'
import { wholeIds } from './written-ids.js'
import { rounds } from '../support/rounds.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-processes-'))
const children: Child[] = []
let made = 0
const newPath = (): string => join(root, `store${String(++made)}`)

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

async function start(script: string, ...parameters: string[]): Promise<Child> {
  const child = await startChild(new URL(`children/${script}.ts`, import.meta.url), ...parameters)
  children.push(child)
  return child
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

/** As many as it takes to meet every moment of a commit in the long run; a few where somebody waits for the tests. */
const kills = rounds(20, 200)

describe('a process that is killed while it writes', () => {
  it('loses nothing that it was told is written, and leaves nothing half', { timeout: 300_000 }, async () => {
    const path = newPath()
    const notes = `${path}.notes`
    const store = diskStore({ path })
    // Two at a time, so that one may die with the lock while the other waits for it.
    for (let killed = 0; killed < kills; killed += 2) {
      await Promise.all([killedWhileWriting(path, notes, killed), killedWhileWriting(path, notes, killed + 1)])
      // Whoever was there all along finds the lock free, and the file sound.
      await store.commit(
        known(`between-${String(killed)}`).concat(putContract(contractRecord(`between-${String(killed)}`, 'orders'))),
      )
    }
    await store.close()
    const acknowledged = readFileSync(notes, 'utf8').trim().split('\n')
    expect(acknowledged.length).toBeGreaterThan(kills)
    const again = diskStore({ path })
    const ids = await wholeIds(again)
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([])
    for (const id of acknowledged) expect(again.findContract(id, 'orders')).toMatchObject({ client: id })
    await again.commit(known('next'))
    await again.close()
  })

  async function killedWhileWriting(path: string, notes: string, round: number): Promise<void> {
    const child = await start('killed-writer', path, notes, String(round))
    const exit = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    // Every fourth while it opens the store, the others in one of the next commits, at no edge of them.
    await lines.next()
    if (round % 4 !== 0) await lines.next()
    await sleep(Math.random() * 20)
    child.kill('SIGKILL')
    expect(await exit).toEqual([null, 'SIGKILL'])
  }
})

describe('the files of a disk store', () => {
  it.each(['000', '022', '077'])('are for their owner alone under umask %s', async (umask) => {
    const path = newPath()
    expect(await once(await start('open-and-write', path, umask), 'exit')).toEqual([0, null])
    expect(modeOf(path)).toBe('700')
    const files = readdirSync(path)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(modeOf(join(path, file))).toBe('600')
  })

  it('are made so when they stand there with wider modes', async () => {
    const path = newPath()
    await once(await start('open-and-write', path, '022'), 'exit')
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
    const child = await start('neighbour', JSON.stringify({ kind: 'disk', path }))
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
