import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientele } from 'clientele/express'
import { redisCounter, type RedisCommandClient, type RedisCounter } from 'clientele/redis'
import express from 'express'
import { afterEach, describe, expect, it } from 'vitest'
import { subjectOf } from '../../../src/limits/subject.js'
import { limitOf } from '../../../src/testing/counter/bench.js'
import { commandClients, type OpenedClient } from '../../stores/redis-clients.js'
import { call } from '../../support/call.js'
import { describeWithProgram } from '../../support/needs.js'
import { RedisProcess } from '../../support/redis-process.js'
import { seededStore, type SeededClient } from '../../support/seeded-store.js'
import { TcpProxy } from '../../support/tcp-proxy.js'
import { until } from '../../support/until.js'

const describeWithOwnRedis = describeWithProgram('redis-server', '--version')
const timeoutMs = 600
const leaseMs = 400

/** A Redis behind a network, an API that counts on it, and who calls it. */
class Stage {
  readonly redis: RedisProcess
  readonly network: TcpProxy
  readonly counter: RedisCounter
  readonly #opened: OpenedClient<RedisCommandClient>
  readonly #server: Server
  readonly #caller: SeededClient
  readonly #requests: number
  /** How many were answered with each status. */
  answers: Record<number, number> = {}

  private constructor(
    [redis, network]: readonly [RedisProcess, TcpProxy],
    [opened, counter]: readonly [OpenedClient<RedisCommandClient>, RedisCounter],
    [server, caller, requests]: readonly [Server, SeededClient, number],
  ) {
    this.redis = redis
    this.network = network
    this.#opened = opened
    this.counter = counter
    this.#server = server
    this.#caller = caller
    this.#requests = requests
  }

  static async set(client: string, leases: boolean, requests = 10_000, ...settings: string[]): Promise<Stage> {
    const redis = await RedisProcess.start(...settings)
    const network = await TcpProxy.before(redis.url)
    const opened = await commandClients[client]!(network.through(redis.url))
    const lease = leases ? { lease: { maxMs: leaseMs } } : {}
    const counter = redisCounter(opened.client, { timeoutMs, ...lease })
    const { store, clients } = await seededStore(undefined, requests)
    const { enforceClientId, limitBySla } = clientele({ api: 'orders', store, counter })
    const app = express().get('/', enforceClientId(), limitBySla(), (_req, res) => void res.json({}))
    const server = createServer(app)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const stage = new Stage([redis, network], [opened, counter], [server, clients.approved, requests])
    expect(await stage.ask()).toBe(200)
    return stage
  }

  async ask(): Promise<number> {
    const { clientId, clientSecret } = this.#caller
    const headers = [
      ['client_id', clientId],
      ['client_secret', clientSecret],
    ] as const
    const { port } = this.#server.address() as AddressInfo
    const answer = await call(`http://127.0.0.1:${String(port)}`, { headers })
    if (answer.status === 503) {
      expect(answer.json).toMatchObject({ code: 'ERR_CLIENTELE_COUNTER' })
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    }
    this.answers[answer.status] = (this.answers[answer.status] ?? 0) + 1
    return answer.status
  }

  /** What a caller sees who asks all the time. */
  async seen(forMs: number): Promise<number[]> {
    const statuses = new Set<number>()
    for (const begun = performance.now(); performance.now() - begun < forMs;) {
      statuses.add(await this.ask())
      await sleep(5)
    }
    return [...statuses].sort()
  }

  backToNormal(): Promise<void> {
    return until(async () => (await this.ask()) === 200)
  }

