import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { ContractStore } from '../contracts/store.js'
import type { MaybePromise } from '../decisions/maybe-promise.js'
import { checkOptions } from '../runtime/check.js'
import { monotonicClock } from '../runtime/clock.js'
import { askedSchema, feedMediaType, messageOf, type Question } from './feed-message.js'
import { feedKeySchema, signerOf, type FeedKey, type Signer } from './feed-signature.js'
import { StoreSource } from './store-source.js'
import { storeOption } from './store-option.js'

export interface ContractFeedOptions {
  /**
   * Whether this request may read every client, contract and tier, with the hashes of secrets. What is not `true` is
   * answered with a 403, a throw or a rejection with a 503. No default.
   */
  readonly authorize: (request: IncomingMessage) => MaybePromise<boolean>
  /**
   * By what the feed signs what it says: a key that it shares with its readers, 32 characters at least, or an Ed25519
   * key as PEM. `'none'`: whoever stands between can make contracts up. No default.
   */
  readonly signature: FeedKey | 'none'
  /** How often the whole store is read, whatever it tells of changes; a second to a day. @default 60000 */
  readonly scanEveryMs?: number
  /** How long the store may take for one call. @default 5000 */
  readonly timeoutMs?: number
}

/** As much of a Koa context as is needed here. */
export interface FeedContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  respond?: boolean
}

/** A handler for `node:http`, Express and whatever else calls `(req, res)`. */
export interface ContractFeed {
  (request: IncomingMessage, response: ServerResponse): void
  /** The same for Koa. */
  readonly koa: (context: FeedContext) => Promise<void>
  /** Lets go of the store, which stays open. */
  close(): void
}

const optionsSchema = z.strictObject({
  authorize: z.custom<ContractFeedOptions['authorize']>((value) => typeof value === 'function', {
    message: 'expected a function that says whether a request may read every contract; there is no default',
  }),
  signature: feedKeySchema,
  scanEveryMs: z.int().min(1000).max(86_400_000).default(60_000),
  timeoutMs: z.int().min(1).max(600_000).default(5000),
})

/**
 * Serves a store to replicas elsewhere: mount it where only they can reach it. It carries what policies need, the
 * hashes of secrets among it, and nothing else. It keeps every record in memory, some 0.6 kB each.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function contractFeed(store: ContractStore, options: ContractFeedOptions): ContractFeed {
  const { authorize, signature, ...times } = checkOptions('contractFeed()', optionsSchema, options)
  checkOptions('contractFeed()', storeOption, store)
  const source = new StoreSource(store, times)
  const feed: Feed = { authorize, signer: signerOf(signature), source }
  const serve = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
    answer(feed, request, response).catch(() => {
      response.destroy()
    })
  return Object.assign((request: IncomingMessage, response: ServerResponse) => void serve(request, response), {
    koa: (context: FeedContext) => {
      context.respond = false
      return serve(context.req, context.res)
    },
    close: () => {
      source.close()
    },
  })
}

interface Feed {
  readonly authorize: ContractFeedOptions['authorize']
  readonly signer: Signer | undefined
  readonly source: StoreSource
}

async function answer(feed: Feed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const status = await permission(feed, request)
  // Whoever may not read is told so, whatever they ask.
  const asked = status === undefined ? questionIn(request.url) : undefined
  if (asked === undefined) {
    refuse(response, status ?? 400)
    return
  }
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
  })
  const { after, waitMs } = asked
  const askedAt = monotonicClock()
  const question = { after: after ?? undefined, waitMs, signal: gone.signal }
  const lines = await feed.source.lines(question).catch(() => undefined)
  if (lines === undefined) refuse(response, 503)
  else await send(response, messageOf(lines, { ...asked, waitedMs: monotonicClock() - askedAt }, feed.signer))
}

/** Only the query of a URL counts here: its path is for whoever has mounted the feed. */
const anywhere = 'http://feed'

function questionIn(url = '/'): Question | undefined {
  if (!URL.canParse(url, anywhere)) return undefined
  const asked = askedSchema.safeParse(Object.fromEntries(new URL(url, anywhere).searchParams))
  if (!asked.success) return undefined
  const { nonce, epoch, sequence, waitMs } = asked.data
  return { nonce, waitMs, after: epoch === undefined || sequence === undefined ? null : { epoch, sequence } }
}

async function permission({ authorize }: Feed, request: IncomingMessage): Promise<number | undefined> {
  if (request.method !== 'GET') return 405
  try {
    // Of a function without types anything may come: a promise that nobody awaited is no permission.
    return ((await authorize(request)) as unknown) === true ? undefined : 403
  } catch {
    return 503
  }
}

function refuse(response: ServerResponse, status: number): void {
  const fields = { 'Cache-Control': 'no-store', ...(status === 503 && { 'Retry-After': '5' }) }
  response.writeHead(status, { ...fields, 'Content-Length': 0 }).end()
}

/** How long a reader may leave a piece lying. */
const stalledMs = 60_000

async function send(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
  response.writeHead(200, { 'Content-Type': feedMediaType, 'Cache-Control': 'no-store' })
  for (const piece of pieces) {
    if (response.destroyed) return
    if (!response.write(piece)) await once(response, 'drain', { signal: AbortSignal.timeout(stalledMs) })
  }
  response.end()
}
