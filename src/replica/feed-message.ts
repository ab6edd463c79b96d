import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Signer } from './feed-signature.js'
import { SetDigest } from './set-digest.js'
import type { Cursor } from './source.js'
import type { LineAnswer } from './store-source.js'

/** Lines of JSON: the header, one line for each record, the trailer, the signature over all before it. */
export const feedMediaType = 'application/x-ndjson'

const word = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/)
const whole = z.int().min(0)
const milliseconds = z.number().min(0)

export const headerSchema = z.object({
  feed: z.literal(1),
  kind: z.enum(['snapshot', 'changes']),
  epoch: word,
  sequence: whole,
  /** How old it all is, by the clocks of whoever sends it: no two machines need to agree on the time. */
  ageMs: milliseconds,
  /** How long the answer was held back until there was something to say. */
  waitedMs: milliseconds,
  /** The asker's own: an answer of before cannot hold it. */
  nonce: word,
  /** What it was asked: who has no key but stands between could else put another question in its place. */
  after: z.object({ epoch: word, sequence: whole }).nullable(),
  waitMs: whole,
})
export const trailerSchema = z.object({ count: whole, digest: word })
export const signatureSchema = z.object({ signature: word.nullable() })

/** What a feed is asked, in the query. */
export const askedSchema = z.object({
  nonce: word,
  epoch: word.optional(),
  sequence: z.coerce.number().int().min(0).optional(),
  waitMs: z.coerce.number().int().min(0).max(60_000),
})

/** A question as the feed has understood it; signed with the answer. */
export interface Question {
  readonly nonce: string
  readonly after: Cursor | null
  readonly waitMs: number
}

const linesAtOnce = 500

/** The whole message, piece by piece. */
export function* messageOf(
  { lines, ...answer }: LineAnswer,
  asked: Question & { readonly waitedMs: number },
  signer: Signer | undefined,
): Generator<string, void, void> {
  const hash = createHash('sha256')
  const digest = new SetDigest()
  const signed = (piece: string): string => {
    hash.update(piece)
    return piece
  }
  yield signed(`${JSON.stringify({ feed: 1, ...answer, ...asked })}\n`)
  for (let at = 0; at < lines.length; at += linesAtOnce) {
    const some = lines.slice(at, at + linesAtOnce)
    for (const line of some) digest.add(line)
    yield signed(`${some.join('\n')}\n`)
  }
  yield signed(`${JSON.stringify({ count: digest.count, digest: digest.text })}\n`)
  yield `${JSON.stringify({ signature: signer?.sign(hash.digest()).toString('base64url') ?? null })}\n`
}
