import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { MaybePromise } from '../../src/decisions/maybe-promise.js'
import type { Counter, CounterLimit, Take } from '../../src/limits/counter.js'
import { guardedTake } from '../../src/limits/guarded-take.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'

const limits: CounterLimit[] = [{ key: 'fixed:1000', requests: 5, windowMs: 1000, algorithm: 'fixed' }]

function takeThrough(take: () => unknown): MaybePromise<Take> {
  const counter: Counter = Object.assign(memoryCounter(), { take: take as Counter['take'] })
  return guardedTake({ counter, counterTimeoutMs: 50 }, 'a', limits, 1)
}

const reading = { used: 1, remaining: 4, resetMs: 1000, waitMs: 0 }
const outage = expect.objectContaining({ code: 'ERR_CLIENTELE_COUNTER', status: 503 })

// Attack line 32: the counter throws, hangs, talks nonsense.
describe('guardedTake', () => {
  it('hands a good answer over as it is, at once where it is at hand', async () => {
    const take = { taken: true, readings: [reading], receipt: undefined }
    expect(takeThrough(() => take)).toBe(take)
    expect(await takeThrough(async () => take)).toBe(take)
    // Some clients answer with a promise of their own.
    expect(
      await takeThrough(() => ({ then: (resolve: (value: unknown) => void) => void setTimeout(resolve, 5, take) })),
    ).toBe(take)
  })

  it('makes an outage of a throw, and keeps the message of others inside', () => {
    const secret = Object.assign(new TypeError('redis://:hunter2@host'), { code: 'ECONNREFUSED' })
    const fault = caught(() =>
      takeThrough(() => {
        throw secret
      }),
    )
    expect(fault).toEqual(outage)
    expect(fault).toMatchObject({ cause: { name: 'TypeError', code: 'ECONNREFUSED' } })
    expect(inspect(fault, { depth: 10 })).not.toContain('hunter2')
  })

  it('makes an outage of a rejection and of silence', async () => {
    await expect(takeThrough(() => Promise.reject(new Error('down')))).rejects.toEqual(outage)
    await expect(takeThrough(() => Promise.reject(undefined))).rejects.toEqual(outage)
    await expect(takeThrough(() => new Promise(() => undefined))).rejects.toThrow(/50 ms/)
  })

  it('gives back what is taken when nobody waits for it any more', async () => {
    const behind = memoryCounter()
    const slow = (ms: number): Counter =>
      Object.assign(memoryCounter(), {
        take: async (...given: Parameters<Counter['take']>) => {
          const take = behind.take(...given)
          await sleep(ms)
          return take
        },
        giveBack: (receipt: unknown, cost: number) => {
          behind.giveBack(receipt, cost)
        },
      })
    const used = () => behind.peek('a', limits)[0]?.used
    await expect(guardedTake({ counter: slow(80), counterTimeoutMs: 20 }, 'a', limits, 3)).rejects.toEqual(outage)
    expect(used()).toBe(3)
    const until = Date.now() + 10_000
    while (used() !== 0 && Date.now() < until) await sleep(10)
    expect(used()).toBe(0)
    await guardedTake({ counter: slow(5), counterTimeoutMs: 5000 }, 'a', limits, 3)
    await sleep(20)
    expect(used()).toBe(3)
  })

  it.each([
    undefined,
    null,
    true,
    {},
    { taken: 'yes', readings: [reading] },
    { taken: true },
    { taken: true, readings: [] },
    { taken: true, readings: [reading, reading] },
    { taken: true, readings: [undefined] },
    { taken: true, readings: [{ ...reading, used: NaN }] },
    { taken: true, readings: [{ ...reading, remaining: -1 }] },
    { taken: true, readings: [{ ...reading, resetMs: Infinity }] },
    { taken: true, readings: [{ ...reading, used: '1' }] },
    { taken: true, readings: [{ ...reading, waitMs: undefined }] },
    { taken: true, readings: [{ ...reading, waitMs: NaN }] },
  ])('makes an outage of %j', async (nonsense) => {
    expect(caught(() => takeThrough(() => nonsense))).toEqual(outage)
    await expect(takeThrough(async () => nonsense)).rejects.toEqual(outage)
  })
})

function caught(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
