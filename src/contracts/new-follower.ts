import { checkRecord } from './check-record.js'
import type { Follower } from './notification-model.js'

export function newFollower(name: string, after: string): Follower {
  return checkRecord('follower', { name, version: 1, after, retrying: [], failed: [] })
}

/** In whose name the store keeps how far a webhook has come. */
export function followerOfWebhook(id: string): string {
  return `webhook/${id}`
}
