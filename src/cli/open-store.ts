import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ContractStore } from '../contracts/store.js'
import { isContractStore } from '../contracts/is-store.js'
import type { PostgresPool } from '../stores/postgres.js'
import type { NodeRedisClient } from '../redis/clients.js'
import { CliError, wrongInput } from './exit-codes.js'
import { fromProject, userFile } from './user-modules.js'

/** A store, and the way to let go of it and of all that was opened for it. */
export interface OpenedStore {
  readonly store: ContractStore
  /** Of a config file: all that it exports. */
  readonly config: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

export interface StoreLocation {
  /** As given on the command line, which every user of the machine can read. */
  readonly argument: string | undefined
  /** As given in the environment. */
  readonly environment: string | undefined
  /** Whether a directory that is not there is made. */
  readonly create: boolean
}

export async function openStore({ argument, environment, create }: StoreLocation): Promise<OpenedStore> {
  const location = argument ?? environment
  if (location === undefined) throw wrongInput('name the store with --store, or in CLIENTELE_STORE')
  if (/^rediss?:/.test(location)) return openRedis(urlOf(location, argument !== undefined))
  if (/^postgres(ql)?:/.test(location)) return openPostgres(urlOf(location, argument !== undefined), create)
  if (/^[a-z]+:\/\//i.test(location)) throw wrongInput('--store: expected redis:, rediss:, postgres:, a file or a path')
  return /\.[cm]?[jt]s$/.test(location) ? openConfig(location) : openDisk(location, create)
}

function urlOf(text: string, isArgument: boolean): URL {
  if (!URL.canParse(text)) throw wrongInput('the URL of the store is not valid')
  const url = new URL(text)
  // Clients of databases take it from the query, too.
  if (isArgument && (url.password !== '' || url.searchParams.has('password'))) {
    throw wrongInput('--store: a password on the command line can be read by others; use CLIENTELE_STORE')
  }
  return url
}

/** An option of ours in the URL: taken out, since the server's client would not know it. */
function taken(url: URL, name: string): Record<string, string> {
  const value = url.searchParams.get(name)
  url.searchParams.delete(name)
  return value === null ? {} : { [name]: value }
}

async function openDisk(path: string, create: boolean): Promise<OpenedStore> {
  if (!create && !existsSync(join(path, 'data.mdb'))) {
    throw new CliError('notFound', `there is no store in ${path}; --create makes one`)
  }
  const { diskStore } = await import('../stores/disk.js')
  const store = diskStore({ path })
  return { store, config: {}, close: () => store.close() }
}

interface RedisModule {
  createClient(options: object): NodeRedisClient & {
    connect(): Promise<unknown>
    destroy(): void
    on(event: 'error', listener: () => void): unknown
  }
}

async function openRedis(url: URL): Promise<OpenedStore> {
  const { redisStore } = await import('../stores/redis-store.js')
  const options = taken(url, 'prefix')
  const redis = (await fromProject('redis')) as unknown as RedisModule
  const client = redis.createClient({ url: url.href, socket: { reconnectStrategy: false, connectTimeout: 5000 } })
  // What went wrong is told by the call that fails.
  client.on('error', () => undefined)
  // Before there is a connection, which an error in the options would leave open.
  const store = redisStore(client, options)
  await client.connect().catch(unreachable)
  const close = async (): Promise<void> => {
    await store.close()
    client.destroy()
  }
  return { store, config: {}, close }
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
  return { store, config: {}, close }
}

async function openConfig(path: string): Promise<OpenedStore> {
  const config = await userFile(path)
  const { store } = config
  if (!isContractStore(store)) throw wrongInput(`${path}: expected an export named store, which is a ContractStore`)
  return { store, config, close: async () => store.close?.() }
}

function unreachable(error: unknown): never {
  const { code } = error as { readonly code?: unknown }
  throw new CliError('outage', `the store does not answer${typeof code === 'string' ? ` (${code})` : ''}`)
}
