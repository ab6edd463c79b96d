import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { parseList, type Item } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import type { Limit } from '../../src/decisions/admission.js'
import { rateLimitFields, rateLimitPolicy, type RateLimitFieldSet } from '../../src/http/rate-limit-fields.js'
import { usageFrom } from '../../src/limits/usage.js'

function limitOf(requests: number, windowSeconds: number): Limit {
  return { requests, windowSeconds, algorithm: 'fixed' }
}

function fieldsOf(name: string, limits: Limit[], remaining: number, resetMs: number, sets: RateLimitFieldSet[]) {
  const usage = usageFrom(
    limits,
    limits.map((limit) => ({ used: limit.requests - remaining, remaining, resetMs })),
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

  it('are well-formed structured fields that Node sends, for every name and every number', () => {
    const limits = fc.uniqueArray(
      fc.record({
        requests: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constant(Number.MAX_SAFE_INTEGER)),
        windowSeconds: fc.oneof(
          fc.integer({ min: 1, max: 31_622_400 }),
          fc.integer({ min: 100, max: 9999 }).map((ms) => ms / 1000),
        ),
        algorithm: fc.constant('fixed' as const),
      }),
      { minLength: 1, maxLength: 5, selector: ({ windowSeconds }) => windowSeconds },
    )
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
          expect(typeof value).toBe('string')
          expect(parameters.get('q')).toBe(Math.min(tierLimits[index]?.requests ?? 0, 999_999_999_999_999))
          const whole = Number.isInteger(tierLimits[index]?.windowSeconds)
          expect(parameters.get('w')).toBe(whole ? tierLimits[index]?.windowSeconds : undefined)
        })
        for (const [, parameters] of services) {
          expect(parameters.get('r')).toBe(Math.min(Math.floor(remaining), 999_999_999_999_999))
          expect(parameters.get('t') ?? 0).toBe(Math.ceil(Math.min(resetMs, 3.2e10) / 1000))
        }
      }),
      { numRuns: 1000 },
    )
  })
})
