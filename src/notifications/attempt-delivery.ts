import type { AuditEntry } from '../contracts/model.js'
import type { Follower } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import { deadline } from '../runtime/deadline.js'
import { DeliveryFailure, failureOf } from './delivery-failure.js'
import type { FollowerEvent } from './follower-events.js'
import type { CheckedFollowerOptions } from './follower-options.js'
import { attemptsAt, doneWith, failedWith } from './follower-record.js'
import { entryOf } from './log-reader.js'

export interface Delivery {
  readonly deliver: (entry: AuditEntry, signal: AbortSignal) => Promise<unknown>
}

/** What `deliver` resolves to where there was nothing to be sent. */
export const skipped = Symbol('skipped')

type Unnamed<Event> = Event extends unknown ? Omit<Event, 'follower'> : never

/** What was tried, and how the record has to read afterwards. */
interface Attempted {
  readonly record: Follower
  readonly event: Unnamed<Exclude<FollowerEvent, { kind: 'unavailable' | 'ahead' }>>
}

/** Throws what the store throws, and nothing of a delivery. */
export async function attemptDelivery(
  store: ContractStore,
  { deliver }: Delivery,
  record: Follower,
  entry: string,
  { timeoutMs, attempts: mostAttempts }: CheckedFollowerOptions,
): Promise<Attempted> {
  try {
    const found = await entryOf(store, entry)
    const result = await inTime(timeoutMs, (signal) => deliver(found, signal))
    if (result === skipped) return { record: doneWith(record, entry), event: { kind: 'skipped', entry } }
  } catch (error) {
    const failure = failureOf(error)
    const { record: after, attempts, retryInMs } = failedWith(record, entry, failure, mostAttempts)
    const told = { entry, attempts, reason: failure.reason }
    if (retryInMs === undefined) return { record: after, event: { kind: 'failed', ...told } }
    return { record: after, event: { kind: 'retrying', ...told, retryInMs } }
  }
  const attempts = attemptsAt(record, entry) + 1
  return { record: doneWith(record, entry), event: { kind: 'delivered', entry, attempts } }
}

/** What is late may still arrive: nobody can call back a mail. */
async function inTime(timeoutMs: number, deliver: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const given = new AbortController()
  const work = (async () => deliver(given.signal))()
  try {
    return await deadline(work, timeoutMs, () => new DeliveryFailure('TIMEOUT'))
  } finally {
    given.abort()
  }
}
