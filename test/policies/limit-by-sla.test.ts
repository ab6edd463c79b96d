import { describe, expect, it } from 'vitest'
import type { Admission, AdmittedTier } from '../../src/decisions/admission.js'
import type { FixedLimit, Limit } from '../../src/decisions/limit.js'
import { isPromise } from '../../src/decisions/maybe-promise.js'
import type { HttpRequest } from '../../src/decisions/http-request.js'
import type { Admitted, Refused, Verdict } from '../../src/decisions/policy.js'
import type { Counter } from '../../src/limits/counter.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { limitBySla, type LimitBySlaOptions } from '../../src/policies/limit-by-sla.js'

/** A limit looks at no part of the request. */
const request = undefined as unknown as HttpRequest

function limitOf(requests: number, windowSeconds = 60): FixedLimit {
  return { requests, windowSeconds, algorithm: 'fixed' }
}

function tierOf(limits: readonly Limit[], name = 'gold', version = 1): AdmittedTier {
  return { api: 'orders', name, version, limits }
}

function admissionOf(tier: AdmittedTier, client = 'c1', authenticated = true): Admission {
  return Object.freeze({
    api: 'orders',
    authenticated,
    scopes: ['kept'],
    contract: { client, api: 'orders', version: 1, tier: tier.name },
    tier,
  })
}

function setUp(options?: LimitBySlaOptions, own?: Counter) {
  const clock = { nowMs: 1000 }
  const counter = own ?? memoryCounter({ clock: () => clock.nowMs })
  const policy = limitBySla({ api: 'orders', counter, counterTimeoutMs: 50 }, options)
  const decide = (admission: Admission | undefined): Verdict => {
    const verdict = policy.decide(request, admission)
    if (isPromise(verdict)) throw new Error('a counter in memory must be answered at once')
    return verdict
  }
  return { clock, policy, decide, kind: (admission: Admission) => decide(admission).kind }
}

