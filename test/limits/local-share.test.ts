import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CounterLimit } from '../../src/limits/counter.js'
import { LocalShare, shareOf } from '../../src/limits/local-share.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { ShareCharging } from '../../src/limits/share-charging.js'
import { switchedCounter } from '../support/switched-counter.js'

const fixed = (requests: number, windowMs = 60_000): CounterLimit => ({
  ...{ key: `fixed:${windowMs}`, requests, algorithm: 'fixed', windowMs },
})
const minute = (requests: number): CounterLimit => ({
  ...{ key: 'calendar:minute', requests, algorithm: 'calendar', unit: 'minute', timeZone: 'UTC' },
})
const gcra: CounterLimit = { key: 'gcra:1000', requests: 100, algorithm: 'gcra', windowMs: 1000, burst: 20 }

/** `count` processes, each with its own way to one counter, and one clock for all. */
function processesOf(count: number) {
  const clock = { nowMs: 1_000_000_020_000 }
  const clocks = { clock: () => clock.nowMs, wallClock: () => clock.nowMs }
  const behind = memoryCounter(clocks)
  const processes = Array.from({ length: count }, () => {
    const counter = switchedCounter(behind)
    const share = new LocalShare(clocks)
    const use = { share, settling: new Map<string, Promise<void>>() }
    return { counter, share, charging: new ShareCharging({ counter, counterTimeoutMs: 20 }, use, count) }
  })
  return { clock, behind, processes }
}

type Process = ReturnType<typeof processesOf>['processes'][number]

/** How many of `count` pass. */
async function pass({ charging }: Process, count: number, limits: readonly CounterLimit[], cost = 1): Promise<number> {
  let passed = 0
  for (let index = 0; index < count; index += 1) passed += (await charging.take('a', limits, cost)).taken ? 1 : 0
  return passed
}

describe('shareOf', () => {
  it('is a part of the limit, rounded down, and at least one request', () => {
    expect(shareOf(fixed(100), 3)).toEqual(fixed(33))
    expect(shareOf(fixed(2), 8)).toEqual(fixed(1))
    expect(shareOf(gcra, 4)).toEqual({ ...gcra, requests: 25, burst: 5 })
    expect(Object.keys(shareOf(fixed(9), 2))).toEqual(Object.keys(fixed(9)))
  })
})

