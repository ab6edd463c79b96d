import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ContractStore } from '../contracts/store.js'
import type { PostgresPool } from '../stores/postgres.js'
import { CliError, wrongInput } from './exit-codes.js'
import { connected, isRedisUrl, redisClient, taken, urlOf, type NamedPlace } from './places.js'
import { fromProject } from './user-modules.js'

/** A store, and the way to let go of it and of all that was opened for it. */
export interface OpenedStore {
  readonly store: ContractStore
  close(): Promise<void>
}

/** `create`: whether a directory or tables that are not there are made. */
export async function openStore(location: string, place: NamedPlace, create: boolean): Promise<OpenedStore> {
  if (isRedisUrl(location)) return openRedis(urlOf(location, place))
  if (/^postgres(ql)?:/.test(location)) return openPostgres(urlOf(location, place), create)
  if (/^[a-z]+:\/\//i.test(location)) throw wrongInput('--store: expected redis:, rediss:, postgres:, a file or a path')
  return openDisk(location, create)
}

async function openDisk(path: string, create: boolean): Promise<OpenedStore> {
  if (!create && !existsSync(join(path, 'data.mdb'))) {
    throw new CliError('notFound', `there is no store in ${path}; --create makes one`)
  }
  const { diskStore } = await import('../stores/disk.js')
  const store = diskStore({ path })
  return { store, close: () => store.close() }
}

async function openRedis(url: URL): Promise<OpenedStore> {
  const { redisStore } = await import('../stores/redis-store.js')
  const options = taken(url, 'prefix')
  const client = await redisClient(url)
  // Before there is a connection, which an error in the options would leave open.
  const store = redisStore(client, options)
  await connected(client, 'the store')
  const close = async (): Promise<void> => {
    await store.close()
    client.destroy()
  }
  return { store, close }
}

interface PostgresModule {
  readonly Pool: new (options: object) => PostgresPool & { end(): Promise<void> }
}

async function openPostgres(url: URL, create: boolean): Promise<OpenedStore> {
  const { migratePostgres, postgresStore } = await import('../stores/postgres.js')
  const options = taken(url, 'schema')
  const module = await fromProject('pg')
  const { Pool } = (module['default'] ?? module) as PostgresModule
  const pool = new Pool({ connectionString: url.href, max: 4, connectionTimeoutMillis: 5000 })
  if (create) await migratePostgres(pool, options)
  const store = postgresStore(pool, options)
  const close = async (): Promise<void> => {
    await store.close()
    await pool.end()
  }
  return { store, close }
}
