import { request as httpRequest, type ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  disableClient,
  endSecret,
  memoryCounter,
  memoryStore,
  overrideLimits,
  revokeContract,
  rotateSecret,
  type Counter,
  type DecisionEvent,
  type LimitInput,
  type ThrottleBySlaOptions,
} from 'clientele'
import { afterEach, describe, expect, it } from 'vitest'
import type { Handlers } from '../../src/adapters/handlers.js'
import { expectRefusal, type Routes } from '../attacks/attacked.js'
import { answering, type Answered } from '../support/answering.js'
import { clientUnderTier, tierOf } from '../support/client-under-tier.js'
import { call, type Answer } from '../support/call.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'
import { switchedCounter } from '../support/switched-counter.js'
import { until } from '../support/until.js'

const actor = 'test'
const api = 'orders'
const running: Running[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

interface Setting {
  readonly limits: readonly LimitInput[]
  readonly options?: ThrottleBySlaOptions
  readonly counter?: Counter
  readonly guards?: (on: Handlers<object>) => readonly object[]
  readonly act?: () => Promise<Answered>
}

async function throttled(framework: Framework, { limits, options, counter = memoryCounter(), guards, act }: Setting) {
  const store = memoryStore()
  await tierOf(store, api, 'gold', limits)
  const clientOf = (name: string) => clientUnderTier(store, api, 'gold', name)
  const [one, other] = [await clientOf('one'), await clientOf('other')]
  const events: DecisionEvent[] = []
  const handled: string[] = []
  const drains: (() => void)[] = []
  const routes: Routes = {
    'ALL /:which': (on) => {
      drains.push(on.endWaiting)
      return [
        on.enforceClientId(),
        ...(guards?.(on) ?? [on.throttleBySla({ maxWaitMs: 20_000, ...options })]),
        answering(framework, async ({ request }) => {
          handled.push((request as { url: string }).url)
          return (await act?.()) ?? { status: 200 }
        }),
      ]
    },
  }
  const server = await framework.start({ api, store, counter, onDecision: (event) => events.push(event) }, { routes })
  running.push(server)
  const ask = (which: string | number = 'x', { headers } = one): Promise<Answer> =>
    call(server.url, { path: `/${which}`, headers })
  const askAndHold = (which: string): ClientRequest => {
    const outgoing = httpRequest(`${server.url}/${which}`, { headers: Object.fromEntries(one.headers), agent: false })
    outgoing.on('error', () => undefined)
    outgoing.end()
    return outgoing
  }
  const arrived = () => events.filter(({ policy }) => policy === 'enforceClientId').length
  /** Sends one after the other; over when all have arrived, and each waits or has its answer. */
  const inOrder = async (count: number, send: (index: number) => Promise<Answer> = ask): Promise<Promise<Answer>[]> => {
    const sent: Promise<Answer>[] = []
    while (sent.length < count) {
      const before = arrived()
      sent.push(send(sent.length))
      await until(() => arrived() > before)
      await sleep(10)
    }
    return sent
  }
  const throttle = () => events.filter(({ policy }) => policy === 'throttleBySla')
  return {
    ask,
    askAndHold,
    arrived,
    inOrder,
    handled,
    one,
    other,
    store,
    throttle,
    endWaiting: () => drains.forEach((end) => end()),
  }
}

const slow: LimitInput = { requests: 1, windowSeconds: 600 }
const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status)

