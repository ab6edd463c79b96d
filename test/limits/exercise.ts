import fc from 'fast-check'
import { expect } from 'vitest'
import type { Moment } from '../../src/limits/account.js'
import type { Counter, CounterLimit } from '../../src/limits/counter.js'
import { ObviousCounter } from './obvious-counter.js'
import { ceilingOf } from './obvious-limits.js'

/**
 * Spans are powers of two, so that rates and shares are exact and two ways of adding up agree to the last bit. Rates
 * and ages stay: with a new one it depends on when somebody looked last what has run off by the old one.
 */
const spanMs = fc.constantFrom(256, 512, 1024)
const requests = fc.integer({ min: 1, max: 8 })
const anyLimit: fc.Arbitrary<CounterLimit> = fc.oneof(
  fc.record({
    key: fc.constant(''),
    algorithm: fc.constantFrom('fixed' as const, 'sliding' as const),
    requests,
    windowMs: spanMs,
  }),
  fc.record({
    key: fc.constant(''),
    algorithm: fc.constant('gcra' as const),
    requests: fc.constant(4),
    windowMs: spanMs,
    burst: requests,
  }),
  fc.record({
    key: fc.constant(''),
    algorithm: fc.constant('concurrent' as const),
    requests,
    maxAgeMs: fc.constant(512),
  }),
  fc.record({
    key: fc.constant(''),
    algorithm: fc.constant('calendar' as const),
    requests,
    unit: fc.constantFrom('minute' as const, 'hour' as const),
    timeZone: fc.constantFrom('UTC', 'Asia/Kathmandu'),
  }),
)

function keyed(limit: CounterLimit): CounterLimit {
  if (limit.algorithm === 'calendar') return { ...limit, key: `calendar:${limit.unit}` }
  if (limit.algorithm === 'concurrent') return { ...limit, key: 'concurrent' }
  return { ...limit, key: `${limit.algorithm}:${limit.windowMs}` }
}

export const anyTier = fc.uniqueArray(anyLimit.map(keyed), { minLength: 1, maxLength: 4, selector: ({ key }) => key })
const subject = fc.constantFrom('a:bc', 'ab:c', 'b')
const cost = fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.constantFrom(0, 0.25, 2, 3, 9))
const which = fc.nat(2)
export const anyStep = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('take' as const), subject, which, cost }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('giveBack' as const), index: fc.nat(), cost }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('peek' as const), subject, which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), subject }) },
  // Clocks that are set, or say nothing.
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('monotonic back' as const), ms: fc.integer({ min: 1, max: 5000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set wall' as const),
      ms: fc.integer({ min: -8_000_000, max: 8_000_000 }),
    }),
  },
)

export type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never
export type MakeCounter = (clocks: Moment) => Counter

/** Does the same with a counter and the obvious one, and compares what they say. */
export async function exercise(
  makeCounter: MakeCounter,
  tiers: readonly CounterLimit[][],
  steps: readonly Step[],
  start: Moment = { monotonicMs: 1000, wallMs: Date.parse('2026-03-29T00:00Z') },
): Promise<void> {
  const clocks = { ...start }
  const counter = makeCounter(clocks)
  const oracle = new ObviousCounter()
  const receipts: { ours: unknown; theirs: number }[] = []
  const compare = (who: string, limits: readonly CounterLimit[], readings: readonly { used: number }[]): void => {
    expect(readings.map(({ used }) => used)).toEqual(oracle.used(who, limits))
  }
  for (const each of steps) {
    // Like ours, it knows no moment at which nobody asked.
    const looks = each.kind === 'take' || each.kind === 'peek' || (each.kind === 'giveBack' && receipts.length > 0)
    if (looks) oracle.clocksSay(clocks)
    if (each.kind === 'wait') {
      clocks.monotonicMs += each.ms
      clocks.wallMs += each.ms
    } else if (each.kind === 'monotonic back') {
      // It stands still until it has caught up.
      clocks.monotonicMs -= each.ms
    } else if (each.kind === 'set wall') {
      clocks.wallMs += each.ms
    } else if (each.kind === 'take') {
      const limits = tiers[each.which] ?? []
      const { taken, readings, receipt } = await counter.take(each.subject, limits, each.cost)
      const expected = oracle.take(each.subject, limits, each.cost)
      expect(taken).toBe(expected.taken)
      compare(each.subject, limits, readings)
      readings.forEach((reading, index) => {
        const limit = limits[index] as CounterLimit
        expect(reading.remaining).toBe(Math.max(0, ceilingOf(limit) - reading.used))
        oracle.expectWait(each.subject, limit, each.cost, reading)
      })
      receipts.push({ ours: receipt, theirs: expected.receipt })
    } else if (each.kind === 'giveBack') {
      const receipt = receipts[each.index % Math.max(1, receipts.length)]
      if (receipt === undefined) continue
      const before = new Map<string, number>()
      const peeked = async (who: string, limit: CounterLimit): Promise<number> =>
        (await counter.peek(who, [limit]))[0]?.used ?? NaN
      for (const who of ['a:bc', 'ab:c', 'b']) {
        for (const limit of tiers.flat()) before.set(`${who} ${JSON.stringify(limit)}`, await peeked(who, limit))
      }
      await counter.giveBack(receipt.ours, each.cost)
      const after = new Map<string, number>()
      for (const key of before.keys()) {
        const at = key.indexOf(' ')
        after.set(key, await peeked(key.slice(0, at), JSON.parse(key.slice(at + 1)) as CounterLimit))
      }
      oracle.giveBack(receipt.theirs, each.cost, (who, limit) => {
        const key = `${who} ${JSON.stringify(limit)}`
        return (before.get(key) ?? NaN) - (after.get(key) ?? NaN)
      })
    } else if (each.kind === 'peek') {
      const limits = tiers[each.which] ?? []
      compare(each.subject, limits, await counter.peek(each.subject, limits))
    } else {
      await counter.reset(each.subject)
      oracle.reset(each.subject)
    }
  }
  oracle.assertHolds()
}
