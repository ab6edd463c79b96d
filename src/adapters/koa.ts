import type { IncomingMessage, ServerResponse } from 'node:http'
import { wirePolicies, type ClienteleOptions, type Conduct, type ResourceMetadata } from '../clientele.js'
import { ClienteleFault } from '../decisions/faults.js'
import type { Policy } from '../decisions/policy.js'
import type { HttpReply } from '../http/reply.js'
import { requireGuards, type AssertProtectedOptions } from '../protection/assert-protected.js'
import { actualCostWriter, type SetActualCost } from './actual-cost.js'
import { admissionReader, type AdmissionOf } from './admission-of.js'
import { admit, turnAway } from './admit.js'
import { beginExchange, exchangeOf, type Exchange } from './exchange.js'
import { view } from './extend.js'
import { koaStops } from './koa-stops.js'
import { handlersOf, type Handlers } from './handlers.js'
import { run } from './run.js'
import { strippedUrl } from './strip.js'

export type { AssertProtectedOptions, ClienteleOptions }

/** As much of a Koa context as is needed here. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  originalUrl: string
  status: number
  body: unknown
  set(field: string, value: string | string[]): void
}

export type KoaHandler = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>

export interface KoaClientele extends Handlers<KoaHandler> {
  readonly admissionOf: AdmissionOf<Pick<KoaContext, 'req'>>
  readonly setActualCost: SetActualCost<Pick<KoaContext, 'req'>>
}

/**
 * For Koa 2 and 3: the policies of one API as middleware.
 *
 * @example
 * const { enforceClientId, limitBySla, admissionOf } = clientele({ api: 'orders', store })
 * router.get('/orders', enforceClientId(), limitBySla(), (ctx) => { ctx.body = admissionOf(ctx, 'client').client })
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function clientele(options: ClienteleOptions): KoaClientele {
  const policies = wirePolicies(options)
  const { conduct } = policies
  return {
    ...handlersOf<KoaHandler>(
      policies,
      (policy) => (context, next) => handle(conduct, policy, context, next),
      (reply) => (context, next) => answerOrGoOn(reply, context, next),
    ),
    admissionOf: admissionReader(conduct.api, rawOf),
    setActualCost: actualCostWriter(rawOf),
  }
}

/**
 * For the last line of a start-up: throws where a request can reach anything before a policy that identifies its
 * caller, and names it all by method and path. Functions that are mounted before a policy count, too, since any of them
 * could answer: those that do not, as parsers of bodies, are named in `open`, or mounted behind the policy. What cannot
 * be looked into is named and never passed over. What `koa-mount` or `koa-compose` has made hides what is in it: it is named as a whole. `skip` of `clientele()` is not looked at.
 *
 * @param app - a Koa application or router of `@koa/router`, after its last route
 * @throws ClienteleFault `ERR_CLIENTELE_NOT_PROTECTED` with the list, `ERR_CLIENTELE_OPTIONS`
 */
export function assertProtected(app: object, options: AssertProtectedOptions): void {
  requireGuards(koaStops(app), options)
}

const rawOf = ({ req }: Pick<KoaContext, 'req'>): IncomingMessage => req

async function handle(
  conduct: Conduct,
  policy: Policy,
  context: KoaContext,
  next: () => Promise<unknown>,
): Promise<void> {
  requireContext(context)
  const exchange = exchangeOf(context.req) ?? begin(context)
  const step = await run(conduct, policy, exchange)
  if (step.kind !== 'proceed') turnAway(exchange, conduct, context, stripQuery)
  if (step.kind === 'forward') throw step.error
  if (step.kind === 'reply') {
    answer(context, step.reply)
    return
  }
  if (step.passage === undefined) {
    await next()
    return
  }
  const settling = admit(exchange, step.passage, context, stripQuery)
  try {
    await next()
  } catch (error) {
    settling.handlerOver(statusOf(error))
    throw error
  }
  settling.handlerOver()
}

/** What Koa makes of an error, later than a caller who has hung up lets it: until then it calls the answer a 404. */
function statusOf(error: unknown): number {
  const { status, statusCode = status } = (error ?? {}) as { readonly status?: unknown; readonly statusCode?: unknown }
  const told = typeof status === 'number' ? status : statusCode
  return typeof told === 'number' && told >= 400 && told <= 599 ? told : 500
}

/** For what is the same whoever asks: no policy, and no exchange. */
async function answerOrGoOn(
  replyTo: ResourceMetadata['answer'],
  context: KoaContext,
  next: () => Promise<unknown>,
): Promise<void> {
  const reply = replyTo(context.req.method, context.originalUrl)
  if (reply === undefined) await next()
  else answer(context, reply)
}

function answer(context: KoaContext, { status, fields, body }: HttpReply): void {
  context.status = status
  for (const [name, value] of Object.entries(fields)) context.set(name, value as string | string[])
  context.body = body
}

function requireContext(context: Partial<KoaContext>): void {
  if (context.req !== undefined && context.res !== undefined) return
  const remedy = 'this handler is of clientele/koa; for (req, res, next) import clientele/express'
  throw new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `expected a Koa context; ${remedy}`)
}

const showOn = view((context: KoaContext) => exchangeOf(context.req)?.latest)

function begin(context: KoaContext): Exchange {
  showOn(context)
  const { request } = context as KoaContext & { request?: object }
  return beginExchange(context.req, context.res, context.originalUrl, request)
}

/** The forms of a target that Koa keeps: its own copies on context and request, and two caches of parsed ones. */
function stripQuery(context: KoaContext, names: readonly string[]): void {
  const { req } = context
  const { request } = context as KoaContext & { request?: Record<string, unknown> }
  if (req.url !== undefined) req.url = strippedUrl(req.url, names)
  const originalUrl = strippedUrl(context.originalUrl, names)
  context.originalUrl = originalUrl
  Reflect.deleteProperty(req, '_parsedUrl')
  if (request === undefined) return
  request.originalUrl = originalUrl
  // `query` is kept by query string, `URL` for good: both are made anew when they are next asked for.
  request._querycache = {}
  request.memoizedURL = undefined
}
