import { createHmac, timingSafeEqual } from 'node:crypto'

/** Standard Webhooks: what is signed is `id.timestamp.body`, so none of the three can be exchanged. */
export function signatureOf(key: string, id: string, timestamp: number | string, body: string | Uint8Array): string {
  const hmac = createHmac('sha256', bytesOf(key)).update(`${id}.${timestamp}.`)
  return `v1,${hmac.update(body).digest('base64')}`
}

const keyPattern = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/

export function isWebhookKey(text: unknown): text is string {
  return typeof text === 'string' && keyPattern.test(text)
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key.slice(key.indexOf('_') + 1), 'base64')
}

/** Several may be given, separated by spaces: a sender that changes its key signs with both. */
export function hasSignature(given: string, expected: string): boolean {
  // No early end: how many there are and which one is right says nothing about the key, but it costs nothing.
  return given.split(' ').filter((each) => isSame(each, expected)).length > 0
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
