import { createHmac, randomBytes } from 'node:crypto'

const processKey = randomBytes(32)

/** For keys of maps that must hold no token and no secret: means nothing outside this process. */
export function fingerprint(text: string): string {
  return createHmac('sha256', processKey).update(text).digest('base64url')
}
