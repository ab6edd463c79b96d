import { describe, expect, it } from 'vitest'
import { concurrent } from '../../../src/limits/algorithms/concurrent.js'
import { driven } from './drive.js'

const one = () => driven(concurrent, { key: 'k', requests: 2, maxAgeMs: 1000, algorithm: 'concurrent' })

describe('concurrent', () => {
  it('counts requests that are going on, each as one', () => {
    const limit = one()
    const first = limit.take(0, 50)
    limit.take(0, 0)
    expect([limit.used(0), limit.take(10)]).toEqual([2, undefined])
    limit.giveBack(20, first, 0)
    expect([limit.used(20), limit.take(20)]).toEqual([1, 20])
    expect(limit.othersUntouched()).toBe(true)
  })

  it('takes a place away at the maximum age, and not before', () => {
    const limit = one()
    const first = limit.take(0)
    limit.take(500)
    expect([limit.take(999), limit.take(1000), limit.take(1000)]).toEqual([undefined, 1000, undefined])
    // Its own place is gone; nobody else's may be freed for it.
    limit.giveBack(1001, first)
    expect(limit.used(1001)).toBe(2)
    expect(limit.endsAtMs()).toBe(2000)
  })

  it('frees one of two that began together', () => {
    const limit = one()
    const marks = [limit.take(5), limit.take(5)]
    limit.giveBack(6, marks[1])
    expect(limit.used(6)).toBe(1)
    limit.giveBack(6, marks[0])
    expect(limit.used(6)).toBe(0)
  })

  it('tells nobody when a place comes free', () => {
    const limit = one()
    expect(limit.read(0)).toEqual({ used: 0, remaining: 2, resetMs: 0, waitMs: 0 })
    limit.take(0)
    limit.take(0)
    expect(limit.read(0)).toEqual({ used: 2, remaining: 0, resetMs: 0, waitMs: 1 })
  })

  it('keeps no list of what is over', () => {
    const limit = one()
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1000) limit.take(nowMs)
    expect(limit.cells.lists?.[0]).toHaveLength(1)
  })
})
