import { describe, expect, it } from 'vitest'
import { retryAfterSeconds } from '../../src/http/retry-after.js'

describe('retryAfterSeconds', () => {
  it.each([
    [0, 1, 2],
    [0.4, 1, 2],
    [9.2, 10, 11],
    [60, 60, 66],
    [86_400, 86_400, 86_460],
  ])('for %s s is never before, whole, and spread', (seconds, earliest, latest) => {
    const drawn = new Set(Array.from({ length: 5000 }, () => retryAfterSeconds(seconds)))
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([earliest, latest])
    expect(drawn.size).toBe(latest - earliest + 1)
  })
})