describe.each(frameworks)('$name', (framework) => {
  it('over the limit a request waits for its turn, first in, first out, and events say how long', async () => {
    const { ask, inOrder, handled, throttle } = await throttled(framework, {
      limits: [{ requests: 2, windowSeconds: 0.5 }],
    })
    const answers = await Promise.all(await inOrder(6, (index) => ask(index)))
    expect(statusesOf(answers)).toEqual([200, 200, 200, 200, 200, 200])
    expect(handled).toEqual(['/0', '/1', '/2', '/3', '/4', '/5'])
    expect(answers.at(-1)?.headers.ratelimit).toMatch(/^"gold";r=0;t=1$/)
    const waited = throttle().map(({ waitedMs }) => waitedMs)
    expect(waited[0]).toBeUndefined()
    expect(Math.max(0, ...waited.map((ms = 0) => ms))).toBeGreaterThan(100)
  })

  it('clients wait in lines of their own', async () => {
    const { ask, other, throttle } = await throttled(framework, { limits: [{ requests: 1, windowSeconds: 1 }] })
    const answers = await Promise.all([ask(), ask(), ask('x', other)])
    expect(statusesOf(answers)).toEqual([200, 200, 200])
    expect(throttle().filter(({ waitedMs }) => waitedMs !== undefined)).toHaveLength(1)
  })

  it('#35 the caps hold: of one client', async () => {
    const { ask, inOrder, other, endWaiting } = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 15 }],
      options: { maxWaiting: 2 },
    })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(2)
    for (let round = 0; round < 3; round += 1) {
      const answer = await ask()
      expectRefusal(answer, 429, 'queue_full')
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(10)
      expect(answer.headers.ratelimit).toMatch(/^"gold";r=0;t=1[0-5]$/)
      expect(answer.json).toMatchObject({ 'violated-policies': ['gold'] })
    }
    expect((await ask('x', other)).status).toBe(200)
    endWaiting()
    for (const answer of await Promise.all(waiting)) expectRefusal(answer, 429, 'limit_exceeded')
  })

  it('#35 the caps hold: in all', async () => {
    const { ask, inOrder, other, endWaiting } = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 15 }],
      options: { maxWaiting: 100, maxWaitingInAll: 3 },
    })
    expect(statusesOf([await ask(), await ask('x', other)])).toEqual([200, 200])
    const waiting = await inOrder(3, (index) => ask('x', index === 1 ? other : undefined))
    expectRefusal(await ask('x', other), 429, 'queue_full')
    expectRefusal(await ask(), 429, 'queue_full')
    endWaiting()
    for (const answer of await Promise.all(waiting)) expectRefusal(answer, 429, 'limit_exceeded')
  })

  it('#35 an aborted request gives its place up at once, and its handler never runs', async () => {
    const { ask, askAndHold, arrived, handled, throttle } = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 1.5 }],
      options: { maxWaiting: 1 },
    })
    expect((await ask('first')).status).toBe(200)
    for (let round = 0; round < 5; round += 1) {
      const before = arrived()
      const held = askAndHold('held')
      await until(() => arrived() > before)
      await sleep(10)
      expectRefusal(await ask('too-many'), 429, 'queue_full')
      held.destroy()
      await until(() => throttle().filter(({ reason }) => reason === 'hung_up').length === round + 1)
    }
    expect((await ask('last')).status).toBe(200)
    expect(handled).toEqual(['/first', '/last'])
  })

  it('who would have to wait too long is told so at once, and who has waited in vain then', async () => {
    const { ask, throttle } = await throttled(framework, { limits: [slow], options: { maxWaitMs: 5000 } })
    expect((await ask()).status).toBe(200)
    const answer = await ask()
    expectRefusal(answer, 429, 'limit_exceeded')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(500)
    expect(throttle().at(-1)?.waitedMs).toBeUndefined()
    const short = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 1 }],
      options: { maxWaitMs: 1500 },
    })
    expect(statusesOf(await Promise.all(await short.inOrder(3)))).toEqual([200, 200, 429])
    expect(short.throttle().at(-1)).toMatchObject({ code: 'limit_exceeded', reason: 'waited_in_vain' })
  })

  it('a cost above the limit waits for nothing', async () => {
    const { ask } = await throttled(framework, { limits: [slow], options: { cost: 2 } })
    expectRefusal(await ask(), 429, 'limit_exceeded')
  })

  it.each([
    ['its contract is revoked', 403, 'contract_revoked', 'revoke'],
    ['the client is disabled', 401, 'client_invalid', 'disable'],
    ['its secret has ended', 401, 'client_invalid', 'secret'],
  ] as const)('who waits while %s is refused, and charged nothing', async (_what, status, code, how) => {
    const { ask, inOrder, one, other, store, handled } = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 1 }],
    })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(2)
    if (how === 'revoke') await revokeContract(store, { client: one.id, api, actor })
    if (how === 'disable') await disableClient(store, { client: one.id, actor })
    if (how === 'secret') {
      const { client } = await rotateSecret(store, { client: one.id, overlapSeconds: 600, actor })
      const [old] = client.secrets
      await endSecret(store, { client: one.id, secret: old?.id ?? '', actor })
    }
    for (const answer of await Promise.all(waiting)) expectRefusal(answer, status, code)
    expect(handled).toHaveLength(1)
    expect((await ask('x', other)).status).toBe(200)
  })

  it('who waits is let in by the limits that hold when its turn comes', async () => {
    const { ask, inOrder, one, store } = await throttled(framework, { limits: [{ requests: 1, windowSeconds: 1 }] })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(3)
    await overrideLimits(store, { client: one.id, api, limits: [{ requests: 100, windowSeconds: 1 }], actor })
    const answers = await Promise.all(waiting)
    expect(statusesOf(answers)).toEqual([200, 200, 200])
    expect(answers[0]?.headers['ratelimit-policy']).toBe('"gold";q=100;w=1')
  })

  it('a place of a request in flight is handed on when its handler is over', async () => {
    let [inFlight, most] = [0, 0]
    const { ask } = await throttled(framework, {
      limits: [{ algorithm: 'concurrent', requests: 2 }],
      act: async () => {
        inFlight += 1
        most = Math.max(most, inFlight)
        await sleep(30)
        inFlight -= 1
        return { status: 200 }
      },
    })
    expect(statusesOf(await Promise.all(Array.from({ length: 12 }, () => ask())))).toEqual(
      Array.from({ length: 12 }, () => 200),
    )
    expect([most, inFlight]).toEqual([2, 0])
  })

  it('endWaiting answers all who wait, and from then on nobody does', async () => {
    const { ask, inOrder, endWaiting, throttle } = await throttled(framework, {
      limits: [{ requests: 1, windowSeconds: 15 }],
    })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(3)
    endWaiting()
    for (const answer of await Promise.all(waiting)) {
      expectRefusal(answer, 429, 'limit_exceeded')
      expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    }
    expect(throttle().at(-1)).toMatchObject({ reason: 'shutdown' })
    expectRefusal(await ask(), 429, 'limit_exceeded')
  })

  it('stands beside limitBySla, on one count', async () => {
    const { ask } = await throttled(framework, {
      limits: [{ requests: 4, windowSeconds: 600 }],
      guards: (on) => [on.limitBySla(), on.throttleBySla({ fields: [] })],
    })
    // Each request is charged by both.
    expect(statusesOf([await ask(), await ask(), await ask()])).toEqual([200, 200, 429])
  })

  it('lets nobody wait who is only watched', async () => {
    const { ask, throttle } = await throttled(framework, { limits: [slow], options: { enforce: false } })
    expect(statusesOf([await ask(), await ask()])).toEqual([200, 200])
    expect(throttle().at(-1)).toMatchObject({ notEnforced: 'limit_exceeded' })
  })

  it('is a 503 for all who wait when the counter goes away', async () => {
    const counter = switchedCounter(memoryCounter())
    const { ask, inOrder } = await throttled(framework, { limits: [{ requests: 1, windowSeconds: 0.5 }], counter })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(3)
    counter.failure = 'rejects'
    for (const answer of await Promise.all(waiting)) expectRefusal(answer, 503, 'ERR_CLIENTELE_COUNTER')
    counter.failure = undefined
    expect((await ask()).status).toBe(200)
  })

  it('controlSpikes has a queue of its own', async () => {
    const { ask, inOrder, handled } = await throttled(framework, {
      limits: [{ requests: 1000, windowSeconds: 60 }],
      guards: (on) => [
        on.controlSpikes({
          ...{ by: 'route', limit: { requests: 1, windowSeconds: 0.3 } },
          queue: { maxWaiting: 2, maxWaitMs: 20_000 },
        }),
        on.limitBySla(),
      ],
    })
    const answers = await Promise.all(await inOrder(4, (index) => ask(index)))
    expect(statusesOf(answers)).toEqual([200, 200, 200, 429])
    expectRefusal(answers[3] as Answer, 429, 'queue_full')
    expect(handled).toEqual(['/0', '/1', '/2'])
  })

  it('a contract that is revoked while its request waits at a control of spikes lets nobody in', async () => {
    const { ask, inOrder, one, store, handled } = await throttled(framework, {
      limits: [{ requests: 1000, windowSeconds: 60 }],
      guards: (on) => [on.controlSpikes({ by: 'client', limit: { requests: 1, windowSeconds: 1 }, queue: {} })],
    })
    expect((await ask()).status).toBe(200)
    const [waiting] = await inOrder(1)
    await revokeContract(store, { client: one.id, api, actor })
    expectRefusal((await waiting) as Answer, 403, 'contract_revoked')
    expect(handled).toHaveLength(1)
  })
})

