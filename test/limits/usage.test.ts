import { describe, expect, it } from 'vitest'
import type { Limit } from '../../src/decisions/limit.js'
import { usageFrom } from '../../src/limits/usage.js'

const perSecond: Limit = { requests: 10, windowSeconds: 1, algorithm: 'fixed' }
const perDay: Limit = { requests: 1000, windowSeconds: 86_400, algorithm: 'fixed' }

describe('usageFrom', () => {
  it('puts the limit with the least left in front', () => {
    const usage = usageFrom(
      [perDay, perSecond],
      [
        { used: 100, remaining: 900, resetMs: 86_000_000, waitMs: 0 },
        { used: 4, remaining: 6, resetMs: 250, waitMs: 0 },
      ],
    )
    expect(usage).toMatchObject({ limit: perSecond, used: 4, remaining: 6, resetSeconds: 0.25 })
    expect(usage.limits.map(({ remaining }) => remaining)).toEqual([900, 6])
  })

  it('puts the longest wait in front among equals', () => {
    const usage = usageFrom(
      [perSecond, perDay],
      [
        { used: 10, remaining: 0, resetMs: 250, waitMs: 0 },
        { used: 1000, remaining: 0, resetMs: 86_000_000, waitMs: 0 },
      ],
    )
    expect(usage.limit).toBe(perDay)
  })

  // Attack line 46: a handler that writes to an admission.
  it('is frozen all through', () => {
    const usage = usageFrom([perDay], [{ used: 1, remaining: 999, resetMs: 1, waitMs: 0 }])
    expect([usage, usage.limits, usage.limits[0]].every((part) => Object.isFrozen(part))).toBe(true)
  })
})
