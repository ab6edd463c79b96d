import fc from 'fast-check'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CounterLimit } from '../../../src/limits/counter.js'
import { memoryCounter } from '../../../src/limits/memory-counter.js'

/*
 * Somebody else's fixed window, on the same calls at the same moments. It keeps time by timers, so those are the test's.
 * Three things are another by definition. There a refused call is charged too, so that a cheaper one behind it is
 * refused as well, while a refused request changes nothing here: after each refusal that is taken back from it. There a
 * call that costs more than the limit begins a window, though nobody can be let in by it: after such a call both begin
 * anew. And it knows no call that costs nothing: there is none here.
 */
interface Theirs {
  readonly admitted: boolean
  readonly remaining: number
  readonly msBeforeNext: number
}

async function consume(limiter: RateLimiterMemory, key: string, cost: number): Promise<Theirs> {
  try {
    const { remainingPoints, msBeforeNext } = await limiter.consume(key, cost)
    return { admitted: true, remaining: remainingPoints, msBeforeNext }
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    await limiter.reward(key, cost)
    return { admitted: false, remaining: NaN, msBeforeNext: refused.msBeforeNext }
  }
}

describe('fixed beside rate-limiter-flexible', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: 1_800_000_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('admits and refuses the same, with the same left and the same to wait, for any calls, costs and gaps', async () => {
    let round = 0
    const call = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      cost: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 6 })),
      gapMs: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        fc.integer({ min: 0, max: 400 }),
        fc.constantFrom(999, 1000, 1001, 2000),
      ),
    })
    let refusals = 0
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(1, 2, 0.5),
        fc.array(call, { minLength: 20, maxLength: 80 }),
        async (requests, windowSeconds, calls) => {
          round += 1
          const limiter = new RateLimiterMemory({ keyPrefix: `${round}`, points: requests, duration: windowSeconds })
          const counter = memoryCounter({ clock: () => Date.now() })
          const windowMs = windowSeconds * 1000
          const limits: CounterLimit[] = [{ key: `fixed:${windowMs}`, requests, algorithm: 'fixed', windowMs }]
          for (const { key, cost, gapMs } of calls) {
            await vi.advanceTimersByTimeAsync(gapMs)
            const theirs = await consume(limiter, key, cost)
            const ours = counter.take(key, limits, cost)
            expect(ours.taken).toBe(theirs.admitted)
            if (ours.taken) expect(ours.readings[0]?.remaining).toBe(theirs.remaining)
            else refusals += 1
            if (cost <= requests) {
              expect(ours.readings[0]?.resetMs).toBe(theirs.msBeforeNext)
            } else {
              await limiter.delete(key)
              counter.reset(key)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
    expect(refusals).toBeGreaterThan(1000)
  }, 60_000)
})
