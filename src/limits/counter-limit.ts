import { limitKey, type Limit } from '../decisions/limit.js'
import type { CounterLimit } from './counter.js'

/** A limit in the words of counters. Every kind has its members in one order, which keeps the warm path fast. */
export function counterLimitOf(limit: Limit): CounterLimit {
  const { algorithm, requests } = limit
  const key = limitKey(limit)
  switch (algorithm) {
    case 'calendar':
      return { key, requests, algorithm, unit: limit.unit, timeZone: limit.timeZone }
    case 'gcra':
      return { key, requests, algorithm, windowMs: milliseconds(limit.windowSeconds), burst: limit.burst }
    case 'concurrent':
      return { key, requests, algorithm, maxAgeMs: milliseconds(limit.maxAgeSeconds) }
    case 'fixed':
    case 'sliding':
      return { key, requests, algorithm, windowMs: milliseconds(limit.windowSeconds) }
  }
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000)
}
