import { warn } from '../runtime/warn.js'

/** What becomes of deliveries, for logs and alarms. Holds no address and nothing of what was sent. */
export type FollowerEvent =
  | { readonly kind: 'delivered'; readonly follower: string; readonly entry: string; readonly attempts: number }
  /** Nobody was to be told: nothing to say, no address, or a template without a mail. */
  | { readonly kind: 'skipped'; readonly follower: string; readonly entry: string }
  /** Will be tried again. */
  | {
      readonly kind: 'retrying'
      readonly follower: string
      readonly entry: string
      readonly attempts: number
      readonly retryInMs: number
      readonly reason: string
    }
  /** Was given up and is listed as failed. */
  | {
      readonly kind: 'failed'
      readonly follower: string
      readonly entry: string
      readonly attempts: number
      readonly reason: string
    }
  /** It had come to `after`, and the log ends at `head`, as in a restored store. Gets nothing until `beginAgain()`. */
  | { readonly kind: 'ahead'; readonly follower: string; readonly after: string; readonly head: string }
  /** The contract store does not answer, so nothing is known of what is to be delivered. */
  | { readonly kind: 'unavailable'; readonly follower: string; readonly reason: string }

export function warnOf({ kind, follower, ...event }: FollowerEvent): void {
  const reason = 'reason' in event ? event.reason : ''
  if (kind === 'failed') warn(`A delivery of ${follower} was given up (${reason}): see deliveries().`)
  if (kind === 'ahead') warn(`${follower} has come further than the audit log goes: see beginAgain().`)
  if (kind === 'unavailable') warn(`What ${follower} has to deliver cannot be read (${reason}).`)
}
