import { everyRecord } from '../contracts/every-record.js'
import type { Follower } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import { headOf } from './log-reader.js'

/** How far one follower has come: `mail/owner`, `mail/admins`, `webhook/…`, or one of your own. */
export interface DeliveryState extends Pick<Follower, 'name' | 'after' | 'retrying' | 'failed'> {
  /** Entries of the audit log that it has not looked at. Those that nobody wants are written off now and then. */
  readonly behind: number
  /** So far beyond the end of the log, as in a store that was restored: above 0 it gets nothing until `beginAgain()`. */
  readonly ahead: number
}

/** For people and alarms: what waits, what is tried again, and what was given up. */
export async function deliveries(store: ContractStore): Promise<DeliveryState[]> {
  const head = Number(await headOf(store))
  const states: DeliveryState[] = []
  for await (const { name, after, retrying, failed } of everyRecord<'follower'>(store, { kind: 'follower' })) {
    const distance = head - Number(after)
    states.push({ name, after, retrying, failed, behind: Math.max(0, distance), ahead: Math.max(0, -distance) })
  }
  return states
}
