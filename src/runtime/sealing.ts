import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import { ClienteleFault } from '../decisions/faults.js'
import { optionsFault } from './check.js'

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const version = 'v1'

/**
 * For secrets of others that have to be kept in a store in a form that can be read again: tokens that manage a
 * registration, keys of webhooks.
 */
export interface Sealing {
  /**
   * `place` says whose secret it is and where it stands: `registration/okta/app-1`. It is bound to the text, so that
   * what was copied into another record does not open there.
   */
  seal(text: string, place: string): string
  /** @throws ClienteleFault `ERR_CLIENTELE_INVALID` for what was sealed with another key, for another place, or was changed */
  open(sealed: string, place: string): string
  /** Whether it was sealed with the first key: what was not is sealed anew, before the old key goes. */
  isCurrent(sealed: string): boolean
}

/**
 * AES-256-GCM (NIST SP 800-38D) under keys from outside the store, 32 bytes each, as base64url or hex. The first key
 * seals and all of them open: a key is changed by putting the new one first.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` for a key that is none, or none at all
 */
export function createSealing(keys: string | readonly string[]): Sealing {
  const texts = typeof keys === 'string' ? keys.split(',') : keys
  const known = texts.map((text, at) => sealingKey(text.trim(), at + 1))
  const [first] = known
  if (first === undefined) throw keyFault('no key is given')
  return {
    seal: (text, place) => sealed(text, place, first),
    open: (text, place) => opened(text, place, known),
    isCurrent: (text) => text.split('.')[1] === first.id,
  }
}

interface SealingKey {
  /** Tells keys apart, and says nothing about them. */
  readonly id: string
  readonly bytes: Buffer
}

function sealingKey(text: string, position: number): SealingKey {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : base64urlBytes(text)
  if (bytes?.length !== keyBytes) throw keyFault(`key ${position} is not 32 bytes as base64url or hex`)
  return { id: hash('sha256', Buffer.concat([Buffer.from('sealing key '), bytes]), 'hex').slice(0, 8), bytes }
}

function base64urlBytes(text: string): Buffer | undefined {
  return /^[A-Za-z0-9_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64url') : undefined
}

function sealed(text: string, place: string, key: SealingKey): string {
  // 96 random bits are good for 2^32 texts under one key (SP 800-38D §8.3); registrations are far from that.
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(boundTo(key, place)))
  const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${version}.${key.id}.${bytes.toString('base64url')}`
}

function opened(text: string, place: string, keys: readonly SealingKey[]): string {
  const [format, keyId, body, ...rest] = text.split('.')
  if (format !== version || keyId === undefined || body === undefined || rest.length > 0) {
    throw sealFault('is no sealed text of a version known here')
  }
  const key = keys.find((candidate) => candidate.id === keyId)
  if (key === undefined) {
    throw sealFault('was sealed with a key that is not given here; put that key behind the present one')
  }
  const bytes = Buffer.from(body, 'base64url')
  const plain = bytes.length < nonceBytes + tagBytes ? undefined : decrypted(bytes, boundTo(key, place), key)
  if (plain === undefined) throw sealFault('was changed, or moved here from another record')
  return plain
}

function decrypted(bytes: Buffer, bound: string, key: SealingKey): string | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(Buffer.from(bound))
  decipher.setAuthTag(bytes.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString()
  } catch {
    return undefined
  }
}

function boundTo(key: SealingKey, place: string): string {
  return `${version}.${key.id}.${place}`
}

function keyFault(what: string): ClienteleFault {
  return optionsFault(
    'sealing keys',
    `${what}; one comes from node -p "crypto.randomBytes(32).toString('base64url')", and several are separated by commas, the present one first`,
  )
}

function sealFault(what: string): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_INVALID', `a sealed text ${what}`)
}
