import { hash as digestOf, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { andThen } from '../decisions/maybe-promise.js'
import { hashChosen, matchesChosen, prepareChosen, type PreparedChosen } from './chosen-secrets.js'
import type { ChosenSecret, Client, GeneratedSecret } from './model.js'

const prefix = 'cls_'
const randomLength = 43
const shape = /^cls_[A-Za-z0-9_-]{49}$/

/** `mistyped` begins like a generated secret and is none: it is refused before anything is looked up. */
export type SecretForm = 'generated' | 'mistyped' | 'other'

/** Tells a secret's form from the text alone, so that the work of a check says nothing about any client. */
export function secretForm(text: string): SecretForm {
  if (!text.startsWith(prefix)) return 'other'
  const body = prefix.length + randomLength
  return shape.test(text) && text.slice(body) === checksumOf(text.slice(0, body)) ? 'generated' : 'mistyped'
}

/** Whether a text has the prefix and the checksum of the secrets that `registerClient` and `rotateSecret` make. */
export function isGeneratedSecret(text: string): boolean {
  return secretForm(text) === 'generated'
}

function checksumOf(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return bytes.toString('base64url')
}

/** A fresh secret of 256 random bits, and what is stored of it. */
export function generateSecret(now: Date): { readonly text: string; readonly stored: GeneratedSecret } {
  const body = prefix + randomBytes(32).toString('base64url')
  const text = body + checksumOf(body)
  const hash = digestOf('sha256', text, 'buffer').toString('base64url')
  return { text, stored: { id: newSecretId(), algorithm: 'sha256', hash, createdAt: now.toISOString() } }
}

/** What is stored of a secret that a person chose or that was imported. Slow on purpose. */
export async function storeChosenSecret(text: string, now: Date): Promise<ChosenSecret> {
  return { id: newSecretId(), algorithm: 'scrypt', ...(await hashChosen(text)), createdAt: now.toISOString() }
}

const newSecretId = (): string => randomBytes(9).toString('base64url')

interface PreparedGenerated {
  readonly digest: Buffer
  readonly endsAtMs: number
}

/** The secrets of a client with everything decoded that a check would otherwise decode at each request. */
export interface PreparedSecrets {
  readonly generated: readonly PreparedGenerated[]
  readonly chosen: readonly PreparedChosen[]
}

export function prepareSecrets(client: Pick<Client, 'secrets'>): PreparedSecrets {
  const generated: PreparedGenerated[] = []
  const chosen: PreparedChosen[] = []
  for (const secret of client.secrets) {
    const endsAtMs = secret.endsAt === undefined ? Infinity : Date.parse(secret.endsAt)
    if (secret.algorithm === 'sha256') generated.push({ digest: Buffer.from(secret.hash, 'base64url'), endsAtMs })
    else chosen.push(prepareChosen(secret, endsAtMs))
  }
  return { generated, chosen }
}

const noSecrets: PreparedSecrets = { generated: [], chosen: [] }
/** Equal to no digest of a text that anyone could name. */
const dummyDigest = randomBytes(32)

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
  let admitted: MaybePromise<boolean> = false
  for (const [index, text] of candidates.entries()) {
    if (candidates.indexOf(text) !== index) continue
    const one = verifyText(secrets, text, nowMs)
    admitted = andThen(admitted, (before) => andThen(one, (now) => before || now))
  }
  return admitted
}

function verifyText(secrets: PreparedSecrets, text: string, nowMs: number): MaybePromise<boolean> {
  const form = secretForm(text)
  if (form === 'generated') return matchesGenerated(secrets.generated, text, nowMs)
  return form === 'other' && matchesChosen(secrets.chosen, text, nowMs)
}

function matchesGenerated(secrets: readonly PreparedGenerated[], text: string, nowMs: number): boolean {
  const digest = digestOf('sha256', text, 'buffer')
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
