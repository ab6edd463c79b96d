import { z } from 'zod'
import { lifecycleSteps } from './model.js'
import type { FailedDelivery, Follower, Retrying, Webhook, WebhookKey } from './notification-model.js'
import type { Shape } from './schema-shape.js'
import { actor, entry, id, instant, version } from './schema-words.js'

export const mostRetrying = 50
export const mostFailed = 100
const reason = z.string().regex(/^[A-Za-z0-9_]{1,64}$/, 'expected one word')
const attempts = z.int().min(1).max(1000)

const retrying = z.strictObject({
  entry,
  attempts,
  retryAt: instant,
  reason,
  holds: z.boolean(),
} satisfies Shape<Retrying>)

const failed = z.strictObject({
  entry,
  at: instant,
  attempts,
  reason,
} satisfies Shape<FailedDelivery>)

export const follower = z.strictObject({
  name: id,
  version,
  after: entry,
  claim: z.strictObject({ by: id, forMs: z.int().min(1000).max(3_600_000) }).optional(),
  retrying: z.array(retrying).max(mostRetrying),
  failed: z.array(failed).max(mostFailed),
} satisfies Shape<Follower>) satisfies z.ZodType<Follower>

/** Checked more closely where a webhook is added, and again before anything is sent. */
export const webhookUrl = z.string().min(1).max(2048)
export const webhookEvents = z.array(z.enum(lifecycleSteps)).min(1).max(lifecycleSteps.length)
export const mostWebhookKeys = 5

const webhookKey = z.strictObject({
  id,
  sealed: z.string().min(1).max(1024),
  createdAt: instant,
  endsAt: instant.optional(),
} satisfies Shape<WebhookKey>)

export const webhook = z.strictObject({
  id,
  version,
  url: webhookUrl,
  events: webhookEvents.optional(),
  state: z.enum(['active', 'disabled']),
  keys: z.array(webhookKey).min(1).max(mostWebhookKeys),
  createdAt: instant,
  updatedAt: instant,
  updatedBy: actor,
} satisfies Shape<Webhook>) satisfies z.ZodType<Webhook>
