import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { migratePostgres } from '../../src/stores/postgres.js'
import { ownPlace, serverUrls } from '../support/servers.js'
import { openStore, type OpenedStore, type StorePlace } from './children/open-store.js'

export interface MadePlace {
  readonly place: StorePlace
  remove(): Promise<void>
}

/** An empty place of its own for each kind of store that processes share. */
export const makePlace: Readonly<Record<StorePlace['kind'], () => Promise<MadePlace>>> = {
  disk() {
    const path = mkdtempSync(join(tmpdir(), 'clientele-shared-'))
    return Promise.resolve({ place: { kind: 'disk', path }, remove: () => rm(path, { recursive: true, force: true }) })
  },
  redis: () => redisPlace('redis'),
  ioredis: () => redisPlace('ioredis'),
  async postgres() {
    const { url, remove } = await ownPlace('postgres')
    await migrated(url)
    return { place: { kind: 'postgres', url, schema: 'clientele' }, remove }
  },
}

async function redisPlace(kind: 'redis' | 'ioredis'): Promise<MadePlace> {
  const { prefix, remove } = await ownPlace('redis')
  return { place: { kind, url: serverUrls.redis, prefix }, remove }
}

/** Makes the tables, and keeps no connection. */
export async function migrated(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url })
  await migratePostgres(pool)
  await pool.end()
}

/** A place and a store on it, for whoever edits while other processes serve. */
export async function editedPlace(kind: StorePlace['kind']): Promise<MadePlace & OpenedStore> {
  const made = await makePlace[kind]()
  const opened = await openStore(made.place)
  return { ...made, ...opened }
}
