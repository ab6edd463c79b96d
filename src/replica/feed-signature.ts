import { createHash, createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'

/** By what a feed signs. Ed25519: who reads the feed cannot make one up. */
export type FeedKey = { readonly sharedKey: string } | { readonly privateKey: string }
/** By what is seen that a feed is the right one. */
export type FeedTrust = { readonly sharedKey: string } | { readonly publicKey: string }

export interface Signer {
  sign(digest: Buffer): Buffer
}

export interface Verifier {
  isGood(digest: Buffer, signature: Buffer): boolean
}

/** Nothing that is signed with the same key for something else can pass for a feed. */
const purpose = Buffer.from('clientele feed 1\n')

const sharedKey = z.string().min(32, 'expected at least 32 characters, made at random')
const pemKey = (read: (pem: string) => KeyObject) =>
  z.string().refine((pem) => isEd25519(pem, read), 'expected an Ed25519 key as PEM')

export const feedKeySchema = z.union([
  z.strictObject({ sharedKey }),
  z.strictObject({ privateKey: pemKey(createPrivateKey) }),
  z.literal('none'),
])
export const feedTrustSchema = z.union([
  z.strictObject({ sharedKey }),
  z.strictObject({ publicKey: pemKey(createPublicKey) }),
  z.literal('unverified'),
])

export function signerOf(key: FeedKey | 'none'): Signer | undefined {
  if (key === 'none') return undefined
  if ('sharedKey' in key) return { sign: (digest) => hmac(key.sharedKey, digest) }
  const privateKey = createPrivateKey(key.privateKey)
  return { sign: (digest) => sign(null, signedBytes(digest), privateKey) }
}

export function verifierOf(trust: FeedTrust | 'unverified'): Verifier | undefined {
  if (trust === 'unverified') return undefined
  if ('sharedKey' in trust) return { isGood: (digest, given) => equal(hmac(trust.sharedKey, digest), given) }
  const publicKey = createPublicKey(trust.publicKey)
  return { isGood: (digest, given) => verify(null, signedBytes(digest), publicKey, given) }
}

const chunkBytes = 4 * 2 ** 20

/** What is signed of a message. In pieces, since a long one would hold up the process. */
export async function digestOf(bytes: Buffer): Promise<Buffer> {
  const hash = createHash('sha256')
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    hash.update(bytes.subarray(at, at + chunkBytes))
    if (bytes.length > chunkBytes) await new Promise(setImmediate)
  }
  return hash.digest()
}

function signedBytes(digest: Buffer): Buffer {
  return Buffer.concat([purpose, digest])
}

function hmac(key: string, digest: Buffer): Buffer {
  return createHmac('sha256', key).update(signedBytes(digest)).digest()
}

function equal(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

function isEd25519(pem: string, read: (pem: string) => KeyObject): boolean {
  try {
    return read(pem).asymmetricKeyType === 'ed25519'
  } catch {
    return false
  }
}
