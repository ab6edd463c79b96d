import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { memoryStore } from 'clientele'
import { describe, expect, it } from 'vitest'
import { listAll } from '../../src/contracts/every-record.js'
import { killed } from '../support/child-process.js'
import { startReplicaChild } from './edge-process.js'
import { ownDirectory, replica } from './replica-support.js'
import { describeWithProgram } from '../support/needs.js'
import { prebuilt } from '../support/prebuilt.js'
import { rounds } from '../support/rounds.js'

const run = promisify(execFile)
const kills = rounds(8, 60)
const count = 400

describe('a process that is killed while it takes in a snapshot', () => {
  it('leaves one snapshot whole, again and again', { timeout: kills * 15_000 }, async () => {
    const path = ownDirectory()
    let version = 1
    for (let round = 0; round < kills; round += 1) {
      const child = await startReplicaChild('resyncing', path, String(version), String(count))
      const lines = createInterface({ input: child.stdout })
      let said = ''
      lines.on('line', (line) => (said = line))
      await once(lines, 'line')
      await sleep(Math.random() * 400)
      await killed(child)
      version = await versionIn(path)
      const [kind, last = ''] = said.split(' ')
      expect(kind).toMatch(/^(replaced|updated)$/)
      // What was told of is there, or something later; it told of a version of which the next may be under way.
      expect(version).toBeGreaterThanOrEqual(Number(last) - 1)
    }
  })
})

/** The beginning of what `statfs` hands over: type, size of a block, blocks, free ones, and those for everybody. */
const fullFileSystem = Buffer.from(new BigUint64Array([0xef53n, 4096n, 1_000_000n, 0n, 0n]).buffer).toString('hex')

describeWithProgram(
  'strace',
  '-o',
  '/dev/null',
  'true',
)('a process whose disk is full for a while when it takes in snapshots', () => {
  it('says so, keeps the snapshot that it has whole, and goes on when there is room', { timeout: 60_000 }, async () => {
    const path = ownDirectory()
    const script = await prebuilt(new URL('children/resyncing.ts', import.meta.url))
    // A snapshot is ten commits: in no try does it come to its end before there is room again.
    const records = 2000
    const trouble = ['-e', 'trace=statfs', '-e', `inject=statfs:poke_exit=@arg2=${fullFileSystem}:when=18..60+7`]
    const child = [process.execPath, script, path, '1', String(records), '16']
    const { stdout } = await run('strace', ['-f', '-o', '/dev/null', ...trouble, ...child], { timeout: 50_000 })
    const said = stdout.trim().split('\n')
    const failed = said.filter((line) => line.startsWith('failed'))
    expect(failed.length).toBeGreaterThan(0)
    for (const line of failed) expect(line).toMatch(/^failed \d+ disk_full$/)
    expect(said[0]).toMatch(/^replaced/)
    expect(said.at(-1)).toMatch(/^(replaced|updated) 16$/)
    expect(await versionIn(path, records)).toBe(16)
  })
})

/** The one version of all contracts that a process finds that comes after. */
async function versionIn(path: string, expected = count): Promise<number> {
  const silent = Object.assign(memoryStore(), { list: () => new Promise<never>(() => undefined) })
  const copy = replica({ from: silent, into: { path } })
  expect(copy.ready().ready).toBe(true)
  const found = await listAll(copy, { kind: 'contract' })
  await copy.close()
  expect(found).toHaveLength(expected)
  const versions = new Set(found.map((record) => record.version))
  expect([...versions]).toHaveLength(1)
  return [...versions][0] ?? 0
}