describe('limitBySla', () => {
  it('admits within the limits, at once, and tells usage and fields', () => {
    const { decide } = setUp()
    const before = admissionOf(tierOf([limitOf(3), limitOf(100, 3600)]))
    const { admission, fields } = decide(before) as Admitted
    expect(admission).toMatchObject({ api: 'orders', scopes: ['kept'], tier: before.tier })
    expect(admission.usage).toEqual({
      ...{ limit: limitOf(3), used: 1, remaining: 2, resetSeconds: 60, waitSeconds: 0 },
      limits: [
        { limit: limitOf(3), used: 1, remaining: 2, resetSeconds: 60, waitSeconds: 0 },
        { limit: limitOf(100, 3600), used: 1, remaining: 99, resetSeconds: 3600, waitSeconds: 0 },
      ],
    })
    expect(Object.isFrozen(admission)).toBe(true)
    expect(before.usage).toBeUndefined()
    expect(fields).toEqual({
      'RateLimit-Policy': '"gold-60s";q=3;w=60, "gold-3600s";q=100;w=3600',
      RateLimit: '"gold-60s";r=2;t=60, "gold-3600s";r=99;t=3600',
    })
  })

  it('refuses past a limit, names what was violated, and says when to come back', () => {
    const { decide, clock } = setUp()
    const admission = admissionOf(tierOf([limitOf(2), limitOf(2, 3600), limitOf(9, 7200)]))
    decide(admission)
    clock.nowMs += 500
    decide(admission)
    clock.nowMs += 1
    const { refusal } = decide(admission) as Refused
    expect(refusal).toEqual({
      code: 'limit_exceeded',
      retryAfterSeconds: expect.toSatisfy((seconds: number) => seconds >= 3600 && seconds <= 3660),
      members: { 'violated-policies': ['gold-60s', 'gold-3600s'] },
      fields: {
        'RateLimit-Policy': '"gold-60s";q=2;w=60, "gold-3600s";q=2;w=3600, "gold-7200s";q=9;w=7200',
        RateLimit: '"gold-60s";r=0;t=60, "gold-3600s";r=0;t=3600, "gold-7200s";r=7;t=7200',
      },
    })
  })

  it('is right about when to come back, to the second', () => {
    const { decide, clock, kind } = setUp()
    const admission = admissionOf(tierOf([limitOf(1, 10)]))
    decide(admission)
    for (const passedMs of [1, 999, 1000, 1001, 5000, 9999]) {
      clock.nowMs = 1000 + passedMs
      const { refusal } = decide(admission) as Refused
      const earliest = Math.ceil((10_000 - passedMs) / 1000)
      expect([earliest, earliest + 1]).toContain(refusal.retryAfterSeconds)
    }
    clock.nowMs = 11_000
    expect(kind(admission)).toBe('admitted')
  })

  it('charges nothing when it refuses', () => {
    const { decide, clock, kind } = setUp()
    const admission = admissionOf(tierOf([limitOf(1, 1), limitOf(3, 3600)]))
    for (let index = 0; index < 100; index += 1) decide(admission)
    for (const expected of ['admitted', 'admitted', 'refused']) {
      clock.nowMs += 1000
      expect(kind(admission)).toBe(expected)
    }
  })

  it('charges the cost of the route', () => {
    const { kind } = setUp({ cost: 5 })
    const admission = admissionOf(tierOf([limitOf(12)]))
    expect([kind(admission), kind(admission), kind(admission)]).toEqual(['admitted', 'admitted', 'refused'])
  })

  it('never lets a cost above the limit pass, and sends nobody back at once', () => {
    const { decide } = setUp({ cost: 5 })
    const { refusal } = decide(admissionOf(tierOf([limitOf(4), limitOf(100, 3600)]))) as Refused
    expect(refusal.members).toEqual({ 'violated-policies': ['gold-60s'] })
    expect(refusal.retryAfterSeconds).toBeGreaterThanOrEqual(60)
  })

  // Attack line 33: who only knows an ID spends nobody else's quota.
  it('counts a client that gave an ID alone apart from the same client with its secret', () => {
    const { kind } = setUp()
    const tier = tierOf([limitOf(2)])
    const stranger = admissionOf(tier, 'c1', false)
    const owner = { ...stranger, authenticated: true }
    expect([kind(stranger), kind(stranger), kind(stranger)]).toEqual(['admitted', 'admitted', 'refused'])
    expect([kind(owner), kind(owner), kind(owner)]).toEqual(['admitted', 'admitted', 'refused'])
  })

  it('counts clients apart, and one client together whatever object stands for its contract', () => {
    const { kind } = setUp()
    const tier = tierOf([limitOf(1)])
    expect(kind(admissionOf(tier, 'c1'))).toBe('admitted')
    expect(kind(admissionOf(tier, 'c2'))).toBe('admitted')
    expect(kind(admissionOf(tierOf([limitOf(1)], 'gold', 2), 'c1'))).toBe('refused')
  })

  it('keeps the charge when the tier changes', () => {
    const { decide, kind } = setUp()
    decide(admissionOf(tierOf([limitOf(1)], 'bronze')))
    const silver = admissionOf(tierOf([limitOf(3), limitOf(3, 3600)], 'silver'))
    expect((decide(silver) as Admitted).admission.usage?.limits.map(({ used }) => used)).toEqual([2, 1])
    expect(kind(admissionOf(tierOf([limitOf(2)], 'bronze', 2)))).toBe('refused')
  })

  it('takes the stricter of two limits with one window', () => {
    const { decide } = setUp()
    const admission = admissionOf(tierOf([limitOf(5), limitOf(2), limitOf(7)]))
    expect((decide(admission) as Admitted).fields).toMatchObject({ 'RateLimit-Policy': '"gold";q=2;w=60' })
  })

  it('sends the fields that were asked for', () => {
    const admission = admissionOf(tierOf([limitOf(3)]))
    expect((setUp({ fields: [] }).decide(admission) as Admitted).fields).toBeUndefined()
    expect((setUp({ fields: ['x-ratelimit-ms'] }).decide(admission) as Admitted).fields).toEqual({
      'x-ratelimit-limit': '3',
      'x-ratelimit-remaining': '2',
      'x-ratelimit-reset': '60000',
    })
  })

  it('waits for a counter that is far away', async () => {
    const near = memoryCounter()
    const far = Object.assign(memoryCounter(), { take: async (...p: Parameters<Counter['take']>) => near.take(...p) })
    const { policy } = setUp({}, far)
    const admission = admissionOf(tierOf([limitOf(50)]))
    const verdicts = await Promise.all(Array.from({ length: 1000 }, async () => policy.decide(request, admission)))
    expect(verdicts.filter(({ kind }) => kind === 'admitted')).toHaveLength(50)
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['talks nonsense', () => ({ taken: true, readings: [{ used: NaN, remaining: 1, resetMs: 1, waitMs: 0 }] })],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['hangs', () => new Promise(() => undefined)],
  ])('is a 503, not an admission and not a refusal, when the counter %s', async (_what, take) => {
    const { policy } = setUp({}, Object.assign(memoryCounter(), { take }))
    const admission = admissionOf(tierOf([limitOf(3)]))
    await expect((async () => policy.decide(request, admission))()).rejects.toMatchObject({
      code: 'ERR_CLIENTELE_COUNTER',
      status: 503,
    })
  })

  it.each([
    ['nobody is identified', undefined],
    ["another API's client is", { ...admissionOf(tierOf([limitOf(3)])), api: 'billing' }],
    ['there is no contract', { api: 'orders', authenticated: true }],
    ['there is no tier', { ...admissionOf(tierOf([limitOf(3)])), tier: undefined }],
  ])('is a programming error where %s', (_what, admission) => {
    expect(() => setUp().decide(admission as Admission)).toThrow(
      expect.objectContaining({
        code: 'ERR_CLIENTELE_NOT_PROTECTED',
        status: 500,
        message: expect.stringMatching(/^limitBySla\(\) of API "orders": .*; /),
      }),
    )
  })

  // Attack line 30, at the moment of use.
  it.each([
    ...[NaN, undefined, '10', -1, 0, Infinity, 1.5].map((requests) => ({ ...limitOf(1), requests })),
    ...[NaN, undefined, '10', -1, 0, Infinity, 0.05].map((windowSeconds) => ({ ...limitOf(1), windowSeconds })),
    { ...limitOf(1), algorithm: 'constructor' },
  ])('admits nobody on the limit %j', (limit) => {
    const tier = tierOf([limitOf(5, 3600), limit as Limit])
    expect(() => setUp().decide(admissionOf(tier))).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENTELE_STORE', message: expect.stringContaining('limits.1') }),
    )
  })

  it('admits nobody on a tier without limits', () => {
    expect(() => setUp().decide(admissionOf(tierOf([])))).toThrow(/"gold".*no limits/)
  })

  it.each([
    ...[NaN, Infinity, -1, '5', null].map((cost) => ({ cost })),
    { fields: ['RateLimit'] },
    { fields: ['x-ratelimit', 'x-ratelimit-ms'] },
    { costs: 1 },
  ])('is not built with %o', (options) => {
    expect(() => setUp(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringContaining('limitBySla()') }),
    )
  })
})
