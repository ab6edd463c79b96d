import { memoryCounter, type ControlSpikesOptions, type DecisionEvent, type LimitBySlaOptions } from 'clientele'
import { afterEach, describe, expect, it } from 'vitest'
import { wirePolicies } from '../../src/clientele.js'
import { memoryStore } from '../../src/stores/memory.js'
import { Enforcement } from '../../src/policies/enforcement.js'
import type { Headers } from '../attacks/attacked.js'
import { call } from '../support/call.js'
import { frameworks, type Framework, type Running } from '../support/frameworks.js'
import { seededStore } from '../support/seeded-store.js'
import { switchedCounter } from '../support/switched-counter.js'

const running: Running[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
})

async function limited(framework: Framework, options?: LimitBySlaOptions, spikes?: ControlSpikesOptions) {
  const { store, clients } = await seededStore(undefined, 2)
  const counter = switchedCounter(memoryCounter())
  const events: DecisionEvent[] = []
  const server = await framework.start(
    { api: 'orders', store, counter, onDecision: (event) => events.push(event) },
    {
      routes: {
        'ALL /': (on) => [
          on.enforceClientId(),
          spikes === undefined ? on.limitBySla(options) : on.controlSpikes(spikes),
        ],
      },
    },
  )
  running.push(server)
  const headers: Headers = [
    ['client_id', clients.approved.clientId],
    ['client_secret', clients.approved.clientSecret],
  ]
  return { counter, events, ask: () => call(server.url, { headers }), of: clients.approved.id }
}

const usedOf = ({ json }: { json: unknown }) =>
  (json as { admission: { usage?: { used: number; remaining: number } } }).admission.usage

describe.each(frameworks)('$name', (framework) => {
  it('enforce: false counts, turns nobody away, says so in events, and sends no field of a limit that is not kept', async () => {
    const { ask, events } = await limited(framework, { enforce: false })
    const answers = [await ask(), await ask(), await ask(), await ask()]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(answers.map((answer) => usedOf(answer)?.used)).toEqual([1, 2, 2, 2])
    for (const { headers } of answers) {
      expect([headers.ratelimit, headers['ratelimit-policy'], headers['retry-after']]).toEqual(
        Array.from({ length: 3 }, () => undefined),
      )
    }
    const told = events.filter(({ policy }) => policy === 'limitBySla')
    expect(told.map(({ verdict, notEnforced }) => [verdict, notEnforced])).toEqual([
      ['admitted', undefined],
      ['admitted', undefined],
      ['admitted', 'limit_exceeded'],
      ['admitted', 'limit_exceeded'],
    ])
  })

  it('enforce: false does not let an outage of the counter turn anybody away', async () => {
    const { ask, counter, events } = await limited(framework, { enforce: false })
    counter.failure = 'rejects'
    expect((await ask()).status).toBe(200)
    expect(events.at(-1)).toMatchObject({
      verdict: 'admitted',
      notEnforced: 'ERR_CLIENTELE_COUNTER',
      fault: { code: 'ERR_CLIENTELE_COUNTER' },
    })
    expect(events.at(-1)?.withoutCounter).toBeUndefined()
  })

  it('enforce: false for a control of spikes', async () => {
    const limit = { requests: 1, windowSeconds: 60 }
    const { ask, events } = await limited(framework, undefined, {
      ...{ by: 'client', limit, enforce: false, fields: ['ratelimit'] },
    })
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200])
    expect(events.filter(({ policy }) => policy === 'controlSpikes').map(({ notEnforced }) => notEnforced)).toEqual([
      undefined,
      'limit_exceeded',
    ])
  })

  it.each([
    [0, [200, 200, 200]],
    [1, [200, 200, 429]],
  ])('enforce: %d is all or nothing', async (enforce, expected) => {
    const { ask } = await limited(framework, { enforce })
    const statuses: number[] = []
    while (statuses.length < expected.length) statuses.push((await ask()).status)
    expect(statuses).toEqual(expected)
  })
})

describe('a share of clients', () => {
  const held = (enforce: number) => {
    const guarded = { counter: memoryCounter(), counterTimeoutMs: 50 }
    const enforcement = new Enforcement(guarded, { enforce, whenCounterFails: 'refuse' })
    const clients = Array.from({ length: 5000 }, (_, index) => `orders:client-${index}`)
    return new Set(clients.filter((client) => enforcement.of(client).enforced))
  }

  it('is about as large as it is called, the same each time, and holds those of a smaller one', () => {
    const [tenth, half] = [held(0.1), held(0.5)]
    expect(tenth.size).toBeGreaterThan(400)
    expect(tenth.size).toBeLessThan(600)
    expect(half.size).toBeGreaterThan(2350)
    expect(half.size).toBeLessThan(2650)
    expect(held(0.1)).toEqual(tenth)
    expect([...tenth].every((client) => half.has(client))).toBe(true)
    // The same in every process, of every release.
    expect([...tenth].slice(0, 3)).toEqual(['orders:client-9', 'orders:client-11', 'orders:client-25'])
  })

  it('turns the same client away each time, and others never', async () => {
    const store = memoryStore()
    const policies = wirePolicies({ api: 'orders', store })
    const limit = policies.limitBySla({ enforce: 0.5, fields: [] })
    const tier = {
      ...{ api: 'orders', name: 'gold', version: 1 },
      limits: [{ algorithm: 'fixed' as const, requests: 1, windowSeconds: 60 }],
    }
    const kindsOf = async (client: string) => {
      const admission = { api: 'orders', authenticated: true, contract: { client, api: 'orders', version: 1 }, tier }
      const kinds: string[] = []
      for (let round = 0; round < 3; round += 1) kinds.push((await limit.decide(undefined as never, admission)).kind)
      return kinds.join(' ')
    }
    const all = new Set(await Promise.all(Array.from({ length: 60 }, (_, index) => kindsOf(`client-${index}`))))
    expect(all).toEqual(new Set(['admitted refused refused', 'admitted admitted admitted']))
  })
})

describe('enforce is not for policies that identify', () => {
  const policies = wirePolicies({ api: 'orders', store: memoryStore() })
  const audience = null
  const issuer = 'https://issuer.example.com'
  it.each([
    ['enforceClientId', () => policies.enforceClientId({ enforce: false } as never)],
    ['validateJwt', () => policies.validateJwt({ issuer, audience, enforce: false } as never)],
    [
      'introspectToken',
      () =>
        policies.introspectToken({ issuer, audience, as: { clientId: 'a', clientSecret: 'b' }, enforce: 0.5 } as never),
    ],
  ])('%s', (name, build) => {
    expect(build).toThrow(
      expect.objectContaining({
        code: 'ERR_CLIENTELE_OPTIONS',
        message: expect.stringMatching(new RegExp(`${name}\\(\\): unknown option "enforce"`)) as string,
      }),
    )
  })

  it.each([-0.1, 1.1, NaN, 'no', null])('nor is a limit built with %s', (enforce) => {
    expect(() => policies.limitBySla({ enforce } as never)).toThrow(/enforce: expected true, false or a share/)
  })

  it('nor a share of a route', () => {
    const limit = { requests: 1, windowSeconds: 60 }
    expect(() => policies.controlSpikes({ by: 'route', limit, enforce: 0.5 })).toThrow(/by: 'route' counts all as one/)
    expect(policies.controlSpikes({ by: 'route', limit, enforce: false }).name).toBe('controlSpikes')
  })
})
