import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { wirePolicies } from '../../src/clientele.js'
import type { Admission } from '../../src/decisions/admission.js'
import type { HttpRequest } from '../../src/decisions/http-request.js'
import { isPromise } from '../../src/decisions/maybe-promise.js'
import type { Outcome, Passed, Policy, Refused, Verdict } from '../../src/decisions/policy.js'
import type { RefusalCode } from '../../src/decisions/refusals.js'
import type { Counter } from '../../src/limits/counter.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { WaitingLines } from '../../src/limits/waiting-lines.js'
import { controlSpikes, type ControlSpikesOptions } from '../../src/policies/control-spikes.js'
import { limitBySla } from '../../src/policies/limit-by-sla.js'
import type { ToldFirst } from '../../src/policies/queue.js'
import { memoryStore } from '../../src/stores/memory.js'
import { requestOf } from '../support/request-of.js'

const newLines = () => new WaitingLines<ToldFirst>()
const minute = { requests: 2, windowSeconds: 60 }

function from(address: string): HttpRequest {
  const request = requestOf()
  Object.defineProperty(request.raw.socket, 'remoteAddress', { value: address })
  return request
}

function admissionOf(id: string, more: Partial<Admission> = {}): Admission {
  const client = { id, name: id, type: 'confidential' as const, identity: { issuer: 'local', clientId: id } }
  return { api: 'orders', authenticated: true, client, ...more }
}

function setUp(options: Partial<ControlSpikesOptions> = {}, api = 'orders') {
  const clock = { nowMs: 1000 }
  const counter = options.counter ?? memoryCounter({ clock: () => clock.nowMs })
  const all: ControlSpikesOptions = { by: 'address', limit: minute, name: 'burst', ...options, counter }
  const policy = controlSpikes({ api, counterTimeoutMs: 50, trustedProxies: 'none', newLines }, all)
  const decide = (request = from('192.0.2.1'), admission?: Admission): Verdict => atOnce(policy, request, admission)
  const kind = (address = '192.0.2.1') => decide(from(address)).kind
  return { clock, counter, policy, decide, kind }
}

function atOnce(policy: Policy, request: HttpRequest, admission?: Admission): Verdict {
  const verdict = policy.decide(request, admission)
  if (isPromise(verdict)) throw new Error('a counter in memory must be answered at once')
  return verdict
}

const outcome = (status: number, refusal?: RefusalCode): Outcome => ({ status, bytes: 1, aborted: false, refusal })

describe('controlSpikes', () => {
  it('passes what has room without a word of anybody, at once', () => {
    const { decide } = setUp()
    expect(decide()).toEqual({ kind: 'passed' })
    expect(decide()).toEqual({ kind: 'passed' })
  })

  const near50 = (seconds: number): boolean => seconds >= 50 && seconds <= 55

  it('refuses past the limit, names itself, and says when to come back, but not what others did', () => {
    const { decide, clock } = setUp()
    decide()
    clock.nowMs += 10_500
    decide()
    expect(decide()).toEqual({
      kind: 'refused',
      refusal: {
        code: 'limit_exceeded',
        retryAfterSeconds: expect.toSatisfy(near50) as number,
        members: { 'violated-policies': ['burst'] },
      },
    })
  })

  it('tells where callers stand when it is asked to', () => {
    const { decide } = setUp({ fields: ['ratelimit'], limit: [minute, { requests: 9, windowSeconds: 3600 }] })
    expect((decide() as Passed).fields).toEqual({
      'RateLimit-Policy': '"burst-60s";q=2;w=60, "burst-3600s";q=9;w=3600',
      RateLimit: '"burst-60s";r=1;t=60, "burst-3600s";r=8;t=3600',
    })
    decide()
    expect((decide() as Refused).refusal.fields).toMatchObject({ RateLimit: expect.stringContaining('r=0') as string })
  })

  it('charges all of several limits or none, and nothing when it refuses', () => {
    const { kind, clock } = setUp({
      limit: [
        { requests: 1, windowSeconds: 1 },
        { requests: 3, windowSeconds: 60 },
      ],
    })
    for (let index = 0; index < 50; index += 1) kind()
    for (const expected of ['passed', 'passed', 'refused']) {
      clock.nowMs += 1000
      expect(kind()).toBe(expected)
    }
  })

  it('opens a new window when the old one is over', () => {
    const { kind, clock } = setUp()
    expect([kind(), kind(), kind()]).toEqual(['passed', 'passed', 'refused'])
    clock.nowMs += 60_000
    expect(kind()).toBe('passed')
  })

  it('waits for a counter that has to be waited for', async () => {
    const inner = memoryCounter()
    const { policy } = setUp({ counter: later(inner) })
    const kinds: string[] = []
    for (let index = 0; index < 3; index += 1) kinds.push((await policy.decide(from('192.0.2.1'), undefined)).kind)
    expect(kinds).toEqual(['passed', 'passed', 'refused'])
  })
})

