import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { checkRecord, parseInput } from '../check-record.js'
import { followerOfWebhook, newFollower } from '../new-follower.js'
import type { LifecycleStep } from '../model.js'
import type { Webhook } from '../notification-model.js'
import { mostWebhookKeys, webhookEvents, webhookUrl } from '../notification-schemas.js'
import type { Shape } from '../schema-shape.js'
import { id } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { entryNumbered, headKey } from './audit-chain.js'
import { commitDecided } from './audit-log.js'
import { randomId } from './clients.js'
import { firstVersion, found, inputShape, stamp, stepOn, type LifecycleInput } from './common.js'
import { edited, replace, withoutUndefined } from './common.js'
import { newWebhookKey, sealingKeysSchema } from './webhook-keys.js'

interface WithSealingKeys {
  /** What keys are sealed under in the store: 32 bytes as base64url or hex, from the environment. The first seals. */
  readonly sealingKeys: string | readonly string[]
}

export interface AddWebhookInput extends Omit<LifecycleInput, 'version'>, WithSealingKeys {
  readonly url: string
  /** @default every step */
  readonly events?: readonly LifecycleStep[]
  /** Lets the address be `http:`: everybody on the way reads what is sent. @default false */
  readonly allowHttp?: boolean
}

/** A webhook, and a key of it. */
export interface KeyedWebhook {
  readonly webhook: Webhook
  /** What the receiver checks signatures by. It is kept sealed and cannot be shown again. */
  readonly key: string
}

export interface RotateWebhookKeyInput extends LifecycleInput, WithSealingKeys {
  readonly webhook: string
  /** How long the old keys sign beside the new one. 0: they end at once. */
  readonly overlapSeconds: number
}

const maximumOverlapSeconds = 366 * 86_400

const addInput = z.strictObject({
  actor: inputShape.actor,
  url: webhookUrl,
  events: webhookEvents.optional(),
  allowHttp: z.boolean().optional(),
  sealingKeys: sealingKeysSchema,
} satisfies Shape<AddWebhookInput>)

const rotateInput = z.strictObject({
  ...inputShape,
  webhook: id,
  overlapSeconds: z.number().min(0).max(maximumOverlapSeconds),
  sealingKeys: sealingKeysSchema,
} satisfies Shape<RotateWebhookKeyInput>)

/**
 * Has a receiver be told of each step from now on, by `sendWebhooks`. The key is in the answer and, sealed, in the
 * store.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, and `ERR_CLIENTELE_OPTIONS` for sealing keys that are none
 */
export async function addWebhook(store: ContractStore, input: AddWebhookInput): Promise<KeyedWebhook> {
  const checked = parseInput('addWebhook()', addInput, input)
  const { url, events, actor, sealingKeys, allowHttp = false } = checked
  const stamped = stamp({ actor })
  const webhookId = randomId()
  const { text, stored } = newWebhookKey(webhookId, sealingKeys)
  const members = { url: checkedUrl(url, allowHttp), events, state: 'active', keys: [stored] }
  const record = { id: webhookId, version: firstVersion(), ...members, createdAt: stamped.updatedAt, ...stamped }
  const webhook = checkRecord('webhook', withoutUndefined(record))
  return commitDecided(store, async () => {
    const head = await store.find('audit-head', headKey)
    // After the entry of this very step: a receiver is not told that it is told.
    const follower = newFollower(followerOfWebhook(webhook.id), entryNumbered((head?.version ?? 0) + 1))
    const changes: Change[] = [
      { kind: 'webhook', key: { id: webhook.id }, expect: null, value: webhook },
      { kind: 'follower', key: { name: follower.name }, expect: null, value: follower },
    ]
    return { changes, steps: [stepOn('webhook', webhook, 'addWebhook')], result: { webhook, key: text } }
  })
}

function checkedUrl(text: string, allowHttp: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const protocols = allowHttp ? ['https:', 'http:'] : ['https:']
  if (url === undefined || !protocols.includes(url.protocol)) {
    throw invalid(`url: expected an absolute URL that begins with ${protocols.join(' or ')}//`)
  }
  if (url.username !== '' || url.password !== '') throw invalid('url: a user or password in it would be sent to no use')
  if (url.hash !== '') throw invalid('url: what follows # is never sent; leave it out')
  return url.href
}

function invalid(message: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_INVALID', `addWebhook(): ${message}`)
}

/**
 * Gives a webhook a new key. Until the old ones end, what is sent is signed with each.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, and `_OPTIONS` for sealing keys that are none
 */
export async function rotateWebhookKey(store: ContractStore, input: RotateWebhookKeyInput): Promise<KeyedWebhook> {
  const checked = parseInput('rotateWebhookKey()', rotateInput, input)
  const { webhook: webhookId, version, overlapSeconds, sealingKeys } = checked
  const before = await found(store, 'webhook', { id: webhookId }, version)
  const { text, stored } = newWebhookKey(webhookId, sealingKeys)
  const end = new Date(Date.now() + overlapSeconds * 1000).toISOString()
  const old = before.keys
    .map((key) => ({ ...key, endsAt: key.endsAt !== undefined && key.endsAt < end ? key.endsAt : end }))
    .filter(({ endsAt }) => Date.parse(endsAt) > Date.now())
  const keys = [...old.slice(1 - mostWebhookKeys), stored]
  const after = edited('webhook', before, checked, { keys })
  return { webhook: await replace(store, 'webhook', before, after, { step: 'rotateWebhookKey' }), key: text }
}
