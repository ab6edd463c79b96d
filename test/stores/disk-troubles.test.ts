import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { diskCounter, diskStore } from 'clientele/disk'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { known } from '../../src/testing/contract-store-fixtures.js'
import { describeWithProgram } from '../support/needs.js'
import { prebuilt } from '../support/prebuilt.js'
import { wholeIds } from './written-ids.js'

const root = mkdtempSync(join(tmpdir(), 'clientele-troubles-'))
let made = 0
const newPath = (): string => join(root, `store${String(++made)}`)
const commits = 40
/** The beginning of what `statfs` hands over: type, size of a block, blocks, free ones, and those for everybody. */
const fullFileSystem = Buffer.from(new BigUint64Array([0xef53n, 4096n, 1_000_000n, 0n, 0n]).buffer).toString('hex')

afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

interface Told {
  readonly id: string
  readonly fault?: { readonly code: string; readonly reason?: string; readonly message: string }
  /** What went wrong when all that was acknowledged was read. */
  readonly unread?: unknown
}

describeWithProgram(
  'strace',
  '-o',
  '/dev/null',
  'true',
)('a disk store on a disk that fails for a while', () => {
  let writer: string
  beforeAll(async () => {
    writer = await prebuilt(new URL('children/troubled-writer.ts', import.meta.url))
  })

  /** What the system says to some of the calls that touch the directory or the data in it. */
  async function writeUnder(path: string, call: string, injected: string): Promise<Told[]> {
    const about = call === 'statfs' ? path : join(path, 'data.mdb')
    const traced = ['-f', '-o', '/dev/null', '-P', about, '-e', `trace=${call}`]
    const inject = ['-e', `inject=${call}:${injected}`]
    const child = [process.execPath, writer, path, String(commits)]
    const { stdout } = await promisify(execFile)('strace', [...traced, ...inject, ...child])
    const lines = stdout.trim().split('\n')
    return lines.map((line) => JSON.parse(line) as Told)
  }

  /** A clear fault, nothing lost, reads going on, commits again afterwards, nothing half. */
  async function expectSurvived(path: string, told: readonly Told[], reason: string, remedy: RegExp): Promise<void> {
    expect(told).toHaveLength(commits)
    const failed = told.filter(({ fault }) => fault !== undefined)
    expect(failed.length).toBeGreaterThan(0)
    for (const { fault } of failed) expect(fault).toMatchObject({ code: 'ERR_CLIENTELE_STORE', reason })
    for (const { fault } of failed) expect(fault?.message).toMatch(remedy)
    expect(told.filter(({ unread }) => unread !== undefined)).toEqual([])
    expect(told.slice(-5).filter(({ fault }) => fault !== undefined)).toEqual([])
    const store = diskStore({ path })
    const ids = await wholeIds(store)
    for (const { id, fault } of told) if (fault === undefined) expect(ids).toContain(id)
    await store.commit(known('afterwards'))
    await store.close()
  }

  it('full: a fault that says so, reads go on, commits again when there is room', { timeout: 60_000 }, async () => {
    const path = newPath()
    await diskStore({ path }).close()
    const told = await writeUnder(path, 'statfs', `poke_exit=@arg2=${fullFileSystem}:when=8..12`)
    await expectSurvived(path, told, 'disk_full', /diskStore\(\).*full; make room/)
    expect(told.filter(({ fault }) => fault !== undefined)).toHaveLength(5)
  })

  it('an fsync that fails: a fault, and nothing of that commit is there', { timeout: 60_000 }, async () => {
    const path = newPath()
    await diskStore({ path }).close()
    const told = await writeUnder(path, 'fdatasync', 'error=EIO:when=8..12')
    await expectSurvived(path, told, 'disk_failed', /diskStore\(\).*does not take what is written/)
    const failed = told.filter(({ fault }) => fault !== undefined)
    expect(failed).toHaveLength(5)
    const store = diskStore({ path })
    for (const { id } of failed) expect(store.findContract(id, 'orders')).toBeUndefined()
    await store.close()
  })

  it('roots that cannot be written: a fault, and the next commit is made', { timeout: 60_000 }, async () => {
    const path = newPath()
    await diskStore({ path }).close()
    const number = await rootWrite(20)
    const told = await writeUnder(path, 'pwrite64', `error=EIO:when=${String(number)}..${String(number + 1)}`)
    await expectSurvived(path, told, 'disk_failed', /does not take what is written/)
    expect(told.filter(({ fault }) => fault !== undefined)).toHaveLength(1)
  })

  /** Which one among the writes is that of the roots in a commit: the engine writes the same in every run. */
  async function rootWrite(commit: number): Promise<number> {
    const path = newPath()
    await diskStore({ path }).close()
    const log = join(root, 'calls')
    const traced = ['-f', '-o', log, '-P', join(path, 'data.mdb'), '-e', 'trace=pwrite64']
    await promisify(execFile)('strace', [...traced, process.execPath, writer, path, String(commits)])
    const writes = readFileSync(log, 'utf8').split('\n')
    const toRoots = writes.flatMap((line, index) => (/, (40|4136)\) = /.test(line) ? [index + 1] : []))
    return toRoots[commit] ?? expect.unreachable('no such commit')
  }

  it('no room to map the file anew: nobody asks for it while it grows', { timeout: 60_000 }, async () => {
    const path = newPath()
    await diskStore({ path }).close()
    const told = await writeUnder(path, 'mmap', 'error=ENOMEM:when=2+')
    expect(statSync(join(path, 'data.mdb')).size).toBeGreaterThan(131_072)
    expect(told.filter(({ fault, unread }) => fault !== undefined || unread !== undefined)).toEqual([])
  })

  it.each(['ftruncate', 'linkat,link'])(
    'full when it is opened for the first time: a fault, not a dead process',
    async (call) => {
      const path = newPath()
      const child = [process.execPath, writer, path, '1']
      const inject = ['-e', `inject=${call}:error=ENOSPC:when=1`]
      const run = promisify(execFile)('strace', ['-f', '-o', '/dev/null', ...inject, ...child])
      await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/the disk is full; make room/) })
      const store = diskStore({ path })
      await store.commit(known('afterwards'))
      await store.close()
    },
  )

  it('a counter on a full disk: a fault of its own that says so', async () => {
    const taker = await prebuilt(new URL('../limits/children/disk-taker.ts', import.meta.url))
    const path = newPath()
    await diskCounter({ path }).close()
    const inject = ['-P', path, '-e', 'trace=statfs', '-e', `inject=statfs:poke_exit=@arg2=${fullFileSystem}`]
    const child = [process.execPath, taker, path, 'somebody', '10', 'until killed']
    const run = promisify(execFile)('strace', ['-f', '-o', '/dev/null', ...inject, ...child])
    const said = /diskCounter\(\): the disk is full; make room[^]*ERR_CLIENTELE_COUNTER[^]*disk_full/
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(said) as string })
    const counter = diskCounter({ path })
    const limit = { key: 'fixed:1000', requests: 1, algorithm: 'fixed', windowMs: 1000 } as const
    expect(counter.take('somebody', [limit], 1).taken).toBe(true)
    await counter.close()
  })
})
