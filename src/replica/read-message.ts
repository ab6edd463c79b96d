import { ClienteleFault } from '../decisions/faults.js'
import type { Moment } from '../runtime/moment.js'
import { elapsedMs, momentNow } from '../runtime/moment.js'
import { headerSchema, signatureSchema, trailerSchema, type Question } from './feed-message.js'
import { digestOf, type Verifier } from './feed-signature.js'
import { readLine } from './record-line.js'
import { SetDigest } from './set-digest.js'
import type { SourceAnswer, SourceChange } from './source.js'

/** What can be wrong with an answer of a feed, in one word. */
export type FeedTrouble =
  /** It is no message of a feed, or not a whole one. */
  | 'answer'
  /** It refuses, or has trouble of its own. */
  | 'status'
  /** Somebody else has signed it, or nobody. */
  | 'signature'
  /** It answers another question: it is an old one, or the question was changed on the way. */
  | 'replayed'
  /** It holds other records than it says. */
  | 'incomplete'

export function badFeed(reason: FeedTrouble): ClienteleFault {
  return new ClienteleFault('ERR_CLIENTELE_STORE', 'The contract feed gave no answer that can be used.', { reason })
}

export interface Asked extends Question {
  /** Its age counts from the moment of asking: later than that it may have been put together. */
  readonly sentAt: Moment
}

const newline = 0x0a

/** Throws a fault. Nothing of a message is looked at before its signature has been found good. */
export async function readMessage(bytes: Buffer, asked: Asked, verifier: Verifier | undefined): Promise<SourceAnswer> {
  const signatureAt = lastLineAt(bytes, bytes.length)
  const signed = bytes.subarray(0, signatureAt)
  const { signature } = parsed(signatureSchema, bytes.subarray(signatureAt))
  if (verifier !== undefined) await requireGood(verifier, signed, signature)
  const trailerAt = lastLineAt(signed, signed.length)
  const headerEnd = signed.indexOf(newline) + 1
  if (trailerAt < headerEnd) throw badFeed('answer')
  const header = parsed(headerSchema, signed.subarray(0, headerEnd))
  if (!isAnswerTo(asked, header)) throw badFeed('replayed')
  const { ageMs, waitedMs, kind, epoch, sequence } = header
  const trailer = parsed(trailerSchema, signed.subarray(trailerAt))
  const onTheWayMs = Math.max(0, elapsedMs(asked.sentAt) - waitedMs)
  const changes = changesIn(signed.subarray(headerEnd, trailerAt), trailer)
  return { kind, epoch, sequence, knownAt: momentNow(ageMs + onTheWayMs), ...trailer, changes }
}

/** A good answer to another question would hide what is asked about here: "nothing new" since a later moment. */
function isAnswerTo(asked: Question, { nonce, after, waitMs }: Question): boolean {
  const isSameCursor = after?.epoch === asked.after?.epoch && after?.sequence === asked.after?.sequence
  return nonce === asked.nonce && waitMs === asked.waitMs && isSameCursor
}

async function requireGood(verifier: Verifier, signed: Buffer, signature: string | null): Promise<void> {
  const given = Buffer.from(signature ?? '', 'base64url')
  if (!verifier.isGood(await digestOf(signed), given)) throw badFeed('signature')
}

/** One by one, and at the end whether they were all. */
function* changesIn(
  bytes: Buffer,
  said: { readonly count: number; readonly digest: string },
): Generator<SourceChange, void, void> {
  const digest = new SetDigest()
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(newline, at)
    const line = bytes.toString('utf8', at, end)
    digest.add(line)
    yield changeOf(line)
    at = end + 1
  }
  if (digest.count !== said.count || digest.text !== said.digest) throw badFeed('incomplete')
}

function changeOf(line: string): SourceChange {
  try {
    return readLine(line)
  } catch {
    throw badFeed('answer')
  }
}

/** Where the last line begins. A message ends with a newline, so that one that was cut off is seen. */
function lastLineAt(bytes: Buffer, end: number): number {
  if (bytes[end - 1] !== newline) throw badFeed('answer')
  return end < 2 ? 0 : bytes.lastIndexOf(newline, end - 2) + 1
}

function parsed<T>(schema: { parse(value: unknown): T }, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString()))
  } catch {
    throw badFeed('answer')
  }
}
