import { readFile } from 'node:fs/promises'
import { Pool } from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { postgresStore } from '../../examples/own-store/postgres-store.js'
import type { Change, ContractStore } from '../../src/contracts/store.js'
import { testContractStore } from '../../src/testing/contract-store.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'
import { expectThreeCalls, expectToStop, startPrinting, type Printed } from './printed-commands.js'
import { paste } from './running-example.js'

const suite = await describeWithServer('postgres')
const places: Place[] = []
const quiet = (): void => undefined

/** A database without a record in it. */
async function emptyPool(): Promise<Pool> {
  places.push(await ownPlace('postgres'))
  const pool = lastPool()
  await pool.query(await readFile('examples/own-store/schema.sql', 'utf8'))
  return pool
}

function lastPool(): Pool {
  return new Pool({ connectionString: places.at(-1)?.url, connectionTimeoutMillis: 2000 })
}

suite('the example of a store of one’s own', () => {
  afterAll(async () => {
    await Promise.all(places.map((place) => place.remove()))
  })

  testContractStore('postgresStore', async () => postgresStore(await emptyPool(), quiet), {
    describe,
    it,
    openAgain: () => postgresStore(lastPool(), quiet),
  })

  describe('postgresStore, beyond the suite', () => {
    let store: ContractStore | undefined
    afterEach(async () => {
      await store?.close?.()
    })

    it('lets one of two win that each rely on the other’s record not being there', async () => {
      const { commit } = (store = postgresStore(await emptyPool(), quiet))
      for (let round = 0; round < 20; round++) {
        const [one, other] = [`one${String(round)}`, `other${String(round)}`]
        const outcomes = await Promise.allSettled([
          commit([absent(one), contract(other)]),
          commit([absent(other), contract(one)]),
        ])
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        const loser = outcomes.find(({ status }) => status === 'rejected')
        expect(loser).toMatchObject({ reason: { code: 'ERR_CLIENTELE_CONFLICT' } })
      }
    })

    it('keeps text that a database may choke on: NUL, half a surrogate pair', async () => {
      store = postgresStore(await emptyPool(), quiet)
      const reason = 'a\0b \ud800'
      await store.commit([contract('one', reason)])
      expect((await store.findContract('one', 'orders'))?.reason).toBe(reason)
    })

    it('goes on after its idle connections were cut', async () => {
      const pool = await emptyPool()
      const logged: string[] = []
      store = postgresStore(pool, (line) => logged.push(line))
      await store.commit([contract('one')])
      await cutConnections(pool)
      expect(await store.findContract('one', 'orders')).toMatchObject({ client: 'one' })
      expect(logged).toEqual([expect.stringContaining('terminating connection')])
    })

    it('says that it does not know, and logs why, where there is no server', async () => {
      const logged: string[] = []
      const pool = new Pool({ connectionString: 'postgres://postgres@127.0.0.1:1/postgres' })
      store = postgresStore(pool, (line) => logged.push(line))
      const outage = { code: 'ERR_CLIENTELE_STORE' }
      await expect(store.findClient({ issuer: 'local', clientId: 'one' })).rejects.toMatchObject(outage)
      await expect(store.commit([contract('one')])).rejects.toMatchObject(outage)
      expect(logged).toHaveLength(2)
      expect(logged[0]).toContain('ECONNREFUSED')
    })
  })

  describe('its app', () => {
    let started: Printed | undefined
    afterEach(async () => {
      await started?.example.stop('SIGKILL')
    })

    it('counts to a 429, and knows its clients after a restart', async () => {
      const place = await ownPlace('postgres')
      places.push(place)
      started = await startPrinting('own-store/app.ts', 1, { POSTGRES_URL: place.url })
      const [line = ''] = started.commands
      await expectThreeCalls(line)
      await expectToStop(started)
      started = await startPrinting('own-store/app.ts', 1, { POSTGRES_URL: place.url })
      const address = /127\.0\.0\.1:\d+/
      const again = line.replace(address, address.exec(started.commands[0] ?? '')?.[0] ?? '')
      await expectThreeCalls(again)
      expect(await paste(again.replace(/ -H 'client_secret.*/, ''))).toContain(' 401 Unauthorized')
      await expectToStop(started)
    })
  })
})

function absent(client: string): Change {
  return { kind: 'contract', key: { client, api: 'orders' }, expect: null }
}

function contract(client: string, reason = ''): Change {
  const at = '2026-01-31T12:00:00Z'
  const times = { version: 1, createdAt: at, updatedAt: at, updatedBy: 'test' }
  const value = { client, api: 'orders', state: 'approved', barred: false, reason, ...times } as const
  return { ...absent(client), kind: 'contract', value } as Change
}

/** As a restart of the server does. */
async function cutConnections(pool: Pool): Promise<void> {
  const other = lastPool()
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  const gone = new Promise((resolve) => pool.once('remove', resolve))
  await other.query('select pg_terminate_backend($1)', [rows[0]?.pid])
  await gone
  await other.end()
}

describe('the guide to a store of one’s own', () => {
  it.each(['own-store/schema.sql', 'own-store/postgres-store.ts', 'own-reader/shops-reader.ts'])(
    'shows %s as it runs here',
    async (file) => {
      const guide = await readFile('docs/guides/own-store.md', 'utf8')
      const [, kind = ''] = /\.(\w+)$/.exec(file) ?? []
      expect(guide).toContain(`\`\`\`${kind}\n${await readFile(`examples/${file}`, 'utf8')}\`\`\`\n`)
    },
  )
})
