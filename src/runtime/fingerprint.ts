import { hash, randomBytes } from 'node:crypto'

/** As long as a digest, and in front of the text: nobody sees a fingerprint, so none can be drawn out. */
const processKey = randomBytes(32).toString('base64url')

/** For keys of maps that must hold no token and no secret: means nothing outside this process. */
export function fingerprint(text: string): string {
  return hash('sha256', processKey + text, 'base64')
}