describe('ShareCharging', () => {
  it('lets the share through while the counter is down, and says so', async () => {
    const { processes } = processesOf(4)
    const [one] = processes as [Process]
    one.counter.failure = 'throws'
    const limits = [fixed(10)]
    const charge = await one.charging.take('a', limits, 1)
    expect(charge).toMatchObject({
      taken: true,
      alone: { processes: 4, fault: { code: 'ERR_CLIENTELE_COUNTER' } },
      readings: [{ used: 1, remaining: 1, resetMs: 60_000, waitMs: 0 }],
    })
    expect(await pass(one, 5, limits)).toBe(1)
  })

  it.each(['throws', 'rejects', 'hangs', 'talks nonsense'] as const)('goes on when the counter %s', async (failure) => {
    const { processes } = processesOf(2)
    const [one] = processes as [Process]
    one.counter.failure = failure
    expect(await pass(one, 4, [fixed(4)])).toBe(2)
  })

  it('remembers what the counter has let through here: that is a part of the share', async () => {
    const { processes } = processesOf(2)
    const [one, other] = processes as [Process, Process]
    const limits = [fixed(10)]
    expect(await pass(one, 3, limits)).toBe(3)
    for (const each of processes) each.counter.failure = 'rejects'
    expect(await pass(one, 10, limits)).toBe(2)
    expect(await pass(other, 10, limits)).toBe(5)
  })

  it('opens no new share, however often the counter comes and goes', async () => {
    const { processes, behind } = processesOf(4)
    const [one, other] = processes as [Process, Process]
    const limits = [fixed(20)]
    let alone = 0
    for (let flap = 0; flap < 50; flap += 1) {
      one.counter.failure = 'throws'
      alone += await pass(one, 3, limits)
      one.counter.failure = undefined
      behind.peek('a', limits)
      // Somebody asks: what was let through alone is made up for.
      await one.charging.take('a', limits, 0)
    }
    expect(alone).toBe(5)
    expect(behind.peek('a', limits)[0]?.used).toBe(5)
    expect(await pass(other, 30, limits)).toBe(15)
  })

  it('comes back without a burst: what was let through alone counts, in the window that runs', async () => {
    const { processes, clock, behind } = processesOf(2)
    const [one, other] = processes as [Process, Process]
    const limits = [fixed(10), fixed(30, 3_600_000)]
    for (const each of processes) each.counter.failure = 'throws'
    expect([await pass(one, 9, limits), await pass(other, 9, limits)]).toEqual([5, 5])
    for (const each of processes) each.counter.failure = undefined
    expect([await pass(one, 9, limits), await pass(other, 9, limits)]).toEqual([5, 0])
    // `other` had 5 more than there was room for: they are not taken from the next minute, but the hour knows of them.
    clock.nowMs += 60_000
    expect([await pass(other, 9, limits), await pass(one, 9, limits)]).toEqual([9, 1])
    expect(behind.peek('a', limits).map(({ used }) => used)).toEqual([10, 25])
  })

  it('owes nothing for windows that have turned meanwhile', async () => {
    const { processes, clock } = processesOf(2)
    const [one] = processes as [Process]
    const limits = [fixed(10)]
    one.counter.failure = 'throws'
    expect(await pass(one, 9, limits)).toBe(5)
    clock.nowMs += 60_000
    expect(await pass(one, 2, limits)).toBe(2)
    one.counter.failure = undefined
    expect(await pass(one, 20, limits)).toBe(8)
  })

  it('takes back what a request did not come to, in what is remembered and in what is owed', async () => {
    const { processes, behind } = processesOf(2)
    const [one] = processes as [Process]
    const limits = [fixed(20)]
    one.counter.failure = 'throws'
    const charge = await one.charging.take('a', limits, 10)
    expect(await pass(one, 1, limits)).toBe(0)
    await one.charging.giveBack(charge.receipt, 7)
    await one.charging.giveBack(charge.receipt, 7)
    expect(await pass(one, 20, limits)).toBe(7)
    one.counter.failure = undefined
    await one.charging.take('a', limits, 0)
    expect(behind.peek('a', limits)[0]?.used).toBe(10)
  })

  it('takes nothing back from what others owe, for a request that was made up for in a window before', async () => {
    const { processes, clock, behind } = processesOf(1)
    const [one] = processes as [Process]
    const limits = [fixed(10, 400)]
    one.counter.failure = 'throws'
    const slow = await one.charging.take('a', limits, 10)
    one.counter.failure = undefined
    await one.charging.take('a', limits, 0)
    clock.nowMs += 400
    one.counter.failure = 'throws'
    expect(await pass(one, 20, limits)).toBe(10)
    await one.charging.giveBack(slow.receipt, 10)
    one.counter.failure = undefined
    expect(await pass(one, 20, limits)).toBe(0)
    expect(behind.peek('a', limits)[0]?.used).toBe(10)
  })

  it('takes nothing back from limits that its request was not held to', async () => {
    const { processes, behind } = processesOf(1)
    const [one] = processes as [Process]
    const [minutely, hourly] = [fixed(20), fixed(20, 3_600_000)]
    one.counter.failure = 'throws'
    const before = await one.charging.take('a', [minutely], 10)
    expect(await pass(one, 4, [minutely, hourly])).toBe(4)
    await one.charging.giveBack(before.receipt, 10)
    one.counter.failure = undefined
    await one.charging.take('a', [minutely, hourly], 0)
    expect(behind.peek('a', [minutely, hourly]).map(({ used }) => used)).toEqual([4, 4])
  })

  it('frees places of requests in flight, whoever has let them in', async () => {
    const { processes } = processesOf(2)
    const [one] = processes as [Process]
    const limits: CounterLimit[] = [{ key: 'concurrent', requests: 4, algorithm: 'concurrent', maxAgeMs: 60_000 }]
    const counted = await one.charging.take('a', limits, 1)
    one.counter.failure = 'throws'
    const alone = await one.charging.take('a', limits, 1)
    expect(await pass(one, 1, limits)).toBe(0)
    await one.charging.giveBack(alone.receipt, 0)
    expect(await pass(one, 2, limits)).toBe(1)
    one.counter.failure = undefined
    await one.charging.giveBack(counted.receipt, 0)
    expect(await pass(one, 9, limits)).toBe(4)
  })

  it('waits for what is owed before it asks, however many come at a time', async () => {
    const { processes, behind } = processesOf(2)
    const [one] = processes as [Process]
    const limits = [fixed(100)]
    one.counter.failure = 'throws'
    expect(await pass(one, 60, limits)).toBe(50)
    one.counter.failure = undefined
    const all = await Promise.all(Array.from({ length: 90 }, async () => one.charging.take('a', limits, 1)))
    expect(all.filter(({ taken }) => taken)).toHaveLength(50)
    expect(behind.peek('a', limits)[0]?.used).toBe(100)
  })

  it('asks for its debt once more when the counter goes away in the middle of it', async () => {
    const { processes, behind } = processesOf(2)
    const [one] = processes as [Process]
    const limits = [fixed(10)]
    one.counter.failure = 'throws'
    expect(await pass(one, 3, limits)).toBe(3)
    one.counter.failure = 'hangs'
    expect((await one.charging.take('a', limits, 1)).alone).toBeDefined()
    one.counter.failure = undefined
    await one.charging.take('a', limits, 1)
    expect(behind.peek('a', limits)[0]?.used).toBe(5)
  })

  it('lets a rate run off in the outage at its part of the rate', async () => {
    const { processes, clock } = processesOf(4)
    const [one] = processes as [Process]
    one.counter.failure = 'throws'
    expect(await pass(one, 50, [gcra])).toBe(5)
    clock.nowMs += 1000
    expect(await pass(one, 50, [gcra])).toBe(5)
    clock.nowMs += 40
    expect(await pass(one, 50, [gcra])).toBe(1)
  })
})

