import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { boundedFetch, FetchTrouble, type FetchLimits } from '../runtime/bounded-fetch.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { momentNow } from '../runtime/moment.js'
import { feedMediaType } from './feed-message.js'
import { feedTrustSchema, verifierOf, type FeedTrust, type Verifier } from './feed-signature.js'
import { badFeed, readMessage } from './read-message.js'
import type { ContractSource, SourceAnswer, SourceQuestion } from './source.js'

export interface HttpSourceOptions {
  /** Where the feed is. Without credentials in it: they belong into `headers`. */
  readonly url: string
  /** By what is seen that the answer is the feed's. `'unverified'`: whoever stands between can make contracts up. No default. */
  readonly signature: FeedTrust | 'unverified'
  /** Sent along, so that the feed knows who asks; a function is called for each request. @default none */
  readonly headers?: Readonly<Record<string, string>> | (() => MaybePromise<Readonly<Record<string, string>>>)
  /** Takes `http:` too: all that the feed says, and what `headers` holds, can be read on the way. @default false */
  readonly allowInsecureRequests?: boolean
  /** How long an answer may take to its last byte, beyond the time that the feed was asked to wait. @default 30000 */
  readonly timeoutMs?: number
  /** How long an answer may be, unpacked. Half a kilobyte per record is enough. @default 268435456 */
  readonly maxResponseBytes?: number
}

const optionsSchema = z.strictObject({
  url: z.url(),
  signature: feedTrustSchema,
  headers: z
    .custom<NonNullable<HttpSourceOptions['headers']>>((value) => typeof value === 'function' || isTexts(value), {
      message: 'expected an object of texts, or a function that returns one',
    })
    .optional(),
  allowInsecureRequests: z.boolean().default(false),
  timeoutMs: z.int().min(1).max(3_600_000).default(30_000),
  maxResponseBytes: z
    .int()
    .min(1000)
    .max(2 ** 31)
    .default(2 ** 28),
})

function isTexts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((text) => typeof text === 'string')
}

/**
 * Reads a `contractFeed` for `replicate`. Follows no redirect, and takes nothing that is too long, too slow, not
 * signed, or an answer to an earlier question.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function httpSource(options: HttpSourceOptions): ContractSource {
  const {
    url,
    signature,
    headers = {},
    allowInsecureRequests,
    ...limits
  } = checkOptions('httpSource()', optionsSchema, options)
  const { protocol, username, password } = new URL(url)
  if (protocol !== 'https:' && !(allowInsecureRequests && protocol === 'http:')) {
    throw optionsFault('httpSource()', 'url: expected https; for http, say allowInsecureRequests: true')
  }
  if (username + password !== '') throw optionsFault('httpSource()', 'url: holds credentials; put them into headers')
  const headersNow = typeof headers === 'function' ? headers : () => headers
  return new HttpSource(new URL(url), headersNow, verifierOf(signature), limits)
}

class HttpSource implements ContractSource {
  readonly #url: URL
  readonly #headers: () => MaybePromise<Readonly<Record<string, string>>>
  readonly #verifier: Verifier | undefined
  readonly #limits: FetchLimits

  constructor(
    url: URL,
    headers: () => MaybePromise<Readonly<Record<string, string>>>,
    verifier: Verifier | undefined,
    limits: FetchLimits,
  ) {
    this.#url = url
    this.#headers = headers
    this.#verifier = verifier
    this.#limits = limits
  }

  async read(question: SourceQuestion): Promise<SourceAnswer> {
    try {
      return await this.#ask(question)
    } catch (error) {
      throw feedFault(this.#url.host, error)
    }
  }

  async #ask({ after, waitMs, signal }: SourceQuestion): Promise<SourceAnswer> {
    const nonce = randomBytes(16).toString('base64url')
    const url = new URL(this.#url)
    const query = { nonce, waitMs, ...(after && { epoch: after.epoch, sequence: after.sequence }) }
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
    const headers = { ...(await this.#headers()), accept: feedMediaType }
    const { timeoutMs, maxResponseBytes } = this.#limits
    const sentAt = momentNow()
    const limits = { timeoutMs: timeoutMs + waitMs, maxResponseBytes }
    const answer = await boundedFetch(url.href, { headers, signal }, limits)
    const type = answer.headers.get('content-type') ?? ''
    if (answer.status !== 200) throw badFeed('status')
    if (!type.startsWith(feedMediaType)) throw badFeed('answer')
    const asked = { nonce, after: after ?? null, waitMs, sentAt }
    return readMessage(Buffer.from(await answer.arrayBuffer()), asked, this.#verifier)
  }

  close(): void {
    // Nothing is held between two requests.
  }
}

/** `where` is the host alone: a URL may hold what must not be logged. */
function feedFault(where: string, error: unknown): ClienteleFault {
  if (error instanceof ClienteleFault) return error
  const reason = error instanceof FetchTrouble ? error.reason : 'question'
  const message = `The contract feed at ${where} could not be asked.`
  return new ClienteleFault('ERR_CLIENTELE_STORE', message, { reason, cause: error })
}
