import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import KeyvRedis from '@keyv/redis'
import { cachedStore } from 'clientele'
import { diskStore } from 'clientele/disk'
import { Keyv } from 'keyv'
import type { Row } from '../rounds.js'
import { among, timed } from './lookups.js'
import { api, clientAt, clientsInUse, contractAt, contracts, makeWorld, type World } from './world.js'

const lookUps = 200_000
/** So few that most of them meet a page for the first time. */
const coldLookUps = 2000
const openings = 30
/** Each is a way to a server and back: how many records stand there makes no difference. */
const rowsOnRedis = 10_000
const redisLookUps = 20_000

/** A new measurement of a million contracts is a line here: it is given their directory, and returns rows. */
const measurements: readonly ((world: World) => Promise<Row[]>)[] = [opening, pastTheCache, warm, plainMap, keyvOnRedis]

/** A million contracts: how fast they are there, found again, and how much memory it takes. */
export async function store(): Promise<Row[]> {
  const world = await makeWorld()
  try {
    const rows: Row[] = []
    for (const measured of measurements) {
      console.log(`store: ${measured.name} …`)
      rows.push(...(await measured(world)))
    }
    return rows
  } finally {
    await world.remove()
  }
}

async function opening({ path }: World): Promise<Row[]> {
  const times: number[] = []
  for (let number = 0; number < openings; number += 1) {
    const begun = process.hrtime.bigint()
    const opened = diskStore({ path })
    void opened.findContract(clientAt(number), api)
    times.push(Number(process.hrtime.bigint() - begun) / 1000)
    await opened.close()
  }
  const [least = NaN, ...others] = times.toSorted((a, b) => a - b)
  const median = others[Math.floor(others.length / 2)] ?? NaN
  return [{ name: 'diskStore opens, and finds one', medianMicroseconds: median, minMicroseconds: least }]
}

async function pastTheCache({ path }: World): Promise<Row[]> {
  const opened = diskStore({ path, cachedRecords: 1 })
  const lookUp = (number: number): unknown => opened.findContract(clientAt(number), api)
  const rows = [
    await timed('diskStore, right after opening', lookUp, among(contracts), coldLookUps),
    await timed('diskStore past its cache, clients in use', lookUp, among(clientsInUse), lookUps),
    await timed('diskStore past its cache, of a million', lookUp, among(contracts), lookUps),
  ]
  await opened.close()
  return rows
}

/** IDs are there when a request comes: to make them is not part of a look-up. */
const ids = (): readonly string[] => Array.from({ length: contracts }, (_, number) => clientAt(number))

async function warm({ path }: World): Promise<Row[]> {
  const opened = diskStore({ path })
  const known = ids()
  const cached = cachedStore(opened, { maxEntries: contracts, freshForMs: 3_600_000, staleForMs: 7_200_000 })
  const lookUp = (number: number): unknown => cached.findContract(known[number] ?? '', api)
  const before = memory()
  for (let number = 0; number < contracts; number += 1) void lookUp(number)
  const bytesPerRecord = Math.round((memory() - before) / contracts)
  const rows = [
    await timed('cachedStore, clients in use', lookUp, among(clientsInUse), lookUps),
    await timed('cachedStore, of a million', lookUp, among(contracts), lookUps),
  ]
  await cached.close?.()
  return rows.map((row) => ({ ...row, bytesPerRecord }))
}

async function plainMap(): Promise<Row[]> {
  const known = ids()
  const before = memory()
  const map = new Map(known.map((id, number) => [id, contractAt(number)]))
  const bytesPerRecord = Math.round((memory() - before) / contracts)
  const lookUp = (number: number): unknown => map.get(known[number] ?? '')?.state
  const rows = [
    await timed('a Map of objects, clients in use', lookUp, among(clientsInUse), lookUps),
    await timed('a Map of objects, of a million', lookUp, among(contracts), lookUps),
  ]
  return rows.map((row) => ({ ...row, bytesPerRecord }))
}

async function keyvOnRedis(): Promise<Row[]> {
  const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
  const keyv = new Keyv({ store: new KeyvRedis(url), namespace: `bench${process.pid}` })
  for (let number = 0; number < rowsOnRedis; number += 1)
    await keyv.set(clientAt(number), contractAt(number), 3_600_000)
  const row = await timed('@keyv/redis', (number) => keyv.get(clientAt(number)), among(rowsOnRedis), redisLookUps)
  await keyv.clear()
  await keyv.disconnect()
  return [row]
}

/** What is held after a collection. */
function memory(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
