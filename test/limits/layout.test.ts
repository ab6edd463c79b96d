import { describe, expect, it } from 'vitest'
import type { CounterLimit } from '../../src/limits/counter.js'
import { firstLayout, layoutAfter } from '../../src/limits/layout.js'

const fixed = (requests: number, windowMs: number): CounterLimit => ({
  ...{ key: `fixed:${windowMs}`, requests, algorithm: 'fixed', windowMs },
})

describe('layouts', () => {
  it('come back to the same ones, for whoever goes back and forth between two lists of the same limits', () => {
    const [one, other] = [[fixed(5, 1000), fixed(9, 2000)], [fixed(2, 2000)]]
    const first = firstLayout(one)
    let layout = first
    for (let turn = 0; turn < 10; turn += 1) layout = layoutAfter(layoutAfter(layout, other), one)
    expect(layout).toBe(first)
  })

  it('keep what was there where it is when a limit is added, and come back to the wider ones', () => {
    const [narrow, wide] = [[fixed(5, 1000)], [fixed(9, 2000), fixed(5, 1000)]]
    const wider = layoutAfter(firstLayout(narrow), wide)
    const back = layoutAfter(wider, narrow)
    expect(wider.places.map(({ key, at }) => [key, at])).toEqual([
      ['fixed:2000', 2],
      ['fixed:1000', 0],
    ])
    expect(back.places.map(({ key, at }) => [key, at])).toEqual([
      ['fixed:1000', 0],
      ['fixed:2000', 2],
    ])
    expect(back.width).toBe(4)
    expect(layoutAfter(back, wide)).toBe(wider)
  })
})
