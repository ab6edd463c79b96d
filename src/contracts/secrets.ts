import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { andThen } from '../decisions/maybe-promise.js'
import { hashChosen, matchesChosen, prepareChosen, type PreparedChosen } from './chosen-secrets.js'
import type { ChosenSecret, Client, GeneratedSecret, ImportedSecret, StoredSecret } from './model.js'

const prefix = 'cls_'
/** The prefix, and 32 bytes in base64url. */
const bodyLength = prefix.length + 43
const checksumLength = 6
const totalLength = bodyLength + checksumLength

/** `mistyped` begins like a generated secret and is none: it is refused before anything is looked up. */
export type SecretForm = 'generated' | 'mistyped' | 'other'

/** Tells a secret's form from the text alone, so that the work of a check says nothing about any client. */
export function secretForm(text: string): SecretForm {
  if (!text.startsWith(prefix)) return 'other'
  return text.length === totalLength && hasChecksum(text) ? 'generated' : 'mistyped'
}

/** Whether a text has the prefix and the checksum of the secrets that `registerClient` and `rotateSecret` make. */
export function isGeneratedSecret(text: string): boolean {
  return secretForm(text) === 'generated'
}

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** CRC-32 in six letters of base64url: one of them, counted from 0. */
function checksumLetter(crc: number, index: number): string {
  const shift = 26 - 6 * index
  return base64url.charAt((shift < 0 ? crc << -shift : crc >>> shift) & 63)
}

/** Letter by letter, since this is asked of each request and a text of the checksum would be thrown away. */
function hasChecksum(text: string): boolean {
  const crc = crc32(text.slice(0, bodyLength))
  for (let index = 0; index < checksumLength; index++) {
    if (text[bodyLength + index] !== checksumLetter(crc, index)) return false
  }
  return true
}

/** A fresh secret of 256 random bits, and what is stored of it. */
export function generateSecret(now: Date): { readonly text: string; readonly stored: GeneratedSecret } {
  const body = prefix + randomBytes(32).toString('base64url')
  const crc = crc32(body)
  const text = body + Array.from({ length: checksumLength }, (_, index) => checksumLetter(crc, index)).join('')
  const hash = digestOf('sha256', text, 'base64url')
  return { text, stored: { id: newSecretId(), algorithm: 'sha256', hash, createdAt: now.toISOString() } }
}

/** What is stored of a secret that a person chose or that was imported. Slow on purpose. */
export async function storeChosenSecret(text: string, now: Date): Promise<ChosenSecret> {
  return { id: newSecretId(), algorithm: 'scrypt', ...(await hashChosen(text)), createdAt: now.toISOString() }
}

const newSecretId = (): string => randomBytes(9).toString('base64url')

interface PreparedGenerated {
  /** As the text that `digestOf` gives, in bytes. */
  readonly digest: Buffer
  readonly endsAtMs: number
}

/** The secrets of a client with everything decoded that a check would otherwise decode at each request. */
export interface PreparedSecrets {
  readonly generated: readonly PreparedGenerated[]
  readonly chosen: readonly PreparedChosen[]
  /** One of them is to become scrypt when it is used. */
  readonly hasImported: boolean
}

export function prepareSecrets(client: Pick<Client, 'secrets'>): PreparedSecrets {
  const generated: PreparedGenerated[] = []
  const chosen: PreparedChosen[] = []
  for (const secret of client.secrets) {
    const endsAtMs = secret.endsAt === undefined ? Infinity : Date.parse(secret.endsAt)
    if (secret.algorithm === 'sha256') generated.push({ digest: hexBytesOf(secret.hash), endsAtMs })
    else chosen.push(prepareChosen(secret, endsAtMs))
  }
  return { generated, chosen, hasImported: client.secrets.some(isImported) }
}

/** A hash as it is stored, as the hexadecimal text in which fresh digests come fastest. */
function hexBytesOf(hash: string): Buffer {
  return Buffer.from(Buffer.from(hash, 'base64url').toString('hex'))
}

export function isImported(secret: StoredSecret): secret is ImportedSecret {
  return secret.algorithm === 'imported-sha256' || secret.algorithm === 'imported-bcrypt'
}

const noSecrets: PreparedSecrets = { generated: [], chosen: [], hasImported: false }
/** Equal to no digest of a text that anyone could name. */
const dummyDigest = Buffer.from(randomBytes(32).toString('hex'))

/**
 * For checking what a caller presented against a client's secrets. Pass `undefined` for an unknown client: it
 * costs the same work. A generated-looking text meets SHA-256 hashes alone and any other text scrypt hashes
 * alone, so that the time taken depends on the text, not on whom it was said to belong to. `candidates`: the
 * one or two readings of the presented bytes. Rejects with a 503 fault when too many slow checks wait already.
 */
export function verifySecret(
  prepared: PreparedSecrets | undefined,
  candidates: readonly string[],
  nowMs: number,
): MaybePromise<boolean> {
  const secrets = prepared ?? noSecrets
  const [first, second] = candidates
  if (first === undefined) return false
  const admitted = verifyText(secrets, first, nowMs)
  if (second === undefined || second === first) return admitted
  return andThen(admitted, (one) => andThen(verifyText(secrets, second, nowMs), (other) => one || other))
}

/** By the prefix alone: no chosen secret has it, and a wrong checksum meets no hash that it could equal. */
function verifyText(secrets: PreparedSecrets, text: string, nowMs: number): MaybePromise<boolean> {
  return text.startsWith(prefix)
    ? matchesGenerated(secrets.generated, text, nowMs)
    : matchesChosen(secrets.chosen, text, nowMs)
}

/** The digest that is being compared. One place for all: nothing waits between writing and comparing it. */
const digest = Buffer.alloc(64)

function matchesGenerated(secrets: readonly PreparedGenerated[], text: string, nowMs: number): boolean {
  digest.write(digestOf('sha256', text, 'hex'), 'latin1')
  let admitted = false
  let compared = 0
  for (const secret of secrets) {
    if (secret.endsAtMs <= nowMs) continue
    compared++
    if (timingSafeEqual(digest, secret.digest)) admitted = true
  }
  if (compared === 0) timingSafeEqual(digest, dummyDigest)
  return admitted
}
