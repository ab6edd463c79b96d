import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { createSealing, type Sealing } from '../../runtime/sealing.js'
import type { WebhookKey } from '../notification-model.js'
import { randomId } from './clients.js'

/** As the Standard Webhooks specification writes keys: 24 to 64 random bytes as base64, behind a prefix. */
const prefix = 'whsec_'
const keyBytes = 32

export const sealingKeysSchema = z.union([z.string(), z.array(z.string())], {
  error:
    'expected the keys that webhook keys are sealed under, 32 bytes each as base64url or hex, from the environment',
})

/** Bound to its webhook, so that what was copied into another record opens nothing. */
function placeOf(webhook: string, key: string): string {
  return `webhook/${webhook}/${key}`
}

export function newWebhookKey(
  webhook: string,
  sealingKeys: string | readonly string[],
): { readonly text: string; readonly stored: WebhookKey } {
  const id = randomId()
  const text = prefix + randomBytes(keyBytes).toString('base64')
  const sealed = createSealing(sealingKeys).seal(text, placeOf(webhook, id))
  return { text, stored: { id, sealed, createdAt: new Date().toISOString() } }
}

/** @throws ClienteleFault `ERR_CLIENTELE_INVALID` for what cannot be opened with these keys */
export function openWebhookKey(sealing: Sealing, webhook: string, { id, sealed }: WebhookKey): string {
  return sealing.open(sealed, placeOf(webhook, id))
}
