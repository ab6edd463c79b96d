import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { redisCounter, type RedisCounter } from 'clientele/redis'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Reading } from '../../../src/limits/counter.js'
import { limitOf } from '../../../src/testing/counter/bench.js'
import { redisClients, type OpenedClient } from '../../stores/redis-clients.js'
import { killed, startChild, type Child } from '../../support/child-process.js'
import { describeWithServer } from '../../support/needs.js'
import { until } from '../../support/until.js'
import { ownPlace, type Place } from '../../support/servers.js'

const describeWithRedis = await describeWithServer('redis')
const hourMs = 3_600_000

class Taker {
  readonly #child: Child
  readonly #begun: Promise<void>
  #done = 0
  taken = 0
  refused = 0

  private constructor(child: Child) {
    this.#child = child
    const lines = createInterface({ input: child.stdout })
    this.#begun = once(lines, 'line').then(() => undefined)
    lines.on('line', (line) => {
      if (line === 'taken') this.taken += 1
      if (line === 'refused') this.refused += 1
      if (line === 'done') this.#done += 1
    })
  }

  static async start(...parameters: string[]): Promise<Taker> {
    const script = new URL('../children/redis-taker.ts', import.meta.url)
    const taker = new Taker(await startChild(script, ...parameters))
    await taker.#begun
    return taker
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  async do(line: string): Promise<void> {
    const done = this.#done + 1
    this.tell(line)
    await until(() => this.#done === done)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  end(): Promise<void> {
    return killed(this.#child)
  }
}

function total(takers: readonly Taker[]): number {
  return takers.reduce((sum, { taken }) => sum + taken, 0)
}

describeWithRedis('four processes on one Redis, at a limit of 50', () => {
  let place: Place
  let opened: OpenedClient
  let counter: RedisCounter
  let takers: Taker[] = []
  beforeEach(async () => {
    place = await ownPlace('redis')
    opened = await redisClients.ioredis!(place.url)
    counter = redisCounter(opened.client, { prefix: place.prefix })
  })
  afterEach(async () => {
    await Promise.all(takers.map((taker) => taker.end()))
    await counter.close()
    opened.close()
    await place.remove()
  })
  const start = async (windowMs: number, ...leaseMs: number[]): Promise<Taker[]> => {
    const parameters = [place.url, place.prefix, 50, windowMs, ...leaseMs].map(String)
    takers = await Promise.all(Array.from({ length: 4 }, () => Taker.start(...parameters)))
    return takers
  }
  const reading = async (windowMs: number): Promise<Reading> => {
    const [first] = await counter.peek('a', [limitOf(50, windowMs)])
    return first!
  }

  it('exact: exactly 50 of a thousand', async () => {
    const all = await start(hourMs)
    await Promise.all(all.map((taker) => taker.do('together 250')))
    expect(total(all)).toBe(50)
  })

  it('lease: exactly 50 when all go on and give back what they do not spend', async () => {
    const all = await start(hourMs, 200)
    const goOn = async (): Promise<boolean> => {
      await Promise.all(all.map((taker) => taker.do('together 40')))
      return total(all) >= 50
    }
    await until(goOn)
    await goOn()
    expect(total(all)).toBe(50)
  })

  it('lease: never more, with one killed and one paused past its lease; less by what the killed one held', async () => {
    const all = await start(hourMs, 200)
    const [killed, paused, ...others] = all as [Taker, Taker, Taker, Taker]
    killed.tell('slowly 1000')
    paused.tell('slowly 1000')
    await until(() => killed.taken >= 6 && paused.taken >= 6)
    paused.signal('SIGSTOP')
    await killed.end()
    // All that is left to them, and the shares of both have ended.
    for (const other of others) await other.do('slowly 60')
    expect(total(all)).toBeLessThanOrEqual(50)
    const { refused } = paused
    paused.signal('SIGCONT')
    await until(() => paused.refused > refused + 20)
    const share = Math.floor(0.1 * 50)
    const isSpent = async (): Promise<boolean> => {
      for (const other of others) await other.do('slowly 10')
      return total(all) >= 50 - share
    }
    await until(isSpent)
    expect(total(all)).toBeLessThanOrEqual(50)
    expect((await reading(hourMs)).used).toBe(50)
  })

  it('lease: what a paused process held is not spent in the next window', async () => {
    const windowMs = 4000
    const all = await start(windowMs, 3000)
    const [paused, other] = all as [Taker, Taker]
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await until(async () => (await reading(windowMs)).resetMs === 0)
      await paused.do('singly 5')
      expect((await reading(windowMs)).used).toBeGreaterThan(5)
      paused.signal('SIGSTOP')
      await until(async () => (await reading(windowMs)).resetMs === 0)
      const before = [other.taken, paused.taken] as const
      await other.do('together 60')
      expect(other.taken - before[0]).toBeLessThanOrEqual(50)
      paused.signal('SIGCONT')
      await paused.do('singly 10')
      const { used, resetMs } = await reading(windowMs)
      // On a machine that was too busy a window has turned meanwhile: then that was no test.
      if (used !== 50 || resetMs === 0) continue
      expect(other.taken - before[0] + paused.taken - before[1]).toBe(50)
      return
    }
    throw new Error('this machine is too busy for this test')
  })
})
