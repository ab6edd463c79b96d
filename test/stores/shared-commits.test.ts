import { createInterface } from 'node:readline'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { contractRecord, known, putContract } from '../../src/testing/contract-store-fixtures.js'
import { startChild } from '../support/child-process.js'
import { describeWithServer } from '../support/needs.js'
import { editedPlace } from './store-places.js'

const shared = [
  ['redis', await describeWithServer('redis')],
  ['ioredis', await describeWithServer('redis')],
  ['postgres', await describeWithServer('postgres')],
] as const

for (const [kind, suite] of shared) {
  suite(`several processes that write to one store: ${kind}`, () => {
    let opened: Awaited<ReturnType<typeof editedPlace>>
    const children: ChildProcess[] = []
    beforeAll(async () => {
      opened = await editedPlace(kind)
    })
    afterAll(async () => {
      for (const child of children) child.kill('SIGKILL')
      await opened.close()
      await opened.remove()
    })

    async function neighbour() {
      const script = new URL('children/neighbour.ts', import.meta.url)
      const child = await startChild(script, JSON.stringify(opened.place))
      children.push(child)
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const answer = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
      expect(await answer()).toBe('ready')
      return (line: string): Promise<unknown> => {
        child.stdin.write(`${line}\n`)
        return answer()
      }
    }

    it('lose no update to each other', { timeout: 120_000 }, async () => {
      const { store } = opened
      await store.commit([putContract(contractRecord('shared', 'orders', { reason: '0' }))])
      const asks = await Promise.all([neighbour(), neighbour(), neighbour(), neighbour()])
      const conflicts = (await Promise.all(asks.map((ask) => ask('add 50')))) as number[]
      expect(await store.findContract('shared', 'orders')).toMatchObject({ reason: '200' })
      expect(conflicts.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0)
      for (const ask of asks) expect(await ask('find shared')).toMatchObject({ reason: '200' })
    })

    it('cannot both rely on what the other takes away: an expectation without a value counts like a write', async () => {
      const { store } = opened
      for (let round = 0; round < 20; round += 1) {
        const [one, other] = [`one-${round}`, `other-${round}`]
        const nothingAt = (client: string) =>
          ({ kind: 'contract', key: { client, api: 'orders' }, expect: null }) as const
        const attempts = await Promise.allSettled([
          store.commit([nothingAt(other), putContract(contractRecord(one, 'orders'))]),
          store.commit([nothingAt(one), putContract(contractRecord(other, 'orders'))]),
        ])
        expect(attempts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      }
    })

    it('write hundreds of records in one commit, and are told of them', { timeout: 60_000 }, async () => {
      const { store } = opened
      const told = new Promise<void>((resolve) => {
        store.watch?.(() => {
          resolve()
        })
      })
      const ids = Array.from({ length: 300 }, (_, index) => `bulk-${String(index).padStart(3, '0')}`)
      await store.commit(ids.flatMap((id) => [...known(id), putContract(contractRecord(id, 'bulk'))]))
      await told
      const { records } = await store.list<'contract'>({ kind: 'contract', api: 'bulk', pageSize: 1000 })
      expect(records.map(({ client }) => client)).toEqual(ids)
    })
  })
}
