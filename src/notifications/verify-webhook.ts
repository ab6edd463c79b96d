import { z } from 'zod'
import type { LifecycleStep, StepDetails } from '../contracts/model.js'
import { checkOptions } from '../runtime/check.js'
import { hasSignature, isWebhookKey, signatureOf } from './webhook-signature.js'

/** What a receiver is told: one step of the lifecycle. */
export interface WebhookEvent {
  readonly type: LifecycleStep
  /** When it was done. ISO 8601. */
  readonly timestamp: string
  readonly data: WebhookData
}

/** The entry of the audit log, without its chain. */
export interface WebhookData extends StepDetails {
  /** Its number: receivers that want the order of things go by it. */
  readonly entry: string
  readonly actor: string
}

export interface VerifyWebhookOptions {
  /** What `addWebhook` gave; several while one is exchanged for another. */
  readonly key: string | readonly string[]
  /** As `node:http` has them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Byte for byte as it came, before anybody parses it. */
  readonly body: string | Uint8Array
  /** How far the two clocks may be apart, and how long the message may take; 1 to 86,400. @default 300 */
  readonly toleranceSeconds?: number
}

/** `id` is the same whenever the same step is sent again: what has been seen under it is done. */
export type VerifiedWebhook =
  | { readonly kind: 'verified'; readonly id: string; readonly event: WebhookEvent }
  | { readonly kind: 'refused'; readonly reason: 'headers' | 'time' | 'signature' | 'body' }

const key = z.custom<string>(isWebhookKey, { message: 'expected a key as addWebhook() gave it: "whsec_…"' })
const optionsSchema = z.strictObject({
  key: z.union([key, z.array(key).min(1)], { error: 'expected one or more keys as addWebhook() gave them: "whsec_…"' }),
  headers: z.custom<VerifyWebhookOptions['headers']>((value) => typeof value === 'object' && value !== null),
  body: z.custom<string | Uint8Array>((value) => typeof value === 'string' || value instanceof Uint8Array, {
    message: 'expected the bytes or the text of the body as it came, not what somebody parsed out of it',
  }),
  toleranceSeconds: z.number().min(1).max(86_400).default(300),
})

/**
 * For receivers: whether a message was sent by who has the key, just now. Refuse the rest with a 400. Remember the
 * `id` of what you have done for as long as the tolerance: within it, somebody may send the same bytes again.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function verifyWebhook(options: VerifyWebhookOptions): VerifiedWebhook {
  const { key: keys, headers, body, toleranceSeconds } = checkOptions('verifyWebhook()', optionsSchema, options)
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  })
  if (id === undefined || signature === undefined || !/^[0-9]{1,15}$/.test(timestamp ?? '')) return refused('headers')
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) return refused('time')
  const expected = [keys].flat().map((each) => signatureOf(each, id, timestamp ?? '', body))
  if (!expected.some((each) => hasSignature(signature, each))) return refused('signature')
  const event = eventIn(body)
  return event === undefined ? refused('body') : { kind: 'verified', id, event }
}

function refused(reason: 'headers' | 'time' | 'signature' | 'body'): VerifiedWebhook {
  return { kind: 'refused', reason }
}

const eventSchema = z.looseObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ entry: z.string(), actor: z.string() }),
})

/** A step that this version does not know is passed on: the sender may be newer. */
function eventIn(body: string | Uint8Array): WebhookEvent | undefined {
  try {
    const text = typeof body === 'string' ? body : Buffer.from(body).toString()
    const { success, data } = eventSchema.safeParse(JSON.parse(text))
    return success ? (data as unknown as WebhookEvent) : undefined
  } catch {
    return undefined
  }
}