const later = (inner: Counter): Counter => ({
  take: async (...parameters) => inner.take(...parameters),
  peek: async (...parameters) => inner.peek(...parameters),
  giveBack: async (...parameters) => inner.giveBack(...parameters),
  reset: async (subject) => inner.reset(subject),
})

describe('whom it counts together', () => {
  it('by address: each on its own, an IPv6 network as one', () => {
    const { kind } = setUp()
    expect([kind(), kind(), kind(), kind('192.0.2.2'), kind('::ffff:192.0.2.1')]).toEqual([
      ...['passed', 'passed', 'refused', 'passed'],
      'refused',
    ])
    expect([kind('2001:db8::1'), kind('2001:db8::ffff:2'), kind('2001:db8:0:0:f::1')]).toEqual([
      ...['passed', 'passed'],
      'refused',
    ])
    expect(kind('2001:db8:0:1::1')).toBe('passed')
  })

  it('by address, with another length of IPv6 networks', () => {
    const { kind } = setUp({ ipv6PrefixLength: 56 })
    expect([kind('2001:db8:0:1::1'), kind('2001:db8:0:2::1'), kind('2001:db8:0:ff::1')]).toEqual([
      ...['passed', 'passed'],
      'refused',
    ])
    expect(kind('2001:db8:0:100::1')).toBe('passed')
  })

  it('by client: whoever was identified, from wherever', () => {
    const { decide } = setUp({ by: 'client' })
    const kind = (id: string, more?: Partial<Admission>) => decide(from('192.0.2.9'), admissionOf(id, more)).kind
    expect([kind('a'), kind('a'), kind('a'), kind('b')]).toEqual(['passed', 'passed', 'refused', 'passed'])
    // Attack line 33: who only knows an ID spends nothing of the client's.
    const alone = { authenticated: false }
    expect([kind('b', alone), kind('b', alone), kind('b', alone), kind('b')]).toEqual([
      ...['passed', 'passed', 'refused'],
      'passed',
    ])
  })

  it.each<[string, Admission | undefined]>([
    ['nobody', undefined],
    ['a client of another API', admissionOf('a', { api: 'reports' })],
    ['a token whose client was not asked for', admissionOf('a', { client: undefined })],
  ])('by client it is a fault where the admission is of %s', (_name, admission) => {
    const { decide } = setUp({ by: 'client' })
    expect(() => decide(from('192.0.2.1'), admission)).toThrow(
      expect.objectContaining({
        code: 'ERR_CLIENTELE_NOT_PROTECTED',
        message: expect.stringMatching(/"orders".*identifies the client/) as string,
      }),
    )
  })

  it('by route: everybody', () => {
    const { kind } = setUp({ by: 'route' })
    expect([kind('192.0.2.1'), kind('192.0.2.2'), kind('192.0.2.3')]).toEqual(['passed', 'passed', 'refused'])
  })

  it('counts for itself alone unless it is given a counter', () => {
    const context = { api: 'orders', counterTimeoutMs: 50, trustedProxies: 'none', newLines } as const
    const make = () => controlSpikes(context, { by: 'route', limit: { requests: 1, windowSeconds: 60 } })
    const [one, other] = [make(), make()]
    const kinds = [one, one, other, other].map((policy) => atOnce(policy, from('192.0.2.1')).kind)
    expect(kinds).toEqual(['passed', 'refused', 'passed', 'refused'])
  })

  it('counts in a shared counter with those of its API, name and kind, and with no others', () => {
    const counter = memoryCounter()
    const kindOf = (options: Partial<ControlSpikesOptions>, api?: string) =>
      setUp({ limit: { requests: 1, windowSeconds: 60 }, counter, ...options }, api).kind()
    expect([kindOf({}), kindOf({})]).toEqual(['passed', 'refused'])
    expect([kindOf({ name: 'other' }), kindOf({}, 'reports'), kindOf({ by: 'route' })]).toEqual([
      ...['passed', 'passed'],
      'passed',
    ])
  })

  it('takes nothing from the limits of tiers in the same counter', () => {
    const counter = memoryCounter()
    const limits = [{ requests: 1, windowSeconds: 60, algorithm: 'fixed' as const }]
    const tier = { api: 'orders', name: 'gold', version: 1, limits }
    const admission = admissionOf('a', { tier, contract: { client: 'a', api: 'orders', version: 1 } })
    const sla = limitBySla({ api: 'orders', counter, counterTimeoutMs: 50 })
    const { decide } = setUp({ by: 'client', counter, limit: limits })
    expect([decide(from('192.0.2.1'), admission).kind, atOnce(sla, from('192.0.2.1'), admission).kind]).toEqual([
      'passed',
      'admitted',
    ])
  })
})

