import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import KeyvMysql from '@keyv/mysql'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { cachedStore, memoryStore, type ContractStore } from 'clientele'
import { diskStore } from 'clientele/disk'
import { keyvStore } from 'clientele/keyv'
import { Keyv } from 'keyv'
import { describe } from 'vitest'
import { editedPlace } from '../stores/store-places.js'
import { describeWithServer } from '../support/needs.js'
import { frameworks, type Framework } from '../support/frameworks.js'
import { ownPlace, type Place, type Server } from '../support/servers.js'

interface OpenedStore {
  readonly store: ContractStore
  /** Closes it, and leaves nothing behind. */
  remove(): Promise<void>
}

interface AttackedStore {
  readonly name: string
  readonly suite: typeof describe | Awaited<ReturnType<typeof describeWithServer>>
  /** All of them where a store costs nothing; adapters know nothing of stores. */
  readonly on: readonly Framework[]
  open(): Promise<OpenedStore>
}

const oneFramework = frameworks.slice(0, 1)

function onDisk(inFront = (store: ContractStore) => store): Promise<OpenedStore> {
  const path = mkdtempSync(join(tmpdir(), 'clientele-attacks-'))
  const store = diskStore({ path })
  return Promise.resolve({
    store: inFront(store),
    remove: async () => {
      await store.close()
      rmSync(path, { recursive: true, force: true })
    },
  })
}

async function onServer(kind: 'redis' | 'ioredis' | 'postgres'): Promise<OpenedStore> {
  const { store, close, remove } = await editedPlace(kind)
  return { store, remove: () => close().then(remove) }
}

const keyvOn: Readonly<Record<Server, (place: Place) => Keyv>> = {
  redis: ({ url, prefix }) => new Keyv({ store: new KeyvRedis(url), namespace: prefix }),
  postgres: ({ url }) => new Keyv({ store: new KeyvPostgres({ uri: url, idleTimeoutMillis: 1 }) }),
  mysql: ({ url }) => new Keyv({ store: new KeyvMysql(url) }),
}

async function onKeyv(server: Server): Promise<OpenedStore> {
  const place = await ownPlace(server)
  const store = keyvStore(keyvOn[server](place), { soleWriter: true })
  return { store, remove: () => store.close().then(place.remove) }
}

const onRedis = await describeWithServer('redis')
const onPostgres = await describeWithServer('postgres')
const onMysql = await describeWithServer('mysql')

/** Every kind of store there is, a cache in front of one included. */
export const attackedStores: readonly AttackedStore[] = [
  {
    name: 'memoryStore',
    suite: describe,
    on: frameworks,
    open: () => Promise.resolve({ store: memoryStore(), remove: () => Promise.resolve() }),
  },
  { name: 'diskStore', suite: describe, on: frameworks, open: () => onDisk() },
  { name: 'cachedStore', suite: describe, on: oneFramework, open: () => onDisk((store) => cachedStore(store)) },
  { name: 'redisStore, redis', suite: onRedis, on: oneFramework, open: () => onServer('redis') },
  { name: 'redisStore, ioredis', suite: onRedis, on: oneFramework, open: () => onServer('ioredis') },
  { name: 'postgresStore', suite: onPostgres, on: oneFramework, open: () => onServer('postgres') },
  { name: 'keyvStore, Redis', suite: onRedis, on: oneFramework, open: () => onKeyv('redis') },
  { name: 'keyvStore, PostgreSQL', suite: onPostgres, on: oneFramework, open: () => onKeyv('postgres') },
  // The one whose collation takes ACME, acmé and acme for the same by itself.
  { name: 'keyvStore, MySQL', suite: onMysql, on: oneFramework, open: () => onKeyv('mysql') },
]
