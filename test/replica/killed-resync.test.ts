import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore } from 'clientele'
import { describe, expect, it } from 'vitest'
import { killed } from '../support/child-process.js'
import { startReplicaChild } from './edge-process.js'
import { ownDirectory, replica } from './replica-support.js'
import { rounds } from '../support/rounds.js'

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

/** The one version of all contracts that a process finds that comes after. */
async function versionIn(path: string): Promise<number> {
  const silent = Object.assign(memoryStore(), { list: () => new Promise<never>(() => undefined) })
  const copy = replica({ from: silent, into: { path } })
  expect(copy.ready().ready).toBe(true)
  const { records } = await copy.list({ kind: 'contract', pageSize: 1000 })
  await copy.close()
  expect(records).toHaveLength(count)
  const versions = new Set(records.map((record) => record.version))
  expect([...versions]).toHaveLength(1)
  return [...versions][0] ?? 0
}
