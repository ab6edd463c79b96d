import { describe, expect, it } from 'vitest'
import { counterLimitOf } from '../../../src/limits/counter-limit.js'
import { memoryCounter } from '../../../src/limits/memory-counter.js'
import type { Limit } from '../../../src/decisions/limit.js'

/** How many of so many requests pass at moments of a clock. */
function passing(limit: Limit, comers: readonly (readonly [atMs: number, requests: number])[]): number[] {
  let nowMs = 0
  const counter = memoryCounter({ clock: () => nowMs })
  const limits = [counterLimitOf(limit)]
  return comers.map(([atMs, requests]) => {
    nowMs = atMs
    return Array.from({ length: requests }, () => counter.take('acme', limits, 1)).filter(({ taken }) => taken).length
  })
}

// As docs/explanation/limits.md tells them.
describe('the worked example of', () => {
  it('gcra lets the burst in at once, and then the rate', () => {
    const limit = { algorithm: 'gcra', requests: 10, windowSeconds: 1, burst: 20 } as const
    const comers = [[0, 25], [100, 1], [1100, 15]] as const // prettier-ignore
    expect(passing(limit, comers)).toEqual([20, 1, 10])
  })

  it('sliding frees the share of the cell before that has left the window', () => {
    const limit = { algorithm: 'sliding', requests: 10, windowSeconds: 60 } as const
    for (const [second, room] of [[59, 0], [60, 0], [66, 1], [90, 5], [120, 10]] as const) // prettier-ignore
      expect(passing(limit, [[0, 10], [second * 1000, 12]])).toEqual([10, room]) // prettier-ignore
  })
})
