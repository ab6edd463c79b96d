import { migratePostgres, postgresStore } from 'clientele/postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { testContractStore } from '../../src/testing/contract-store.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place } from '../support/servers.js'

const describeWithPostgres = await describeWithServer('postgres')

describeWithPostgres('postgresStore', () => {
  let place: Place
  let pool: pg.Pool
  let made = 0
  const schemaOf = (number: number): string => `suite_${number}`
  const openLast = () => postgresStore(pool, { schema: schemaOf(made) })

  beforeAll(async () => {
    place = await ownPlace('postgres')
    pool = new pg.Pool({ connectionString: place.url, connectionTimeoutMillis: 2000 })
  })
  afterAll(async () => {
    await pool.end()
    await place.remove()
  })

  testContractStore(
    'postgresStore',
    async () => {
      await migratePostgres(pool, { schema: schemaOf(++made) })
      return openLast()
    },
    { describe, it, openAgain: openLast, openBeside: openLast },
  )
})
