import { isPromise, type MaybePromise } from '../../src/decisions/maybe-promise.js'
import type { CounterLimit } from '../../src/limits/counter.js'
import { LocalShare } from '../../src/limits/local-share.js'
import { LeaseCounter } from '../../src/limits/redis/lease-counter.js'
import { ShareCharging } from '../../src/limits/share-charging.js'
import { SimulatedRedis } from './simulated-redis.js'
import { World } from './world.js'

export const ways = ['exact', 'lease', 'lease, one killed a minute', 'localShare'] as const
export type Way = (typeof ways)[number]

export interface Scenario {
  readonly way: Way
  readonly processes: number
  readonly seed: number
  readonly windows: number
}

export interface Outcome {
  /** Of each window, what was admitted, as a part of the limit. */
  readonly admitted: readonly number[]
  /** Trips to the server for each request. */
  readonly tripsPerRequest: number
}

const windowMs = 60_000
const startMs = Date.parse('2026-03-01T00:00:00Z')
export const requests = 600
/** Requests that come for each that the limit allows. */
export const load = 1.5
/** Where nobody calls, so that each answer belongs to the window it was asked in. */
const quietMs = 20
export const terms = { maxMs: 2000, share: 0.1 }
/** For `localShare`: the server is away for this part of each window. */
export const outage = { fromMs: 10_000, toMs: 40_000 }

const limits: CounterLimit[] = [
  { key: 'calendar:minute', requests, algorithm: 'calendar', unit: 'minute', timeZone: 'UTC' },
]

type Take = () => MaybePromise<{ readonly taken: boolean }>
interface Process {
  readonly take: Take
  isAlive: boolean
}

/** Plays some minutes of one contract whose requests come in at several processes, at some far more than at others. */
export async function simulate({ way, processes: count, seed, windows }: Scenario): Promise<Outcome> {
  const world = new World(startMs, seed)
  const redis = new SimulatedRedis(world, terms)
  if (way === 'localShare') redis.isDown = () => isIn(outage, (world.nowMs - startMs) % windowMs)
  const start = (): Process => processOf(way, world, redis, count)
  const processes = Array.from({ length: count }, start)
  const admitted = new Array<number>(windows).fill(0)
  const endMs = startMs + windows * windowMs
  let asked = 0
  const arrive = async (): Promise<void> => {
    const sinceMs = (world.nowMs - startMs) % windowMs
    if (sinceMs < quietMs || sinceMs > windowMs - quietMs) return
    const process = processes[chosen(world, count)] as Process
    const window = Math.floor((world.nowMs - startMs) / windowMs)
    asked += 1
    const answer = process.take()
    const { taken } = isPromise(answer) ? await answer : answer
    if (taken && process.isAlive) admitted[window] = (admitted[window] ?? 0) + 1
  }
  const next = (): void => {
    world.at(world.nowMs - (Math.log(1 - world.chance()) * windowMs) / (requests * load), () => {
      void arrive()
      next()
    })
  }
  next()
  if (way === 'lease, one killed a minute') killSome(world, processes, start, windows)
  await world.run(endMs)
  return { admitted: admitted.map((each) => each / requests), tripsPerRequest: redis.trips / asked }
}

function processOf(way: Way, world: World, redis: SimulatedRedis, count: number): Process {
  const server = redis.connection()
  if (way === 'exact') return { isAlive: true, take: () => server.take('a', limits, 1) }
  if (way === 'localShare') {
    const clock = (): number => world.nowMs
    const use = { share: new LocalShare({ clock, wallClock: clock }), settling: new Map() }
    const charging = new ShareCharging({ counter: server, counterTimeoutMs: 60_000 }, use, count)
    return { isAlive: true, take: () => charging.take('a', limits, 1) }
  }
  let turns = 0
  const [name, clock] = [world.chance(), (): number => world.nowMs]
  const counter = new LeaseCounter(
    server,
    { monotonicMs: clock, wallMs: clock },
    () => `${String(name)}.${String((turns += 1))}`,
  )
  const process = { isAlive: true, take: () => counter.take('a', limits, 1) }
  const sweep = (): void => {
    if (!process.isAlive) return
    void counter.sweep()
    world.at(world.nowMs + terms.maxMs, sweep)
  }
  world.at(world.nowMs + world.chance() * terms.maxMs, sweep)
  return process
}

function killSome(world: World, processes: Process[], start: () => Process, windows: number): void {
  for (let window = 0; window < windows; window += 1) {
    world.at(startMs + (window + world.chance() * 0.6) * windowMs, () => {
      const at = chosen(world, processes.length)
      ;(processes[at] as Process).isAlive = false
      processes[at] = start()
    })
  }
}

function isIn({ fromMs, toMs }: { fromMs: number; toMs: number }, ms: number): boolean {
  return ms >= fromMs && ms < toMs
}

/** The second of them gets half as many as the first, the third a third: Zipf's law. */
function chosen(world: World, count: number): number {
  let total = 0
  for (let at = 1; at <= count; at += 1) total += 1 / at
  let left = world.chance() * total
  for (let at = 1; at < count; at += 1) {
    left -= 1 / at
    if (left < 0) return at - 1
  }
  return count - 1
}