describe('throttleBySla', () => {
  const countingCounter = () => {
    const behind = memoryCounter()
    const asked = { take: 0, peek: 0 }
    const counter: Counter = {
      take: (...given) => {
        asked.take += 1
        return behind.take(...given)
      },
      peek: (...given) => {
        asked.peek += 1
        return behind.peek(...given)
      },
      giveBack: (...given) => behind.giveBack(...given),
      reset: (subject) => behind.reset(subject),
    }
    return { counter, asked }
  }

  it('asks the counter for one of those who wait, not for all', async () => {
    const { counter, asked } = countingCounter()
    const { ask } = await throttled(frameworks[0] as Framework, {
      limits: [{ requests: 25, windowSeconds: 0.5 }],
      options: { maxWaiting: 100 },
      counter,
    })
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
    expect(statusesOf(answers)).toEqual(Array.from({ length: 100 }, () => 200))
    // One for each that passes, and some for those who were told to wait.
    expect(asked.take).toBeGreaterThanOrEqual(100)
    expect(asked.take).toBeLessThan(160)
  })

  it('asks the counter for none of those who find no place to wait, and tells them how long it is by now', async () => {
    const { counter, asked } = countingCounter()
    const { ask, inOrder, endWaiting } = await throttled(frameworks[0] as Framework, {
      limits: [{ requests: 1, windowSeconds: 15 }],
      options: { maxWaiting: 1 },
      counter,
    })
    expect((await ask()).status).toBe(200)
    const waiting = await inOrder(1)
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
    for (const answer of answers) expectRefusal(answer, 429, 'queue_full')
    // Whoever was let in, and whoever waits.
    expect(asked).toEqual({ take: 2, peek: 0 })
    const leftOf = ({ headers }: Answer) => Number(/t=(\d+)$/.exec(String(headers.ratelimit))?.[1])
    const left = leftOf(answers[0] as Answer)
    await until(async () => leftOf(await ask()) < left)
    expect(asked).toEqual({ take: 2, peek: 0 })
    endWaiting()
    for (const answer of await Promise.all(waiting)) expectRefusal(answer, 429, 'limit_exceeded')
    expect(asked.peek).toBe(0)
  })
})
