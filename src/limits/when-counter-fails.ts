import { AdmittingCharging, RefusingCharging, type Charging } from './charging.js'
import type { GuardedCounter } from './guarded-take.js'
import { localUseOf, ShareCharging } from './share-charging.js'

/**
 * What becomes of requests when the counter does not answer:
 * - `refuse`: 503, since whether there is room cannot be told;
 * - `admit`: they pass uncounted;
 * - `localShare`: this process goes on with its part of each limit, one of `processes`, and makes up for it with the
 *   counter afterwards.
 */
export type WhenCounterFails = 'refuse' | 'admit' | { readonly localShare: { readonly processes: number } }

export function charging(guarded: GuardedCounter, when: WhenCounterFails): Charging {
  if (when === 'refuse') return new RefusingCharging(guarded)
  if (when === 'admit') return new AdmittingCharging(guarded)
  return new ShareCharging(guarded, localUseOf(guarded.counter), when.localShare.processes)
}
