import { z } from 'zod'
import { disableWebhook } from '../contracts/lifecycle/webhook-state.js'
import { openWebhookKey, sealingKeysSchema } from '../contracts/lifecycle/webhook-keys.js'
import type { AuditEntry } from '../contracts/model.js'
import type { Webhook } from '../contracts/notification-model.js'
import type { ContractStore } from '../contracts/store.js'
import { createSealing, type Sealing } from '../runtime/sealing.js'
import { DeliveryFailure } from './delivery-failure.js'
import type { LifecycleFollower } from './follow-lifecycle.js'
import { checkFollower, followerShape, type FollowerOptions } from './follower-options.js'
import { postWebhook, resolveBySystem, type WebhookReach } from './webhook-request.js'
import { WebhookRuns } from './webhook-runs.js'
import { signatureOf } from './webhook-signature.js'

export interface SendWebhooksOptions extends FollowerOptions {
  /** What webhook keys are sealed under, from the environment: all those that any of them was sealed with. */
  readonly sealingKeys: string | readonly string[]
  /** Sends to `http:` addresses too. @default false */
  readonly allowHttp?: boolean
  /** Sends into networks of one's own too: to whatever answers there. @default false */
  readonly allowPrivate?: boolean
  /** The certificates, as PEM, that receivers of a company of one's own are known by. @default those of Node */
  readonly ca?: string
  /** The addresses of a name. @default as the system does */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

const optionsSchema = z.strictObject({
  ...followerShape,
  sealingKeys: sealingKeysSchema,
  allowHttp: z.boolean().default(false),
  allowPrivate: z.boolean().default(false),
  ca: z.string().min(1).optional(),
  resolve: z.custom<WebhookReach['resolve']>(isFunction, 'expected a function').default(() => resolveBySystem),
})

/**
 * Posts each step to the webhooks that `addWebhook` has put into the store, signed as the Standard Webhooks
 * specification says. Each has a place of its own in the log: one that is slow or away holds up itself alone. Nothing
 * goes to a private address or follows a redirect. A message comes again under the same ID until it is answered with a
 * 2xx; a 410 disables its webhook.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function sendWebhooks(store: ContractStore, options: SendWebhooksOptions): LifecycleFollower {
  const { sealingKeys, allowHttp, allowPrivate, resolve, ca, ...rest } = checkFollower(
    'sendWebhooks()',
    optionsSchema,
    store,
    options,
  )
  const sealing = createSealing(sealingKeys)
  const reach = { allowHttp, allowPrivate, resolve, ca }
  const deliver = (id: string, entry: AuditEntry, signal: AbortSignal): Promise<void> =>
    send({ store, sealing, reach }, id, entry, signal)
  return new WebhookRuns(store, deliver, rest)
}

interface Sender {
  readonly store: ContractStore
  readonly sealing: Sealing
  readonly reach: WebhookReach
}

async function send(
  { store, sealing, reach }: Sender,
  id: string,
  entry: AuditEntry,
  signal: AbortSignal,
): Promise<void> {
  const webhook = await store.find('webhook', { id })
  if (webhook?.state !== 'active') throw new DeliveryFailure('DISABLED')
  const body = bodyOf(entry)
  const messageId = `msg_${webhook.id}_${entry.entry}_${entry.hash.slice(0, 16)}`
  const headers = headersOf(keysOf(sealing, webhook), messageId, body)
  const status = await postWebhook({ url: webhook.url, headers, body, signal }, reach)
  if (status >= 200 && status < 300) return
  if (status === 410) await disableWebhook(store, { webhook: id, actor: 'clientele', reason: 'HTTP 410' })
  throw new DeliveryFailure(`HTTP_${status}`, { about: status === 410 ? 'for good' : 'everything' })
}

function headersOf(keys: readonly string[], id: string, body: string): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000)
  return {
    'content-type': 'application/json',
    'user-agent': 'clientele',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': keys.map((key) => signatureOf(key, id, timestamp, body)).join(' '),
  }
}

function keysOf(sealing: Sealing, { id, keys }: Webhook): string[] {
  const now = Date.now()
  const good = keys.filter(({ endsAt }) => endsAt === undefined || Date.parse(endsAt) > now)
  try {
    return good.map((key) => openWebhookKey(sealing, id, key))
  } catch {
    throw new DeliveryFailure('KEY_SEALED')
  }
}

/** Without the chain: only who has the whole log can make something of it. */
function bodyOf({ step, at, version: _version, previous: _previous, hash: _hash, ...data }: AuditEntry): string {
  return JSON.stringify({ type: step, timestamp: at, data })
}
