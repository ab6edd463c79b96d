import { describe, expect, it } from 'vitest'
import { sliding } from '../../../src/limits/algorithms/sliding.js'
import { driven } from './drive.js'

const one = (requests = 10) => driven(sliding, { key: 'k', requests, windowMs: 1000, algorithm: 'sliding' })

describe('sliding', () => {
  it('lets what was charged slide out evenly while the next cell runs', () => {
    const limit = one()
    limit.take(0, 8)
    expect([0, 999, 1000, 1500, 1875, 2000].map(limit.used)).toEqual([8, 8, 8, 4, 1, 0])
    limit.take(1500, 6)
    expect([1500, 1750, 2000, 2500, 3000].map(limit.used)).toEqual([10, 8, 6, 3, 0])
  })

  it('forgets both cells when nobody came for two windows', () => {
    const limit = one()
    limit.take(0, 8)
    limit.take(1000, 1)
    limit.take(3000, 1)
    expect([limit.used(3000), limit.endsAtMs()]).toEqual([1, 5000])
  })

  it('has no burst of two limits where one window meets the next', () => {
    const limit = one()
    limit.take(0, 0)
    limit.take(999, 10)
    expect(limit.take(1000)).toBeUndefined()
    expect([limit.take(1100), limit.take(1100)]).toEqual([1000, undefined])
  })

  it.each([
    ['in this cell', 1000, 4],
    ['in the next', 1400, 9],
  ])('says when the same has room again: %s', (_where, nowMs, cost) => {
    const limit = one()
    limit.take(0, 8)
    limit.take(1000, 2)
    const { waitMs } = limit.read(nowMs, cost)
    expect(waitMs).toBeGreaterThan(0)
    const moment = nowMs + waitMs
    expect([limit.take(moment - 1, cost), limit.take(moment + 0.001, cost) !== undefined]).toEqual([undefined, true])
  })

  it('gives back into the cell that was charged, the one that runs and the one before', () => {
    const limit = one()
    const first = limit.take(0, 4)
    const second = limit.take(1000, 4)
    limit.giveBack(1500, first, 4)
    expect(limit.used(1500)).toBe(4)
    limit.giveBack(1500, second, 1)
    expect(limit.used(1500)).toBe(3)
    const third = limit.take(3500, 2)
    limit.giveBack(3500, second, 3)
    limit.giveBack(3500, first, 3)
    expect(limit.used(3500)).toBe(2)
    limit.giveBack(3600, third, 2)
    expect(limit.used(3600)).toBe(0)
    expect(limit.othersUntouched()).toBe(true)
  })
})
