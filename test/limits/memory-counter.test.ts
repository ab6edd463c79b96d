import { describe, expect, it } from 'vitest'
import type { CounterLimit } from '../../src/limits/counter.js'
import { memoryCounter } from '../../src/limits/memory-counter.js'
import { testCounter } from '../../src/testing/counter.js'

testCounter('memoryCounter', () => memoryCounter(), { describe, it })

function limitOf(requests: number, windowMs: number): CounterLimit {
  return { key: `fixed:${windowMs}`, requests, windowMs, algorithm: 'fixed' }
}

function clockAt(start = 0): { nowMs: number; read: () => number } {
  const clock = { nowMs: start, read: () => clock.nowMs }
  return clock
}

describe('memoryCounter', () => {
  const minute = [limitOf(2, 60_000)]

  it('ends a window to the millisecond, and starts the next at the next request', () => {
    const clock = clockAt(1000)
    const counter = memoryCounter({ clock: clock.read })
    counter.take('a', minute, 2)
    clock.nowMs = 60_999
    expect(counter.take('a', minute, 1).taken).toBe(false)
    clock.nowMs = 61_000
    expect(counter.peek('a', minute)).toEqual([{ used: 0, remaining: 2, resetMs: 0, waitMs: 0 }])
    clock.nowMs = 90_000
    expect(counter.take('a', minute, 1).readings).toEqual([{ used: 1, remaining: 1, resetMs: 60_000, waitMs: 0 }])
  })

  it.each([-1e12, NaN, -Infinity, Infinity])(
    '#32 opens no window when the clock goes back, or says nothing: %s',
    (wrong) => {
      const clock = clockAt(5000)
      const counter = memoryCounter({ clock: clock.read })
      counter.take('a', minute, 2)
      clock.nowMs = wrong
      const { taken, readings } = counter.take('a', minute, 1)
      expect([taken, readings[0]?.resetMs]).toEqual([false, 60_000])
      clock.nowMs = 65_000
      expect(counter.take('a', minute, 1).taken).toBe(true)
    },
  )

  // Attack line 54: eviction.
  it('never forgets a used-up client, whatever else is touched', () => {
    const clock = clockAt()
    const counter = memoryCounter({ maxKeys: 100, clock: clock.read })
    counter.take('victim', minute, 2)
    let refusedNewcomers = 0
    for (let index = 0; index < 10_000; index += 1) {
      clock.nowMs += 1
      try {
        counter.take(`other-${index}`, minute, 1)
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_CLIENTELE_COUNTER', status: 503 })
        refusedNewcomers += 1
      }
    }
    expect(refusedNewcomers).toBe(10_000 - 99)
    expect(counter.take('victim', minute, 1).taken).toBe(false)
    expect(counter.take('other-0', minute, 1).taken).toBe(true)
  })

  it('names maxKeys when it is full, and charges nothing', () => {
    const counter = memoryCounter({ maxKeys: 1 })
    counter.take('a', minute, 1)
    expect(() => counter.take('b', minute, 1)).toThrow(/1 subjects.*maxKeys/)
    expect(counter.peek('b', minute)[0]?.used).toBe(0)
  })

  it('makes room when windows end, at most a second late, however few have', () => {
    const clock = clockAt()
    const counter = memoryCounter({ maxKeys: 10, clock: clock.read })
    for (let index = 0; index < 8; index += 1) counter.take(`a-${index}`, minute, 1)
    for (let index = 8; index < 10; index += 1) counter.take(`a-${index}`, [limitOf(1, 500)], 1)
    expect(() => counter.take('b', minute, 1)).toThrow()
    clock.nowMs = 1000
    expect([counter.take('b', minute, 1).taken, counter.take('c', minute, 1).taken]).toEqual([true, true])
    expect(() => counter.take('d', minute, 1)).toThrow()
  })

  it('refuses a subject that is new and over its limit even when it is full', () => {
    const counter = memoryCounter({ maxKeys: 1 })
    counter.take('a', minute, 1)
    expect(counter.take('b', minute, 3).taken).toBe(false)
  })

  // Attack line 32: a million keys in bounded memory.
  it('#32 stays small while a million subjects pass by', () => {
    const clock = clockAt()
    const counter = memoryCounter({ maxKeys: 2500, clock: clock.read })
    const limits = [limitOf(1, 100)]
    let taken = 0
    for (let index = 0; index < 1_000_000; index += 1) {
      if (index % 1000 === 0) clock.nowMs += 100
      if (counter.take(`s-${index}`, limits, 1).taken) taken += 1
    }
    expect(taken).toBe(1_000_000)
  })

  // Attack line 30, for whoever calls the counter without a checked tier.
  it.each([NaN, undefined, -1, 0, -Infinity])('admits nothing at a limit of %s', (requests) => {
    const counter = memoryCounter()
    expect(counter.take('a', [limitOf(requests as number, 60_000)], 1).taken).toBe(false)
  })

  it('never turns a window whose length is no number', () => {
    const clock = clockAt()
    const counter = memoryCounter({ clock: clock.read })
    const limits = [{ key: 'k', requests: 1, windowMs: NaN, algorithm: 'fixed' as const }]
    expect(counter.take('a', limits, 1).taken).toBe(true)
    clock.nowMs = 1e12
    expect(counter.take('a', limits, 1).taken).toBe(false)
  })

  it.each([{ maxKeys: 0 }, { maxKeys: 1.5 }, { maxKeys: Infinity }, { clock: 5 }, { maxkeys: 5 }])(
    'is not built with %o',
    (options) => {
      expect(() => memoryCounter(options as never)).toThrow(
        expect.objectContaining({ code: 'ERR_CLIENTELE_OPTIONS', message: expect.stringContaining('memoryCounter()') }),
      )
    },
  )
})
