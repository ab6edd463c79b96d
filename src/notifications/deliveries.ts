import { everyRecord } from '../contracts/every-record.js'
import type { Follower } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import { headOf } from './log-reader.js'

/** How far one follower has come: `mail/owner`, `mail/admins`, `webhook/…`, or one of your own. */
export interface DeliveryState extends Pick<Follower, 'name' | 'after' | 'retrying' | 'failed'> {
  /** Entries of the audit log that it has not looked at. Those that nobody wants are written off now and then. */
  readonly behind: number
}

/** For people and alarms: what waits, what is tried again, and what was given up. */
export async function deliveries(store: ContractStore): Promise<DeliveryState[]> {
  const head = Number(await headOf(store))
  const states: DeliveryState[] = []
  for await (const { name, after, retrying, failed } of everyRecord<'follower'>(store, { kind: 'follower' })) {
    states.push({ name, after, retrying, failed, behind: Math.max(0, head - Number(after)) })
  }
  return states
}
