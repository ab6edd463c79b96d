import type { LimitUsage, Usage } from '../decisions/admission.js'
import type { Limit } from '../decisions/limit.js'
import type { Reading } from './counter.js'

/**
 * Readings as people see them: the scarcest limit in front, which is the one with the least left, and among equals
 * the one that takes longest to end. `readings` has one for each of `limits`, and there is at least one.
 */
export function usageFrom(limits: readonly Limit[], readings: readonly Reading[]): Usage {
  const usages: LimitUsage[] = []
  let scarcest: LimitUsage | undefined
  for (let index = 0; index < limits.length; index += 1) {
    const { used, remaining, resetMs, waitMs } = readings[index] as Reading
    const [resetSeconds, waitSeconds] = [resetMs / 1000, waitMs / 1000]
    const usage = Object.freeze({ limit: limits[index] as Limit, used, remaining, resetSeconds, waitSeconds })
    if (scarcest === undefined || isScarcer(usage, scarcest)) scarcest = usage
    usages.push(usage)
  }
  const { limit, used, remaining, resetSeconds, waitSeconds } = scarcest as LimitUsage
  return Object.freeze({ limit, used, remaining, resetSeconds, waitSeconds, limits: Object.freeze(usages) })
}

function isScarcer(usage: LimitUsage, than: LimitUsage): boolean {
  if (usage.remaining !== than.remaining) return usage.remaining < than.remaining
  return usage.resetSeconds > than.resetSeconds
}
