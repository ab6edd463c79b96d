import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createClient } from 'redis'

/** The servers that tests run against; each can be put elsewhere. The port has to be named. */
export const serverUrls = {
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  postgres: process.env.POSTGRES_URL ?? 'postgresql://postgres@127.0.0.1:5432/postgres',
  mysql: process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
}

export type Server = keyof typeof serverUrls

/** A place of a test's own on a shared server. */
export interface Place {
  /** With the database in it, for Postgres and MySQL. */
  readonly url: string
  /** In front of each key on Redis. */
  readonly prefix: string
  remove(): Promise<void>
}

/** For one run: nothing that others keep on the server is seen or touched. */
export function ownPlace(server: Server): Promise<Place> {
  return placeOn[server](`clientele_test_${randomBytes(6).toString('hex')}`)
}

const placeOn: Readonly<Record<Server, (name: string) => Promise<Place>>> = {
  redis: (name) => Promise.resolve({ url: serverUrls.redis, prefix: name, remove: () => removeFromRedis(name) }),
  async postgres(name) {
    await onPostgres((client) => client.query(`create database ${name}`))
    const remove = () => onPostgres((client) => removeFromPostgres(client, name))
    return { url: withDatabase(serverUrls.postgres, name), prefix: name, remove }
  },
  async mysql(name) {
    await runOnMysql(`create database ${name}`)
    const remove = () => runOnMysql(`drop database ${name}`)
    return { url: withDatabase(serverUrls.mysql, name), prefix: name, remove }
  },
}

function withDatabase(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href
}

async function onPostgres(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client(serverUrls.postgres)
  await client.connect()
  await work(client).finally(() => client.end())
}

const patienceMs = 5000

/** Connections that were ended a moment ago go by themselves: whoever is thrown out would still hear of it. */
async function removeFromPostgres(client: pg.Client, name: string): Promise<void> {
  const inUse = async () => (await client.query('select 1 from pg_stat_activity where datname = $1', [name])).rowCount
  for (const begun = Date.now(); (await inUse()) !== 0 && Date.now() - begun < patienceMs;) await sleep(20)
  await client.query(`drop database ${name} with (force)`)
}

async function removeFromRedis(prefix: string): Promise<void> {
  const client = createClient({ url: serverUrls.redis })
  await client.connect()
  for await (const keys of client.scanIterator({ MATCH: `*${prefix}*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  await client.close()
}

interface MysqlConnection {
  query(statement: string): Promise<unknown>
  end(): Promise<void>
}

async function runOnMysql(statement: string): Promise<void> {
  // The client that the adapter of Keyv brings along: there is no other of ours.
  const adapter = createRequire(import.meta.url).resolve('@keyv/mysql')
  const { createConnection } = createRequire(adapter)('mysql2/promise') as {
    createConnection: (url: string) => Promise<MysqlConnection>
  }
  const connection = await createConnection(serverUrls.mysql)
  await connection.query(statement).finally(() => connection.end())
}
