import { describe, expect, it } from 'vitest'
import { fixed } from '../../src/limits/algorithms/fixed.js'
import type { CounterLimit } from '../../src/limits/counter.js'

const limit: CounterLimit = { key: 'fixed:1000', requests: 5, windowMs: 1000, algorithm: 'fixed' }

describe('fixed', () => {
  it('starts its window at the first charge, also at a charge of 0', () => {
    const cells = [...fixed.empty]
    expect(fixed.used(cells, 0, limit, 50)).toBe(0)
    expect(fixed.endsAtMs(cells, 0, limit)).toBe(-Infinity)
    fixed.charge(cells, 0, limit, 50, 0)
    expect(fixed.endsAtMs(cells, 0, limit)).toBe(1050)
    fixed.charge(cells, 0, limit, 900, 2)
    expect([fixed.used(cells, 0, limit, 1049), fixed.used(cells, 0, limit, 1050)]).toEqual([2, 0])
    fixed.charge(cells, 0, limit, 2000, 1)
    expect([fixed.used(cells, 0, limit, 2999), fixed.endsAtMs(cells, 0, limit)]).toEqual([1, 3000])
  })

  it('gives back into the window of that moment alone', () => {
    const cells = [...fixed.empty]
    fixed.charge(cells, 0, limit, 0, 3)
    fixed.charge(cells, 0, limit, 1000, 4)
    fixed.giveBack(cells, 0, 0, 3)
    expect(fixed.used(cells, 0, limit, 1000)).toBe(4)
    fixed.giveBack(cells, 0, 1000, 3)
    expect(fixed.used(cells, 0, limit, 1000)).toBe(1)
  })

  it('touches no cells but its own', () => {
    const cells = [7, 7, ...fixed.empty, 7, 7]
    fixed.charge(cells, 2, limit, 10, 3)
    fixed.giveBack(cells, 2, 10, 1)
    expect(cells).toEqual([7, 7, 10, 2, 7, 7])
  })
})
