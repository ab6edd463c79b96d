import { checkRecord } from '../contracts/check-record.js'
import type { Follower, Retrying } from '../contracts/notification-model.js'
import { mostFailed, mostRetrying } from '../contracts/notification-schemas.js'
import type { ContractStore } from '../contracts/store.js'
import { backOffMs } from '../runtime/back-off.js'
import type { DeliveryFailure } from './delivery-failure.js'

export const longestBackOffMs = 3_600_000

/** What is to be done about a follower now. */
export type Work =
  | { readonly kind: 'retry'; readonly retrying: Retrying }
  /** Nothing before this moment, not even what is new. */
  | { readonly kind: 'hold'; readonly waitMs: number }
  /** What is new; `waitMs`: until something set aside is due. */
  | { readonly kind: 'new'; readonly waitMs: number }

export function workOf({ retrying }: Follower, now: number): Work {
  const holder = retrying.find(({ holds }) => holds)
  const candidates = holder === undefined ? retrying : [holder]
  const waits = candidates.map((each) => waitOf(each, now))
  const due = candidates.find((_, at) => waits[at] === 0)
  if (due !== undefined) return { kind: 'retry', retrying: due }
  const waitMs = Math.min(Infinity, ...waits)
  return { kind: holder !== undefined || retrying.length >= mostRetrying ? 'hold' : 'new', waitMs }
}

function waitOf({ retryAt }: Retrying, now: number): number {
  const waitMs = Date.parse(retryAt) - now
  // Further away than any back-off: somebody has set a clock.
  return waitMs > longestBackOffMs ? 0 : Math.max(0, waitMs)
}

/** The entry is over, for good or ill: it is neither before nor after us any more. */
export function doneWith(record: Follower, entry: string): Follower {
  const retrying = record.retrying.filter((each) => each.entry !== entry)
  return { ...record, after: later(record.after, entry), retrying }
}

export function failedWith(
  record: Follower,
  entry: string,
  failure: DeliveryFailure,
  mostAttempts: number,
): { readonly record: Follower; readonly attempts: number; readonly retryInMs: number | undefined } {
  const attempts = attemptsAt(record, entry) + 1
  const rest = doneWith(record, entry)
  const now = Date.now()
  const { about, reason } = failure
  if (about === 'for good' || attempts >= mostAttempts) {
    const failed = { entry, at: new Date(now).toISOString(), attempts, reason }
    return { record: { ...rest, failed: [...rest.failed, failed].slice(-mostFailed) }, attempts, retryInMs: undefined }
  }
  const retryInMs = Math.round(backOffMs(attempts, longestBackOffMs))
  const retryAt = new Date(now + retryInMs).toISOString()
  const again = { entry, attempts, retryAt, reason, holds: about === 'everything' }
  const retrying = [...rest.retrying, again].sort((one, other) => (one.entry < other.entry ? -1 : 1))
  return { record: { ...rest, retrying }, attempts, retryInMs }
}

export function attemptsAt({ retrying }: Follower, entry: string): number {
  return retrying.find((each) => each.entry === entry)?.attempts ?? 0
}

export function later(one: string, other: string): string {
  return one > other ? one : other
}

/** Writes what follows from the record that was read; a conflict means that somebody else is at work. */
export async function save(store: ContractStore, before: Follower, next: Follower): Promise<Follower> {
  const value = checkRecord('follower', { ...next, version: before.version + 1 })
  await store.commit([{ kind: 'follower', key: { name: value.name }, expect: before.version, value }])
  return value
}
