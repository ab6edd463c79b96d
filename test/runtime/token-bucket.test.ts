import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TokenBucket } from '../../src/runtime/token-bucket.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('TokenBucket', () => {
  it('gives its burst at once, then one each refill', () => {
    const bucket = new TokenBucket(3, 1000)
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false])
    expect(bucket.waitMs()).toBe(1000)
    vi.advanceTimersByTime(999)
    expect([bucket.take(), bucket.waitMs()]).toEqual([false, 1])
    vi.advanceTimersByTime(1)
    expect([bucket.take(), bucket.take()]).toEqual([true, false])
  })

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket(2, 1000)
    bucket.take()
    vi.advanceTimersByTime(1_000_000)
    expect([1, 2, 3].map(() => bucket.take())).toEqual([true, true, false])
  })
})
