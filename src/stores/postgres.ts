import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { PostgresBackend } from './postgres/backend.js'
import type { PostgresPool } from './postgres/pool.js'
import { bringUpToDate } from './postgres/tables.js'
import { ServerContractStore, type ServerStore } from './server/server-store.js'

export type { PostgresConnection, PostgresPool, PostgresQuery, PostgresResult } from './postgres/pool.js'
export type { ServerStore } from './server/server-store.js'

export interface PostgresTablesOptions {
  /** Where the tables are. Lower-case letters, digits and `_`, at most 40. @default 'clientele' */
  readonly schema?: string
}

export interface PostgresStoreOptions extends PostgresTablesOptions {
  /** How long the database may take; then it has failed. 1 to 600,000. @default 5000 */
  readonly timeoutMs?: number
}

const schema = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,39}$/, 'expected 1 to 40 of a-z 0-9 _, not beginning with a digit')
  .default('clientele')
const tablesSchema = z.strictObject({ schema })
const storeSchema = z.strictObject({ schema, timeoutMs: z.int().min(1).max(600_000).default(5000) })

/**
 * For contracts in PostgreSQL, shared by any number of processes: pass a `Pool` of `pg`. A commit is one transaction;
 * a change is told to every process that watches, as `cachedStore` does, by a notification on a connection that
 * watching takes from the pool and keeps. The tables are made by `migratePostgres`. The pool stays yours: close the
 * store, then the pool. Give the pool a `connectionTimeoutMillis`; it has none of its own.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): ServerStore {
  const { schema, timeoutMs } = checkOptions('postgresStore()', storeSchema, options)
  return new ServerContractStore(new PostgresBackend(checkPool('postgresStore()', pool), schema, timeoutMs))
}

/**
 * Makes the tables of `postgresStore`, or brings those of an older version up to date. Any number of processes may
 * call it when they start: where there is nothing to do, it does nothing and needs no right to create anything.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`, `ERR_CLIENTELE_STORE`
 */
export async function migratePostgres(pool: PostgresPool, options: PostgresTablesOptions = {}): Promise<void> {
  const { schema } = checkOptions('migratePostgres()', tablesSchema, options)
  try {
    await bringUpToDate(checkPool('migratePostgres()', pool), schema)
  } catch (error) {
    if (error instanceof ClienteleFault) throw error
    const message = 'migratePostgres(): the tables could not be made; may this user create them?'
    throw new ClienteleFault('ERR_CLIENTELE_STORE', message, { cause: error })
  }
}

function checkPool(where: string, pool: PostgresPool): PostgresPool {
  const members = pool as Partial<PostgresPool> | undefined
  if (typeof members?.connect === 'function' && typeof members.query === 'function') return pool
  throw optionsFault(where, 'expected a Pool of pg')
}
