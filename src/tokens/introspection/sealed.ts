import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/** Text that only who knows `secret` can read or have written, and that is good under this `name` alone. */
export function seal(text: string, name: string, secret: string): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', keyFor(name, secret), nonce)
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return sealed.toString('base64')
}

/** `undefined` for what was sealed otherwise, or not at all. */
export function open(sealed: string, name: string, secret: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', keyFor(name, secret), bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  try {
    const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes))
    return Buffer.concat([text, decipher.final()]).toString()
  } catch {
    return undefined
  }
}

/** Of its own for each name, so that no two entries share a key, and a nonce need never be counted. */
function keyFor(name: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(`seal ${name}`).digest()
}
