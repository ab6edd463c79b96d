import { randomBytes } from 'node:crypto'
import type { StoredSecret } from '../../contracts/model.js'

const sha256 = /^(?:\{?sha-?256\}?[:$])?(?:([^:$]{1,255})[:$])?([0-9a-f]{64})$/i
const phcScrypt = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/**
 * What others keep of a secret, as it is kept here: `sha256:<hex>`, `sha256:<salt>:<hex>`, bcrypt's own text, or scrypt
 * in the PHC format. `undefined`: none of them. Whether it asks for too much work is checked with the record.
 */
export function parseSecretHash(text: string): StoredSecret | undefined {
  const base = { id: randomBytes(9).toString('base64url'), createdAt: new Date().toISOString() }
  if (/^\$2[aby]\$/.test(text)) return { ...base, algorithm: 'imported-bcrypt', hash: text }
  const [, salt, hex] = sha256.exec(text) ?? []
  if (hex !== undefined) {
    const hash = Buffer.from(hex, 'hex').toString('base64url')
    return { ...base, algorithm: 'imported-sha256', hash, ...(salt === undefined ? {} : { salt }) }
  }
  const [, logCost, blockSize, parallelization, phcSalt = '', phcHash = ''] = phcScrypt.exec(text) ?? []
  if (logCost === undefined) return undefined
  const numbers = { cost: 2 ** Number(logCost), blockSize: Number(blockSize), parallelization: Number(parallelization) }
  return { ...base, algorithm: 'scrypt', ...numbers, salt: toBase64url(phcSalt), hash: toBase64url(phcHash) }
}

function toBase64url(base64: string): string {
  return Buffer.from(base64, 'base64').toString('base64url')
}