describe('what it counts', () => {
  const settled = (verdict: Verdict, how: Outcome): string => {
    ;(verdict as Passed).settle?.(how)
    return verdict.kind
  }

  it.each<[ControlSpikesOptions['count'], string, Outcome, boolean]>([
    ['failures', 'a wrong secret', outcome(401, 'client_invalid'), true],
    ['failures', 'a wrong token', outcome(401, 'token_invalid'), true],
    ['failures', 'a wrong secret that is answered in another way', outcome(404, 'client_invalid'), true],
    ['failures', 'a wrong secret whose sender has hung up', { ...outcome(401, 'client_invalid'), aborted: true }, true],
    ['failures', 'a 401 of the handler', outcome(401), true],
    ['failures', 'what was not answered in time', { ...outcome(200), unfinished: true }, true],
    ['failures', 'a refusal that was not sent in time', { ...outcome(200, 'limit_exceeded'), unfinished: true }, false],
    ['failures', 'missing credentials', outcome(401, 'credentials_missing'), false],
    ['failures', 'unreadable credentials', outcome(400, 'credentials_malformed'), false],
    ['failures', 'a client without a contract', outcome(403, 'contract_missing'), false],
    ['failures', 'a used up tier', outcome(429, 'limit_exceeded'), false],
    ['failures', 'an outage', outcome(503), false],
    ['failures', 'a good answer', outcome(200), false],
    ['failures', 'a 404 of the handler', outcome(404), false],
    ['successes', 'a good answer', outcome(204), true],
    ['successes', 'a redirect', outcome(303), true],
    ['successes', 'a 404', outcome(404), false],
    ['successes', 'an outage', outcome(503), false],
    ['successes', 'a refusal', outcome(401, 'client_invalid'), false],
    ['successes', 'a refusal that is answered in another way', outcome(200, 'client_invalid'), false],
  ])('%s: %s', (count, _name, how, stays) => {
    const { decide } = setUp({ count })
    for (let index = 0; index < 10; index += 1) settled(decide(), how)
    expect(decide().kind).toBe(stays ? 'refused' : 'passed')
  })

  it('holds a place from before the check until the answer is over: no more guesses are under way than allowed', () => {
    const { decide } = setUp({ count: 'failures' })
    const underWay = [decide(), decide()]
    expect([...underWay, decide()].map(({ kind }) => kind)).toEqual(['passed', 'passed', 'refused'])
    settled(underWay[0]!, outcome(200))
    expect(decide().kind).toBe('passed')
    expect(decide().kind).toBe('refused')
  })

  it('gives back once, into the window that was charged, and not into the next', () => {
    const { decide, clock } = setUp({ count: 'failures' })
    const early = [decide(), decide()]
    clock.nowMs += 60_000
    settled(decide(), outcome(401, 'client_invalid'))
    settled(decide(), outcome(401, 'client_invalid'))
    for (const verdict of [...early, ...early]) settled(verdict, outcome(200))
    expect(decide().kind).toBe('refused')
  })

  it('gives nothing back to a used up limit for a request that it refused', () => {
    const { decide } = setUp({ count: 'failures' })
    for (let index = 0; index < 2; index += 1) settled(decide(), outcome(401, 'token_invalid'))
    for (let index = 0; index < 10; index += 1)
      expect(settled(decide(), outcome(429, 'limit_exceeded'))).toBe('refused')
  })
})

describe('a counter that fails', () => {
  const failing: [string, Partial<Counter>][] = [
    [
      'throws',
      {
        take: () => {
          throw new Error('x')
        },
      },
    ],
    ['rejects', { take: () => Promise.reject(new Error('x')) }],
    ['hangs', { take: () => new Promise<never>(() => undefined) }],
    ['answers nonsense', { take: () => ({ taken: true, readings: [], receipt: 1 }) }],
  ]
  it.each(failing)('is a fault and no admission when it %s', async (_name, broken) => {
    const { policy } = setUp({ counter: Object.assign(later(memoryCounter()), broken) })
    const decide = async () => policy.decide(from('192.0.2.1'), undefined)
    await expect(decide()).rejects.toMatchObject({ code: 'ERR_CLIENTELE_COUNTER', status: 503 })
  })

  it('keeps a charge that it cannot give back', async () => {
    const inner = memoryCounter()
    const counter: Counter = Object.assign(later(inner), { giveBack: () => Promise.reject(new Error('x')) })
    const { policy } = setUp({ counter, count: 'failures' })
    for (let index = 0; index < 2; index += 1) {
      const verdict = await policy.decide(from('192.0.2.1'), undefined)
      await expect((verdict as Passed).settle?.(outcome(200))).rejects.toThrow('x')
    }
    await sleep(1)
    expect((await policy.decide(from('192.0.2.1'), undefined)).kind).toBe('refused')
  })
})

