import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryCounter, type Counter } from 'clientele'
import { redisCounter } from 'clientele/redis'
import { MemoryStore } from 'express-rate-limit'
import { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible'
import { measure, type Contender, type Row } from '../rounds.js'

const plenty = 1_000_000_000
const windows = [1, 60, 3600, 86_400, 30 * 86_400]
const five = windows.map((seconds) => ({
  key: `fixed:${seconds * 1000}`,
  requests: plenty,
  algorithm: 'fixed' as const,
  windowMs: seconds * 1000,
}))
const one = five.slice(1, 2)
const usual = 'memory, five limits'
const bare = 'one bare round trip (GET)'
const bareTogether = `${bare}, 50 at once`
const together = 50
/** The least that a script of ours can be: it asks for the time, reads a value and writes it. */
const leastScript = `
local time = redis.call('TIME')
redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]) or 'a', 'KEEPTTL')
return { 1, time[1], 0 }
`

/** A decision alone: whether a request passes, and what is left. */
export async function limits(): Promise<Row[]> {
  const client = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
  const prefix = `clientele_bench_${randomBytes(6).toString('hex')}`
  const exact = redisCounter(client, { prefix })
  const leasing = redisCounter(client, { prefix: `${prefix}_lease`, lease: { share: 0.5, maxMs: 10_000 } })
  await exact.ready()
  await leasing.ready()
  try {
    const near = await measure(nearby(leasing), { operations: 2000, rounds: 200, warmUpRounds: 40 })
    const far = await measure(onRedis(client, prefix, exact), { operations: 50, rounds: 100, warmUpRounds: 30 })
    const crowd = await measure(atOnce(client, prefix, exact), { operations: 200, rounds: 100, warmUpRounds: 30 })
    return [...near, ...far, ...crowd, ...(await manyKeys())]
  } finally {
    await leasing.close()
    await exact.close()
    for (const name of ['nothing', 'least']) await client.unlink(`${prefix}:${name}`)
    client.disconnect()
  }
}

function nearby(leasing: Counter): Contender[] {
  const memory = memoryCounter()
  const store = new MemoryStore()
  store.init({ windowMs: 60_000 } as Parameters<MemoryStore['init']>[0])
  const flexible = windows.map(
    (duration) => new RateLimiterMemory({ points: plenty, duration: Math.min(duration, 2e6) }),
  )
  const union = new RateLimiterUnion(...flexible)
  return [
    timed('memory, one limit', () => memory.take('one', one, 1)),
    timed(usual, () => memory.take('five', five, 1)),
    timed('lease, one limit', () => leasing.take('one', one, 1), ['memory, one limit']),
    timed('lease, five limits', () => leasing.take('five', five, 1), [usual]),
    timed('express-rate-limit, one limit', () => store.increment('one')),
    timed('rate-limiter-flexible in memory, one limit', () => flexible[1]?.consume('one')),
    timed('rate-limiter-flexible in memory, five limits', () => union.consume('five')),
  ]
}

function onRedis(client: Redis, prefix: string, exact: Counter): Contender[] {
  const keyPrefix = `${prefix}_flexible`
  const options = { storeClient: client, points: plenty }
  const flexible = windows.map(
    (duration) => new RateLimiterRedis({ ...options, duration, keyPrefix: `${keyPrefix}_${duration}` }),
  )
  const union = new RateLimiterUnion(...flexible)
  return [
    timed(bare, () => client.get(`${prefix}:nothing`)),
    timed('a script that asks for the time, reads and writes', () => client.eval(leastScript, 1, `${prefix}:least`), [
      bare,
    ]),
    timed('exact, one limit', () => exact.take('one', one, 1), [bare]),
    timed('exact, five limits', () => exact.take('five', five, 1), [bare]),
    timed('rate-limiter-flexible on Redis, one limit', () => flexible[1]?.consume('one'), [bare]),
    timed('rate-limiter-flexible on Redis, five limits', () => union.consume('five'), [bare]),
  ]
}

/** As requests come to a busy process: what is asked goes out together. */
function atOnce(client: Redis, prefix: string, exact: Counter): Contender[] {
  const several = (name: string, decide: () => unknown, comparedTo?: readonly string[]) =>
    timed(name, () => Promise.all(Array.from({ length: together }, decide)), comparedTo, together)
  return [
    several(bareTogether, () => client.get(`${prefix}:nothing`)),
    several('exact, one limit, 50 at once', () => exact.take('one', one, 1), [bareTogether]),
    several('exact, five limits, 50 at once', () => exact.take('five', five, 1), [bareTogether]),
  ]
}

async function manyKeys(): Promise<Row[]> {
  const collect = garbageCollector()
  collect()
  const before = process.memoryUsage().heapUsed
  const subjects = Array.from({ length: 1_000_000 }, (_, index) => `orders:client-${index}`)
  const few = subjects.slice(0, 1000)
  collect()
  const withNames = process.memoryUsage().heapUsed
  const large = memoryCounter()
  for (const subject of subjects) large.take(subject, five, 1)
  collect()
  const bytes = Math.round((process.memoryUsage().heapUsed - withNames) / subjects.length)
  const nameBytes = Math.round((withNames - before) / subjects.length)
  console.log(`a million clients, five limits each: ${bytes} bytes for each, beside ${nameBytes} of its name`)
  const small = memoryCounter()
  const small1000 = 'memory, five limits, a thousand clients in turn'
  const inTurn = (list: readonly string[], decide: (subject: string) => unknown) => {
    let at = 0
    return () => decide(list[(at = (at + 7919) % list.length)] ?? '')
  }
  const floor = new Map(subjects.map((subject) => [subject, { count: 0 }]))
  const touch = (subject: string) => {
    const entry = floor.get(subject)
    if (entry !== undefined) entry.count += 1
  }
  const peer = new MemoryStore()
  peer.init({ windowMs: 3_600_000 } as Parameters<MemoryStore['init']>[0])
  for (const subject of subjects) await peer.increment(subject)
  const contenders = [
    timed(
      small1000,
      inTurn(few, (subject) => small.take(subject, five, 1)),
    ),
    timed(
      'memory, five limits, a million clients in turn',
      inTurn(subjects, (subject) => large.take(subject, five, 1)),
      [small1000],
    ),
    timed(
      'memory, five limits, the same thousand of a million',
      inTurn(few, (subject) => large.take(subject, five, 1)),
      [small1000],
    ),
    timed('a Map, a thousand of a million', inTurn(few, touch)),
    timed('a Map, a million clients in turn', inTurn(subjects, touch)),
    timed(
      'express-rate-limit, one limit, a thousand of a million',
      inTurn(few, (subject) => peer.increment(subject)),
    ),
    timed(
      'express-rate-limit, one limit, a million clients in turn',
      inTurn(subjects, (subject) => peer.increment(subject)),
    ),
  ]
  return measure(contenders, { operations: 2000, rounds: 100, warmUpRounds: 20 })
}

function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** Whoever answers at once is not made to wait for a promise. */
function timed(name: string, decide: () => unknown, comparedTo?: readonly string[], atATime = 1): Contender {
  return {
    name,
    ...(comparedTo && { comparedTo }),
    prepare: (operations) => async () => {
      for (let count = 0; count < operations; count += atATime) {
        const answer = decide()
        if (answer instanceof Promise) await answer
      }
    },
  }
}
