import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import KeyvMysql from '@keyv/mysql'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { KeyvFile } from 'keyv-file'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { keyvStore, type KeyvLike } from '../../src/stores/keyv.js'
import { testContractStore } from '../../src/testing/contract-store.js'
import { describeWithServer } from '../support/needs.js'
import { ownPlace, type Place, type Server } from '../support/servers.js'
import type { KeyvClass } from './keyv-majors.js'

/** Where a Keyv may keep its records: `make` gives a new, empty Keyv, `again` another one over the last. */
interface KeyvBackend {
  make(): KeyvLike
  again(): KeyvLike
  /** Whether two of them may be open at once. */
  readonly shared: boolean
}

/** Runs the suite for stores over every backend. */
export async function testKeyvBackends(Keyv: KeyvClass): Promise<void> {
  testBackend('a Map', onMap(Keyv))
  testBackend('a file per record', onFiles(Keyv, true))
  testBackend('one file', onFiles(Keyv, false))
  for (const server of ['redis', 'postgres', 'mysql'] as const) {
    const suite = await describeWithServer(server)
    suite(`keyvStore on ${server}`, () => {
      testBackend(server, onServer(Keyv, server))
    })
  }
}

function testBackend(name: string, backend: KeyvBackend): void {
  const open = (keyv: KeyvLike) => keyvStore(keyv, { soleWriter: true })
  testContractStore(`on ${name}`, () => open(backend.make()), {
    describe,
    it,
    atomicCommits: false,
    openAgain: () => open(backend.again()),
    ...(backend.shared && { openBeside: () => open(backend.again()) }),
  })
}

function onMap(Keyv: KeyvClass): KeyvBackend {
  let map = new Map()
  return {
    make: () => new Keyv({ store: (map = new Map()) }),
    again: () => new Keyv({ store: map }),
    shared: true,
  }
}

function onFiles(Keyv: KeyvClass, separatedFile: boolean): KeyvBackend {
  const root = mkdtempSync(join(tmpdir(), 'clientele-keyv-'))
  let made = 0
  const again = () => {
    const filename = join(root, String(made))
    return new Keyv({ store: new KeyvFile({ filename, separatedFile, writeDelay: 0 }) })
  }
  const make = () => {
    made += 1
    return again()
  }
  afterAll(() => {
    rmSync(root, { recursive: true, force: true })
  })
  // With one file for all, keyv-file reads it when it is opened and never again.
  return { make, again, shared: separatedFile }
}

function onServer(Keyv: KeyvClass, server: Server): KeyvBackend {
  let place: Place
  let made = 0
  beforeAll(async () => {
    place = await ownPlace(server)
  })
  // The adapters for SQL share one pool among all of their kind, and end it for all; they make a table when they are
  // made, which must be over by then.
  const opened: KeyvLike[] = []
  let endPool = (): Promise<void> => Promise.resolve()
  afterAll(async () => {
    await Promise.all(opened.map((keyv) => keyv.get('any')))
    await endPool()
    await place.remove()
  })
  const again = (): KeyvLike => {
    const name = `${place.prefix}_${String(made)}`
    const adapter = adapterOn[server](place.url, name)
    const keyv = new Keyv({ store: adapter, namespace: name })
    if (server === 'redis') return keyv
    opened.push(keyv)
    endPool = adapter.disconnect.bind(adapter)
    adapter.disconnect = () => Promise.resolve()
    return keyv
  }
  const make = () => {
    made += 1
    return again()
  }
  return { make, again, shared: true }
}

const adapterOn: Readonly<Record<Server, (url: string, name: string) => { disconnect(): Promise<void> }>> = {
  redis: (url) => new KeyvRedis(url),
  postgres: (uri, table) => new KeyvPostgres({ uri, table }),
  mysql: (uri, table) => new KeyvMysql({ uri, table }),
}
