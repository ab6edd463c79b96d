import { z } from 'zod'
import { parseInput } from '../check-record.js'
import { followerOfWebhook } from '../new-follower.js'
import type { Webhook } from '../notification-model.js'
import type { Shape } from '../schema-shape.js'
import { id, longText } from '../schema-words.js'
import type { Change, ContractStore } from '../store.js'
import { commit, isConflict } from './audit-log.js'
import { edited, found, inputShape, replace, stateFault, type LifecycleInput } from './common.js'

export interface WebhookInput extends LifecycleInput {
  readonly webhook: string
  readonly reason?: string
}

const webhookInput = z.strictObject({
  ...inputShape,
  webhook: id,
  reason: longText.optional(),
} satisfies Shape<WebhookInput>)

/**
 * Stops telling a receiver. What happens meanwhile is sent when it is enabled again.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE` where it is disabled already
 */
export function disableWebhook(store: ContractStore, input: WebhookInput): Promise<Webhook> {
  return move(store, 'disableWebhook', 'disabled', input)
}

/**
 * Goes on telling a receiver, from where it was left.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`, `_STATE` where it is active already
 */
export function enableWebhook(store: ContractStore, input: WebhookInput): Promise<Webhook> {
  return move(store, 'enableWebhook', 'active', input)
}

async function move(
  store: ContractStore,
  step: 'disableWebhook' | 'enableWebhook',
  state: Webhook['state'],
  input: WebhookInput,
): Promise<Webhook> {
  const checked = parseInput(`${step}()`, webhookInput, input)
  const before = await found(store, 'webhook', { id: checked.webhook }, checked.version)
  if (before.state === state) throw stateFault(`The webhook is ${state} already.`)
  const details = checked.reason === undefined ? {} : { reason: checked.reason }
  return replace(store, 'webhook', before, edited('webhook', before, checked, { state }), { step, details })
}

const mostAttempts = 20

/**
 * Ends a webhook, with its keys and all that it had not been told.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID`, `_NOT_FOUND`, `_CONFLICT`
 */
export async function removeWebhook(store: ContractStore, input: WebhookInput): Promise<void> {
  const checked = parseInput('removeWebhook()', webhookInput, input)
  const key = { id: checked.webhook }
  const { version } = await found(store, 'webhook', key, checked.version)
  const { webhook, actor, reason } = checked
  const step = { step: 'removeWebhook', actor, webhook, ...(reason === undefined ? {} : { reason }) } as const
  const name = followerOfWebhook(webhook)
  for (let attempt = 1; ; attempt++) {
    const follower = await store.find('follower', { name })
    const changes: Change[] = [{ kind: 'webhook', key, expect: version, value: null }]
    if (follower !== undefined) {
      changes.push({ kind: 'follower', key: { name }, expect: follower.version, value: null })
    }
    try {
      await commit(store, changes, [step])
      return
    } catch (error) {
      // Somebody is sending, and writes down how far he has come: no reason to leave it.
      const now = await store.find('follower', { name })
      if (!isConflict(error) || now?.version === follower?.version || attempt === mostAttempts) throw error
    }
  }
}