// Property 3 of the design, for the degraded mode.
describe('the excess of a local share', () => {
  const step = fc.record({
    process: fc.nat(7),
    kind: fc.oneof(
      { weight: 6, arbitrary: fc.constant('ask' as const) },
      { weight: 2, arbitrary: fc.constantFrom('down' as const, 'up' as const) },
      { weight: 1, arbitrary: fc.constant('wait' as const) },
    ),
    ms: fc.integer({ min: 1, max: 40_000 }),
    times: fc.integer({ min: 1, max: 12 }),
  })

  it('in a window that all have in common is never above (processes - 1) shares', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 24 }),
        fc.array(step, { maxLength: 40 }),
        async (count, requests, steps) => {
          const { clock, processes } = processesOf(count)
          const limits = [minute(requests)]
          const passed = new Map<number, number>()
          for (const { process, kind, ms, times } of steps) {
            const one = processes[process % count] as Process
            if (kind === 'wait') clock.nowMs += ms
            else if (kind !== 'ask') one.counter.failure = kind === 'down' ? 'throws' : undefined
            else {
              const window = Math.floor(clock.nowMs / 60_000)
              passed.set(window, (passed.get(window) ?? 0) + (await pass(one, times, limits)))
            }
          }
          const share = shareOf(minute(requests), count).requests
          for (const total of passed.values()) expect(total).toBeLessThanOrEqual(requests + (count - 1) * share)
        },
      ),
      { numRuns: 400 },
    )
  }, 120_000)

  it('is above the limit at all only while somebody is owed to the counter', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 24 }), fc.array(step, { maxLength: 40 }), async (requests, steps) => {
        const { clock, processes } = processesOf(1)
        const [one] = processes as [Process]
        const limits = [minute(requests)]
        const passed = new Map<number, number>()
        for (const { kind, ms, times } of steps) {
          if (kind === 'wait') clock.nowMs += ms
          else if (kind !== 'ask') one.counter.failure = kind === 'down' ? 'rejects' : undefined
          else {
            const window = Math.floor(clock.nowMs / 60_000)
            passed.set(window, (passed.get(window) ?? 0) + (await pass(one, times, limits)))
          }
        }
        // One process is all of them: alone or not, its limit is the limit.
        for (const total of passed.values()) expect(total).toBeLessThanOrEqual(requests)
      }),
      { numRuns: 200 },
    )
  }, 120_000)

  it('is none for one process, also when requests end late and come to less than they were charged', async () => {
    const steps = fc.array(
      fc.record({
        kind: fc.constantFrom(
          'ask' as const,
          'ask' as const,
          'end' as const,
          'down' as const,
          'up' as const,
          'wait' as const,
        ),
        ms: fc.integer({ min: 10_000, max: 60_000 }),
        cost: fc.integer({ min: 1, max: 5 }),
        which: fc.nat(9),
      }),
      { minLength: 30, maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), steps, async (requests, all) => {
        const { clock, processes } = processesOf(1)
        const [one] = processes as [Process]
        const limits = [minute(requests)]
        const open: { receipt: unknown; window: number; cost: number }[] = []
        const standing = new Map<number, number>()
        for (const { kind, ms, cost, which } of all) {
          const window = Math.floor(clock.nowMs / 60_000)
          if (kind === 'wait') clock.nowMs += ms
          else if (kind === 'down') one.counter.failure = 'throws'
          else if (kind === 'up') one.counter.failure = undefined
          else if (kind === 'ask') {
            const { taken, receipt } = await one.charging.take('a', limits, cost)
            if (!taken) continue
            open.push({ receipt, window, cost })
            standing.set(window, (standing.get(window) ?? 0) + cost)
            expect(standing.get(window)).toBeLessThanOrEqual(requests)
          } else {
            const [ended] = open.splice(which % Math.max(1, open.length), 1)
            if (ended === undefined) continue
            const back = Math.min(cost, ended.cost)
            // The counter may be out of reach for it, too: then it stays charged.
            await Promise.resolve()
              .then(() => one.charging.giveBack(ended.receipt, back))
              .catch(() => undefined)
            standing.set(ended.window, (standing.get(ended.window) ?? 0) - back)
          }
        }
      }),
      { numRuns: 1000 },
    )
  }, 120_000)

  it('forgets those who never come back', () => {
    const clock = { nowMs: 0 }
    const share = new LocalShare({ clock: () => clock.nowMs })
    const limits = [fixed(5, 1000)]
    for (let index = 0; index < 5000; index += 1) {
      share.take(`subject-${index}`, limits, limits, 1)
      clock.nowMs += 1
    }
    const owing = Array.from({ length: 5000 }, (_, index) => share.owes(`subject-${index}`)).filter(Boolean)
    expect(owing.length).toBeLessThan(3000)
    expect(share.owes('subject-4999')).toBe(true)
  })
})
