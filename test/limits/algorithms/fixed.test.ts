import { describe, expect, it } from 'vitest'
import { fixed } from '../../../src/limits/algorithms/fixed.js'
import { driven } from './drive.js'

const one = () => driven(fixed, { key: 'k', requests: 5, windowMs: 1000, algorithm: 'fixed' })

describe('fixed', () => {
  it('starts its window at the first charge, also at a charge of 0', () => {
    const limit = one()
    expect([limit.used(50), limit.endsAtMs()]).toEqual([0, -Infinity])
    limit.take(50, 0)
    expect(limit.endsAtMs()).toBe(1050)
    limit.take(900, 2)
    expect([limit.used(1049), limit.used(1050)]).toEqual([2, 0])
    limit.take(2000)
    expect([limit.used(2999), limit.endsAtMs()]).toEqual([1, 3000])
  })

  it('says when the same has room again', () => {
    const limit = one()
    limit.take(0, 3)
    expect(limit.read(400, 2)).toEqual({ used: 3, remaining: 2, resetMs: 600, waitMs: 0 })
    expect(limit.read(400, 3)).toMatchObject({ waitMs: 600 })
    expect(limit.read(400, 6)).toMatchObject({ waitMs: Infinity })
  })

  it('gives back into the window of that charge alone', () => {
    const limit = one()
    const first = limit.take(0, 3)
    const second = limit.take(1000, 4)
    limit.giveBack(1000, first, 3)
    expect(limit.used(1000)).toBe(4)
    limit.giveBack(1000, second, 3)
    expect(limit.used(1000)).toBe(1)
    expect(limit.othersUntouched()).toBe(true)
  })
})
