import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { parseList, type Item } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { calendarUnits, limitKey, spanSeconds, type FixedLimit, type Limit } from '../../src/decisions/limit.js'
import { rateLimitFields, rateLimitPolicy, type RateLimitFieldSet } from '../../src/http/rate-limit-fields.js'
import { usageFrom } from '../../src/limits/usage.js'

function limitOf(requests: number, windowSeconds: number): FixedLimit {
  return { requests, windowSeconds, algorithm: 'fixed' }
}

function fieldsOf(name: string, limits: Limit[], remaining: number, resetMs: number, sets: RateLimitFieldSet[]) {
  const usage = usageFrom(
    limits,
    limits.map((limit) => ({ used: limit.requests - remaining, remaining, resetMs, waitMs: 0 })),
  )
  return rateLimitFields(rateLimitPolicy(name, limits), usage, sets)
}

function itemsOf(field: unknown): Item[] {
  return parseList(String(field)) as Item[]
}

describe('RateLimit fields', () => {
  it('name the tier where it has one limit', () => {
    expect(fieldsOf('gold', [limitOf(100, 60)], 50, 30_000, ['ratelimit'])).toEqual({
      'RateLimit-Policy': '"gold";q=100;w=60',
      RateLimit: '"gold";r=50;t=30',
    })
  })

  it('name tier and window where it has several, and give no w for parts of seconds', () => {
    const limits = [limitOf(5, 0.1), limitOf(10, 1.5), limitOf(100, 60)]
    expect(fieldsOf('gold', limits, 3.7, 50, ['ratelimit'])).toEqual({
      'RateLimit-Policy': '"gold-100ms";q=5, "gold-1500ms";q=10, "gold-60s";q=100;w=60',
      RateLimit: '"gold-100ms";r=3;t=1, "gold-1500ms";r=3;t=1, "gold-60s";r=3;t=1',
    })
  })

  it('leave t out where no window runs', () => {
    expect(fieldsOf('gold', [limitOf(100, 60)], 100, 0, ['ratelimit'])).toMatchObject({ RateLimit: '"gold";r=100' })
  })

  it('come in the older shape on request, rounded against the client', () => {
    const limits = [limitOf(10, 60)]
    expect(fieldsOf('gold', limits, 3.7, 1200.5, ['x-ratelimit'])).toEqual({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': '2',
    })
    expect(fieldsOf('gold', limits, 3, 1200.5, ['x-ratelimit-ms'])).toMatchObject({ 'x-ratelimit-reset': '1201' })
    expect(Object.keys(fieldsOf('gold', limits, 3, 1200, ['ratelimit', 'x-ratelimit']))).toHaveLength(5)
    expect(fieldsOf('gold', limits, 3, 1200, [])).toEqual({})
  })

  // Attack line 34.
  it.each([
    ['a "quoted" \\ name', 'a "quoted" \\ name'],
    ['two\r\nlines: x', 'two%0D%0Alines: x'],
    ['naïve 🥇', 'na%C3%AFve %F0%9F%A5%87'],
    ['', ''],
    ['\u0000\u007f', '%00%7F'],
    ['\ud800', '%EF%BF%BD'],
  ])('carry the name %j as a string', (name, expected) => {
    const fields = fieldsOf(name, [limitOf(100, 60)], 50, 30_000, ['ratelimit'])
    expect(itemsOf(fields['RateLimit-Policy'])[0]?.[0]).toBe(expected)
    expect(rateLimitPolicy(name, [limitOf(100, 60)]).names).toEqual([expected])
  })

  it('tell what the same has to wait for, where it has no room now', () => {
    const limits: Limit[] = [
      { algorithm: 'gcra', requests: 600, windowSeconds: 60, burst: 10 },
      { algorithm: 'calendar', requests: 5, unit: 'day', timeZone: 'UTC' },
      { algorithm: 'concurrent', requests: 3, maxAgeSeconds: 300 },
    ]
    const usage = usageFrom(limits, [
      { used: 10, remaining: 0, resetMs: 9000, waitMs: 1200 },
      { used: 4, remaining: 1, resetMs: 40_000_000, waitMs: Infinity },
      { used: 3, remaining: 0, resetMs: 0, waitMs: 1 },
    ])
    expect(rateLimitFields(rateLimitPolicy('gold', limits), usage, ['ratelimit'])).toEqual({
      'RateLimit-Policy':
        '"gold-gcra-60s";q=600;w=60, "gold-day";q=5;w=86400, "gold-concurrent";q=3;qu="concurrent-requests"',
      RateLimit: '"gold-gcra-60s";r=0;t=2, "gold-day";r=1;t=40000, "gold-concurrent";r=0',
    })
  })

  it('are well-formed structured fields that Node sends, for every name, every algorithm and every number', () => {
    const requests = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant(Number.MAX_SAFE_INTEGER))
    const seconds = fc.oneof(
      fc.integer({ min: 1, max: 31_622_400 }),
      fc.integer({ min: 100, max: 9999 }).map((ms) => ms / 1000),
    )
    const anyLimit: fc.Arbitrary<Limit> = fc.oneof(
      fc.record({ requests, windowSeconds: seconds, algorithm: fc.constantFrom('fixed' as const, 'sliding' as const) }),
      fc.record({ requests, windowSeconds: seconds, algorithm: fc.constant('gcra' as const), burst: requests }),
      fc.record({ requests, maxAgeSeconds: seconds, algorithm: fc.constant('concurrent' as const) }),
      fc.record({
        requests,
        unit: fc.constantFrom(...calendarUnits),
        timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
        algorithm: fc.constant('calendar' as const),
      }),
    )
    const limits = fc.uniqueArray(anyLimit, { minLength: 1, maxLength: 6, selector: limitKey })
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string())
    const left = fc.double({ min: 0, max: 1e16, noNaN: true })
    fc.assert(
      fc.property(name, limits, left, left, (tier, tierLimits, remaining, resetMs) => {
        const fields = fieldsOf(tier, tierLimits, remaining, Math.min(resetMs, 3.2e10), ['ratelimit'])
        const response = new ServerResponse(new IncomingMessage(new Socket()))
        for (const [field, value] of Object.entries(fields)) response.setHeader(field, value)
        const policies = itemsOf(fields['RateLimit-Policy'])
        const services = itemsOf(fields.RateLimit)
        const names = policies.map(([value]) => value)
        expect(services.map(([value]) => value)).toEqual(names)
        expect(names).toEqual(rateLimitPolicy(tier, tierLimits).names)
        expect(new Set(names).size).toBe(tierLimits.length)
        policies.forEach(([value, parameters], index) => {
          const limit = tierLimits[index] as Limit
          expect(typeof value).toBe('string')
          expect(parameters.get('q')).toBe(Math.min(limit.requests, 999_999_999_999_999))
          const span = spanSeconds(limit)
          expect(parameters.get('w')).toBe(Number.isInteger(span) ? span : undefined)
          expect(parameters.get('qu')).toBe(limit.algorithm === 'concurrent' ? 'concurrent-requests' : undefined)
        })
        services.forEach(([, parameters], index) => {
          expect(parameters.get('r')).toBe(Math.min(Math.floor(remaining), 999_999_999_999_999))
          const runs = tierLimits[index]?.algorithm !== 'concurrent'
          expect(parameters.get('t') ?? 0).toBe(runs ? Math.ceil(Math.min(resetMs, 3.2e10) / 1000) : 0)
        })
      }),
      { numRuns: 1000 },
    )
  })
})
