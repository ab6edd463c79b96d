import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  approveContract,
  defineTier,
  memoryCounter,
  memoryStore,
  registerClient,
  requestContract,
  type LimitBySlaOptions,
  type LimitInput,
  type MemoryCounter,
} from 'clientele'
import { afterEach, describe, expect, it } from 'vitest'
import { answering, type Answered, type Answering } from '../support/answering.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'
import { expectRefusal, type Headers, type Routes } from './attacked.js'

const actor = 'test'
const api = 'orders'
const running: Running[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

/** What `clientele()` gives besides, for either framework. */
interface Corrector {
  setActualCost(request: object, cost: unknown): void
}

interface Setting {
  readonly limits: readonly LimitInput[]
  readonly options?: LimitBySlaOptions | undefined
  readonly act?: (answering: Answering, correct: (cost: unknown) => void) => Promise<Answered>
}

async function limited(framework: Framework, { limits, options, act = async () => ({ status: 200 }) }: Setting) {
  const store = memoryStore()
  await defineTier(store, { api, name: 'gold', approval: 'automatic', limits, actor })
  const { client, clientId, clientSecret } = await registerClient(store, { name: 'app', actor })
  await requestContract(store, { client: client.id, api, tier: 'gold', actor })
  await approveContract(store, { client: client.id, api, actor, ownRequest: true }).catch(() => undefined)
  const clock = { nowMs: 1000 }
  const counter: MemoryCounter = memoryCounter({ clock: () => clock.nowMs })
  const routes: Routes = {
    'ALL /limited': (on) => [
      on.enforceClientId(),
      on.limitBySla(options),
      answering(framework, (one) =>
        act(one, (cost) => {
          ;(on as unknown as Corrector).setActualCost(one.request, cost)
        }),
      ),
    ],
  }
  const server = await framework.start({ api, store, counter, onDecision: () => undefined }, { routes })
  running.push(server)
  const headers: Headers = [
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ]
  return {
    clock,
    ask: (): Promise<Answer> => call(server.url, { path: '/limited', headers }),
    /** Asks, and hangs up after `ms`. */
    async askAndHangUp(ms: number): Promise<void> {
      const { port } = new URL(server.url)
      const socket = connect(Number(port), '127.0.0.1')
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      socket.write(`GET /limited HTTP/1.1\r\nHost: x\r\n${fields}\r\n`)
      await sleep(ms)
      socket.destroy()
    },
    async left(): Promise<number> {
      const subject = `orders:${client.id}`
      const key = 'fixed:60000'
      const [reading] = counter.peek(subject, [{ key, requests: 100, algorithm: 'fixed', windowMs: 60_000 }])
      return 100 - (reading?.used ?? NaN)
    },
  }
}

const minute: LimitInput = { requests: 100, windowSeconds: 60 }

/** Until what happens after an answer has happened. */
const settled = (): Promise<void> => sleep(30)

describe.each(frameworks)('$name', (framework) => {
  describe('#52 places of requests in flight', () => {
    it('#52 are not given back by hanging up while the handlers run on', async () => {
      let [inFlight, most] = [0, 0]
      const { ask, askAndHangUp } = await limited(framework, {
        limits: [{ algorithm: 'concurrent', requests: 2 }],
        act: async () => {
          inFlight += 1
          most = Math.max(most, inFlight)
          await sleep(300)
          inFlight -= 1
          return { status: 200 }
        },
      })
      // Callers who come and go, faster than any handler is over.
      for (let round = 0; round < 12; round += 1) await Promise.all([1, 2, 3].map(() => askAndHangUp(15)))
      expectRefusal(await ask(), 429, 'limit_exceeded')
      expect(most).toBe(2)
      await sleep(350)
      expect((await ask()).status).toBe(200)
      expect(inFlight).toBe(0)
    })

    it('#52 are exact among many at a time, and free when all are over', async () => {
      let [inFlight, most] = [0, 0]
      const { ask } = await limited(framework, {
        limits: [{ algorithm: 'concurrent', requests: 5 }, minute],
        act: async () => {
          inFlight += 1
          most = Math.max(most, inFlight)
          await sleep(100)
          inFlight -= 1
          return { status: 200 }
        },
      })
      const statuses = (await Promise.all(Array.from({ length: 60 }, ask))).map(({ status }) => status)
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(5)
      expect(most).toBe(5)
      await settled()
      expect((await Promise.all(Array.from({ length: 5 }, ask))).map(({ status }) => status)).toEqual(
        Array.from({ length: 5 }, () => 200),
      )
    })

    it('#52 are free again when a handler throws', async () => {
      const { ask } = await limited(framework, {
        limits: [{ algorithm: 'concurrent', requests: 1 }],
        act: () => Promise.reject(new Error('broken')),
      })
      for (let round = 0; round < 3; round += 1) {
        expect((await ask()).status).toBe(500)
        await settled()
      }
    })
  })

  describe('#53 costs', () => {
    it.each([
      ['NaN', () => NaN],
      ['-1', () => -1],
      ['Infinity', () => Infinity],
      ["'5'", () => '5'],
      ['undefined', () => undefined],
      ['an object', () => ({ valueOf: () => 1 })],
      [
        'a throw',
        () => {
          throw new Error('broken')
        },
      ],
      ['a promise', () => Promise.resolve(1)],
      ['a rejection', () => Promise.reject(new Error('broken'))],
    ])('#53 %s is a fault, never an admission for nothing', async (_name, cost) => {
      let handled = 0
      const { ask, left } = await limited(framework, {
        limits: [minute],
        options: { cost: cost as () => number },
        act: async () => {
          handled += 1
          return { status: 200 }
        },
      })
      const answer = await ask()
      expect([answer.status, (answer.json as { code?: string }).code]).toEqual([500, 'ERR_CLIENTELE_COST'])
      expect([handled, await left()]).toEqual([0, 100])
    })

    it('#53 a function of the request decides what is charged', async () => {
      const { ask, left } = await limited(framework, {
        limits: [minute],
        options: { cost: (request) => (request.url === '/limited' ? 30 : 1) },
      })
      expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([200, 200, 200])
      expectRefusal(await ask(), 429, 'limit_exceeded')
      expect(await left()).toBe(10)
    })
  })

  describe('#53 corrections', () => {
    it.each([
      ['NaN', NaN],
      ['-1', -1],
      ['Infinity', Infinity],
      ["'5'", '5'],
    ])('#53 %s by a handler is its fault, and changes nothing', async (_name, cost) => {
      const { ask, left } = await limited(framework, {
        limits: [minute],
        options: { cost: 10, actualCost: 'handler' },
        act: async (_one, correct) => {
          correct(cost)
          return { status: 200 }
        },
      })
      const answer = await ask()
      expect([answer.status, (answer.json as { code?: string }).code]).toEqual([500, 'ERR_CLIENTELE_COST'])
      await settled()
      expect(await left()).toBe(90)
    })

    it.each([
      ['NaN', () => NaN],
      ['-1', () => -1],
      ["'5'", () => '5'],
      [
        'a throw',
        () => {
          throw new Error('broken')
        },
      ],
      ['a rejection', () => Promise.reject(new Error('broken'))],
    ])('#53 %s by a function gives nothing back, but its place', async (_name, actualCost) => {
      const { ask, left } = await limited(framework, {
        limits: [minute, { algorithm: 'concurrent', requests: 1 }],
        options: { cost: 10, actualCost: actualCost as () => number },
      })
      for (const expected of [90, 80]) {
        expect((await ask()).status).toBe(200)
        await settled()
        expect(await left()).toBe(expected)
      }
    })

    it('#53 by status, by bytes and by the handler', async () => {
      const one = (options: LimitBySlaOptions, act?: Setting['act']) =>
        limited(framework, { limits: [minute], options, ...(act && { act }) })
      const answers = (status: number, body?: string) => async (): Promise<Answered> => ({
        status,
        ...(body !== undefined && { body }),
      })
      const settings = [
        [await one({ count: 'successes' }, answers(200)), 99],
        [await one({ count: 'successes' }, answers(404)), 100],
        [await one({ count: 'failures' }, answers(200)), 100],
        [await one({ count: 'failures' }, answers(500)), 99],
        [await one({ count: [201, 409] }, answers(409)), 99],
        [await one({ count: [201, 409] }, answers(200)), 100],
        [
          await one({ cost: 50, actualCost: ({ bytes }) => Math.floor(bytes / 1000) }, answers(200, 'x'.repeat(7500))),
          93,
        ],
        [await one({ cost: 50, actualCost: 'handler' }, async (_one, correct) => (correct(9), { status: 200 })), 91],
        [await one({ cost: 50, actualCost: 'handler' }, answers(200)), 50],
      ] as const
      for (const [{ ask, left }, expected] of settings) {
        await ask()
        await settled()
        expect(await left()).toBe(expected)
      }
    })

    it('#53 larger than the charge take nothing more, and twice count once', async () => {
      const { ask, left } = await limited(framework, {
        limits: [minute],
        options: { cost: 10, actualCost: 'handler' },
        act: async (_one, correct) => {
          correct(1)
          correct(5000)
          return { status: 200 }
        },
      })
      await ask()
      await settled()
      expect(await left()).toBe(90)
    })

    it('#53 after the window turned do not touch the next', async () => {
      let release: () => void = () => undefined
      const { ask, left, clock } = await limited(framework, {
        limits: [minute],
        options: { cost: 40, actualCost: () => 0 },
        act: async () => {
          if (clock.nowMs === 1000) await new Promise<void>((resolve) => (release = resolve))
          else await new Promise(() => undefined)
          return { status: 200 }
        },
      })
      const first = ask()
      await settled()
      clock.nowMs += 60_000
      void ask().catch(() => undefined)
      await settled()
      expect(await left()).toBe(60)
      release()
      await first
      await settled()
      expect(await left()).toBe(60)
    })

    it('#53 hanging up makes no request free', async () => {
      const { askAndHangUp, left } = await limited(framework, {
        limits: [minute],
        options: { count: 'failures' },
        act: async ({ gone }) => {
          await gone
          return { status: 200 }
        },
      })
      await askAndHangUp(30)
      await settled()
      expect(await left()).toBe(99)
    })

    it('#53 that nobody asked for are a programming error', async () => {
      const { ask } = await limited(framework, {
        limits: [minute],
        act: async (_one, correct) => {
          correct(1)
          return { status: 200 }
        },
      })
      const answer = await ask()
      expect([answer.status, (answer.json as { code?: string }).code]).toEqual([500, 'ERR_CLIENTELE_NOT_PROTECTED'])
    })
  })
})