  /** What the server has of it when all shares are back. */
  async used(): Promise<number> {
    const subject = subjectOf('orders', this.#caller.id)
    const [reading] = await this.counter.peek(subject, [limitOf(this.#requests, 60_000)])
    return reading!.used
  }

  command(...command: string[]): Promise<unknown> {
    return this.#opened.command(...command)
  }

  async end(): Promise<void> {
    this.redis.continue()
    await this.network.resume()
    this.#server.closeAllConnections()
    this.#server.close()
    await this.counter.close()
    this.#opened.close()
    await this.network.cut()
    await this.redis.kill()
  }
}

const ways = Object.keys(commandClients).flatMap((client) => [
  ['exact', client, false] as const,
  // Whatever the client, shares are the same.
  ...(client === 'valkey-glide' ? [] : [['lease', client, true] as const]),
])

describeWithOwnRedis('redisCounter when its server fails', () => {
  let stage: Stage
  afterEach(() => stage.end())

  describe.each(ways)('%s, with a client of %s', (_mode, client, leases) => {
    const set = async (requests?: number, ...settings: string[]): Promise<Stage> =>
      (stage = await Stage.set(client, leases, requests, ...settings))

    it('paused: 503, and nothing is charged for what was answered so', async () => {
      await set()
      stage.redis.stop()
      // What is left of a share is spent meanwhile.
      await until(async () => (await stage.ask()) === 503)
      expect(await stage.seen(2 * timeoutMs)).toEqual([503])
      stage.redis.continue()
      await stage.backToNormal()
      expect(await stage.seen(200)).toEqual([200])
      // At the most the one that it was just about to answer.
      const unanswered = (await stage.used()) - stage.answers[200]!
      expect([0, 1]).toContain(unanswered)
    })

    it('killed and begun anew, empty: 503, and then a new count', async () => {
      await set(50)
      await until(async () => (await stage.ask()) === 429)
      await stage.redis.kill()
      expect(await stage.seen(2 * timeoutMs)).toEqual([503])
      await stage.redis.startAgain()
      await stage.backToNormal()
      stage.answers = { 200: 1 }
      await until(async () => (await stage.ask()) === 429)
      expect(stage.answers[200]).toBe(50)
    })

    it('restarted with what it has written down: what was used is used', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'clientele-counter-outages-'))
      await set(50, '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always')
      for (let request = 0; request < 20; request += 1) expect(await stage.ask()).toBe(200)
      await stage.redis.kill()
      await until(async () => (await stage.ask()) === 503)
      await stage.redis.startAgain()
      await stage.backToNormal()
      await until(async () => (await stage.ask()) === 429)
      // What a lost connection has sent twice may be charged twice, and a share that nobody heard of for a while.
      await until(async () => (await stage.used()) === 50)
      expect(stage.answers[200]).toBeLessThanOrEqual(50)
      expect(stage.answers[200]).toBeGreaterThanOrEqual(40)
      rmSync(folder, { recursive: true, force: true })
    })

    it('flapping, down 100 ms in every 200: never more than the limit', async () => {
      await set(200)
      const over = new AbortController()
      const flapping = (async () => {
        while (!over.signal.aborted) {
          await stage.network.cut()
          await sleep(100)
          await stage.network.resume()
          await sleep(100)
        }
      })()
      const statuses = await stage.seen(4000)
      over.abort()
      await flapping
      expect(statuses).toContain(200)
      await until(async () => (await stage.ask()) === 429)
      expect(stage.answers[200]).toBeLessThanOrEqual(200)
      expect(await stage.used()).toBeLessThanOrEqual(200)
    })

    it('out of memory: 503, and what was used is used', async () => {
      await set()
      await stage.command('CONFIG', 'SET', 'maxmemory', '1')
      await until(async () => (await stage.ask()) === 503)
      expect(await stage.seen(2 * timeoutMs)).toEqual([503])
      expect(await stage.used()).toBeGreaterThanOrEqual(stage.answers[200]!)
      await stage.command('CONFIG', 'SET', 'maxmemory', '0')
      await stage.backToNormal()
      // What could not be given back for lack of memory comes back with the next sweep.
      await until(async () => (await stage.used()) === stage.answers[200])
    })

    it('flushed: counts anew', async () => {
      await set(50)
      await until(async () => (await stage.ask()) === 429)
      await stage.command('FLUSHALL')
      await stage.command('SCRIPT', 'FLUSH')
      stage.answers = {}
      await until(async () => (await stage.ask()) === 429)
      expect(stage.answers[200]).toBe(50)
    })

    it('slow, but in time: late answers, all of them right', async () => {
      await set(30)
      const slow = (async () => {
        for (let time = 0; time < 8; time += 1) {
          await stage.command('CLIENT', 'PAUSE', '100', 'ALL')
          await sleep(120)
        }
      })()
      expect(await stage.seen(600)).not.toContain(401)
      await slow
      await until(async () => (await stage.ask()) === 429)
      expect(stage.answers[200]).toBeLessThanOrEqual(30)
      expect(await stage.used()).toBeLessThanOrEqual(30)
    })

    it('too slow: 503, and nothing is charged for it', async () => {
      await set()
      await stage.command('CLIENT', 'PAUSE', '2500', 'ALL')
      await until(async () => (await stage.ask()) === 503)
      expect(await stage.seen(timeoutMs)).toEqual([503])
      await stage.backToNormal()
      expect(await stage.used()).toBe(stage.answers[200])
    })
  })
})
