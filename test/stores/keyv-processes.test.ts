import { once } from 'node:events'
import { createInterface } from 'node:readline'
import KeyvRedis from '@keyv/redis'
import type { ContractStore, RecordKind, Records } from 'clientele'
import { keyvStore } from 'clientele/keyv'
import { Keyv } from 'keyv'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startChild } from '../support/child-process.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'

const suite = await describeWithServer('redis')

suite('a process that is killed while it writes through keyvStore', () => {
  let place: Place
  beforeEach(async () => {
    place = await ownPlace('redis')
  })
  afterEach(() => place.remove())

  const open = (options = {}) =>
    keyvStore(new Keyv({ store: new KeyvRedis(place.url), namespace: place.prefix }), options)

  it('loses nothing that it was told is written, and leaves nothing half', { timeout: 120_000 }, async () => {
    const acknowledged: string[] = []
    for (let round = 0; round < 5; round++) {
      acknowledged.push(...(await writeUntilKilled(place, String(round))))
      const reader = open()
      await expectWhole(reader, acknowledged)
      await reader.close()
    }
    expect(acknowledged.length).toBeGreaterThan(25)
    const writer = open({ soleWriter: true })
    await writer.commit([])
    await expectWhole(writer, acknowledged)
    await writer.close()
  })
})

async function writeUntilKilled({ url, prefix }: Place, round: string): Promise<string[]> {
  const child = await startChild(new URL('children/keyv-writer.ts', import.meta.url), url, prefix, round)
  const ids: string[] = []
  const lines = createInterface({ input: child.stdout })
  const killAfter = 10 + Math.floor(Math.random() * 40)
  lines.on('line', (id) => {
    ids.push(id)
    // Some time into the next commits, not at their edges.
    if (ids.length === killAfter) setTimeout(() => child.kill('SIGKILL'), Math.random() * 5)
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return ids
}

/** Clients, identities and contracts were written three at a time: so they must stand there, by key and by list. */
async function expectWhole(store: ContractStore, acknowledged: readonly string[]): Promise<void> {
  const clients = (await every(store, 'client')).map(({ id }) => id).sort()
  expect((await every(store, 'identity')).map(({ clientId }) => clientId).sort()).toEqual(clients)
  expect((await every(store, 'contract')).map(({ client }) => client).sort()).toEqual(clients)
  expect(clients).toEqual(expect.arrayContaining([...acknowledged]))
  for (const id of clients) {
    expect(await store.findClient({ issuer: 'local', clientId: id })).toMatchObject({ id })
    expect(await store.findContract(id, 'orders')).toMatchObject({ client: id })
  }
}

async function every<K extends RecordKind>(store: ContractStore, kind: K): Promise<readonly Records[K]['value'][]> {
  const page = await store.list<K>({ kind, pageSize: 1000 })
  expect(page.cursor).toBeUndefined()
  return page.records
}
