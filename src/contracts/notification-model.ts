import type { LifecycleStep } from './model.js'

/** Where somebody who is told of each step of the lifecycle stands in the audit log: mails, one webhook, a tool. */
export interface Follower {
  readonly name: string
  readonly version: number
  /** The last entry that was looked at. What follows has not been. */
  readonly after: string
  /** The process that is at work. Whoever sees the same version for `forMs` takes over: no two clocks are compared. */
  readonly claim?: { readonly by: string; readonly forMs: number }
  /** Entries up to `after` that are to be tried again, in their order. */
  readonly retrying: readonly Retrying[]
  /** What was given up, the latest last. Older ones are dropped. */
  readonly failed: readonly FailedDelivery[]
}

export interface Retrying {
  readonly entry: string
  /** How often it was tried. */
  readonly attempts: number
  readonly retryAt: string
  /** Why the last attempt failed: one word, as in `FailedDelivery`. */
  readonly reason: string
  /** The failure is not about this entry alone: nothing else is tried before it. */
  readonly holds: boolean
}

export interface FailedDelivery {
  readonly entry: string
  readonly at: string
  readonly attempts: number
  /** One word: a code of SMTP, a status, what a socket says. */
  readonly reason: string
}

/** Who is told of steps over HTTP. */
export interface Webhook {
  readonly id: string
  readonly version: number
  readonly url: string
  /** Left out: all steps. */
  readonly events?: readonly LifecycleStep[]
  readonly state: 'active' | 'disabled'
  readonly keys: readonly WebhookKey[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy: string
}

/** By what deliveries are signed. It stands sealed in the store, and leaves it in no other form. */
export interface WebhookKey {
  readonly id: string
  readonly sealed: string
  readonly createdAt: string
  /** From here on it signs no more. */
  readonly endsAt?: string
}
