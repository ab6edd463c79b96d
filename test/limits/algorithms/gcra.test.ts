import { describe, expect, it } from 'vitest'
import { gcra } from '../../../src/limits/algorithms/gcra.js'
import { driven } from './drive.js'

/** Eight a second, four at once. */
const one = () => driven(gcra, { key: 'k', requests: 8, windowMs: 1024, burst: 4, algorithm: 'gcra' })

describe('gcra', () => {
  it('lets the burst through at once and the rest at the rate', () => {
    const limit = one()
    const passed: number[] = []
    for (let nowMs = 0; nowMs < 1024; nowMs += 1) if (limit.take(nowMs) !== undefined) passed.push(nowMs)
    expect(passed).toEqual([0, 1, 2, 3, 128, 256, 384, 512, 640, 768, 896])
  })

  it('reads what stands in the bucket, when it is empty, and when the same has room', () => {
    const limit = one()
    limit.take(0, 4)
    expect(limit.read(64, 2)).toEqual({ used: 3.5, remaining: 0.5, resetMs: 448, waitMs: 192 })
    expect(limit.read(512)).toEqual({ used: 0, remaining: 4, resetMs: 0, waitMs: 0 })
    expect(limit.read(0, 5).waitMs).toBe(Infinity)
    expect(limit.endsAtMs()).toBe(512)
  })

  it('keeps what was charged when the rate changes', () => {
    const limit = one()
    limit.take(0, 4)
    expect(gcra.read(limit.cells, 1, { ...limit.limit, requests: 16, burst: 8 }, 0, 1)).toMatchObject({
      used: 4,
      remaining: 4,
      resetMs: 256,
    })
  })

  it('gives all of it back while the bucket has stayed half full', () => {
    const limit = one()
    limit.take(0, 3)
    const mark = limit.take(0)
    limit.giveBack(128, mark)
    expect(limit.used(128)).toBe(2)
    expect(limit.othersUntouched()).toBe(true)
  })

  it('does not give back what has run off', () => {
    const limit = one()
    const mark = limit.take(0, 2)
    limit.take(256, 2)
    limit.giveBack(256, mark, 2)
    expect(limit.used(256)).toBe(2)
  })

  it('gives back what cannot have run off yet', () => {
    const limit = one()
    const mark = limit.take(0, 1)
    limit.giveBack(64, mark)
    expect(limit.used(64)).toBe(0)
    limit.take(1000, 1)
    expect(limit.used(1064)).toBe(0.5)
  })
})
