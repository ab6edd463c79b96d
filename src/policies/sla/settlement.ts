import type { MaybePromise } from '../../decisions/maybe-promise.js'
import type { Outcome } from '../../decisions/policy.js'
import type { Charging } from '../../limits/charging.js'
import { checkedCost } from './cost.js'

/** Which answers count, by their status: all, those under 400, those of 400 and above, or those that are listed. */
export type Count = 'all' | 'successes' | 'failures' | readonly number[]

/** What a request came to: what a function makes of its outcome, or what the handler says with `setActualCost()`. */
export type ActualCost = 'handler' | ((outcome: Outcome) => number)

export interface Correction {
  readonly count: Count
  readonly actualCost?: ActualCost | undefined
}

export function corrects({ count, actualCost }: Correction): boolean {
  return count !== 'all' || actualCost !== undefined
}

/** A charge that stands until its request is over. */
export interface OpenCharge {
  readonly charging: Charging
  readonly receipt: unknown
  readonly cost: number
}

/**
 * Puts a charge right when its request is over: once, into the windows that were charged, and never to more than was
 * charged. `cost` is what a request may come to at the most: a limit that was kept when it was let in is not broken
 * afterwards.
 */
export function settleCharge(
  policy: string,
  correction: Correction,
  { charging, receipt, cost }: OpenCharge,
  outcome: Outcome,
): MaybePromise<void> {
  let actual: number
  try {
    actual = actualCostOf(policy, correction, cost, outcome)
  } catch (error) {
    // Nobody can say what it came to: the charge stays as it is, but its place is free.
    Promise.resolve(charging.giveBack(receipt, 0)).catch(() => undefined)
    throw error
  }
  return charging.giveBack(receipt, Math.max(0, cost - actual))
}

function actualCostOf(policy: string, { count, actualCost }: Correction, cost: number, outcome: Outcome): number {
  // An answer that was broken off counts: otherwise hanging up would make requests free.
  if (!outcome.aborted && !counts(count, outcome.status)) return 0
  if (actualCost === undefined) return cost
  if (actualCost === 'handler') return outcome.actualCost ?? cost
  return checkedCost(`actualCost of ${policy}()`, actualCost(outcome))
}

function counts(count: Count, status: number): boolean {
  if (count === 'all') return true
  if (count === 'successes') return status < 400
  return count === 'failures' ? status >= 400 : count.includes(status)
}