describe('memory', () => {
  // Attack lines 32 and 54.
  it('is bounded, and a flood of addresses makes it forget nobody', () => {
    const policy = controlSpikes(
      { api: 'orders', counterTimeoutMs: 50, trustedProxies: 'none', newLines },
      { by: 'address', limit: { requests: 1, windowSeconds: 3600 } },
    )
    const kindOf = (address: string) => atOnce(policy, from(address)).kind
    expect([kindOf('192.0.2.1'), kindOf('192.0.2.1')]).toEqual(['passed', 'refused'])
    const network = (index: number) => `2001:db8:${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}::1`
    for (let index = 0; index < 199_999; index += 1) kindOf(network(index))
    expect(kindOf('192.0.2.1')).toBe('refused')
    expect(kindOf(network(100_000))).toBe('refused')
    for (let index = 199_999; index < 200_100; index += 1) {
      expect(() => kindOf(network(index))).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_COUNTER' }))
    }
    expect(kindOf('192.0.2.1')).toBe('refused')
  })
})

describe('options', () => {
  it.each<[unknown, RegExp]>([
    [undefined, /controlSpikes\(\)/],
    [{}, /by: .*\n?.*limit: /],
    [{ by: 'ip', limit: minute }, /by: expected 'address' \(the IP address\), 'client' or 'route'/],
    [{ by: 'address' }, /limit: expected a limit or a list of limits/],
    [{ by: 'address', limit: { requests: 1, window: 60 } }, /unknown member "window"; did you mean "windowSeconds"/],
    [{ by: 'address', limit: { requests: 1, seconds: 60 } }, /unknown member "seconds"; did you mean "windowSeconds"/],
    [{ by: 'address', limit: [] }, /limit: /],
    [{ by: 'address', limit: { ...minute, requests: 0 } }, /limit\.0\.requests/],
    [{ by: 'address', limit: { ...minute, requests: NaN } }, /limit\.0\.requests/],
    [{ by: 'address', limit: { ...minute, requests: Infinity } }, /limit\.0\.requests/],
    [{ by: 'address', limit: { ...minute, windowSeconds: 0.05 } }, /limit\.0\.windowSeconds/],
    [{ by: 'address', limit: { ...minute, algorithm: 'leaky' } }, /limit\.0\.algorithm/],
    [{ by: 'address', limit: [minute, { ...minute, requests: 5 }] }, /same algorithm and window/],
    [{ by: 'address', limit: minute, count: 'errors' }, /count: /],
    [{ by: 'address', limit: minute, ipv6PrefixLength: 31 }, /ipv6PrefixLength: /],
    [{ by: 'address', limit: minute, ipv6PrefixLength: 129 }, /ipv6PrefixLength: /],
    [{ by: 'address', limit: minute, ipv6PrefixLength: '64' }, /ipv6PrefixLength: /],
    [{ by: 'route', limit: minute, ipv6PrefixLength: 64 }, /ipv6PrefixLength: only for by: 'address'/],
    [{ by: 'address', limit: minute, counter: memoryCounter() }, /name: expected one beside counter/],
    [{ by: 'address', limit: minute, counter: {}, name: 'a' }, /counter: expected a counter/],
    [{ by: 'address', limit: minute, name: '' }, /name: /],
    [{ by: 'address', limit: minute, fields: ['x-ratelimit', 'x-ratelimit-ms'] }, /choose one/],
    [{ by: 'address', limit: minute, limits: minute }, /unknown option "limits"; did you mean "limit"/],
  ])('%j is a fault that says what was expected', (options, message) => {
    const build = () =>
      controlSpikes({ api: 'orders', counterTimeoutMs: 50, newLines }, options as ControlSpikesOptions)
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
    expect(build).toThrow(message)
  })
})

describe('the options of clientele() that it uses', () => {
  const store = memoryStore()

  it.each<[unknown, RegExp]>([
    [{ trustedProxies: ['10.0.0.0/8', 'proxy.example'] }, /trustedProxies\.1: expected an address/],
    [{ trustedProxies: 0 }, /trustedProxies: expected 'none', how many/],
    [{ trustedProxies: true }, /trustedProxies: expected 'none', how many/],
    [{ trustProxy: 1 }, /unknown option "trustProxy"; did you mean "trustedProxies"/],
    [{ trustedProxies: 1, forwardingHeader: 'x-real-ip' }, /forwardingHeader: /],
    [{ forwardingHeader: 'forwarded' }, /forwardingHeader: expected trustedProxies beside it/],
    [{ trustedProxies: 'none', forwardingHeader: 'forwarded' }, /forwardingHeader: expected trustedProxies beside it/],
  ])('%j is a fault that says what was expected', (options, message) => {
    const build = () => wirePolicies({ api: 'orders', store, ...(options as object) })
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS' }))
    expect(build).toThrow(message)
  })
})
