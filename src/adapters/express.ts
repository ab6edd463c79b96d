import type { IncomingMessage, ServerResponse } from 'node:http'
import { wirePolicies, type ClienteleOptions, type Conduct, type ResourceMetadata } from '../clientele.js'
import type { Admission } from '../decisions/admission.js'
import { ClienteleFault } from '../decisions/faults.js'
import { isPromise } from '../decisions/maybe-promise.js'
import type { Policy } from '../decisions/policy.js'
import { requireGuards, type AssertProtectedOptions } from '../protection/assert-protected.js'
import { actualCostWriter, type SetActualCost } from './actual-cost.js'
import { admissionReader, type AdmissionOf } from './admission-of.js'
import { admit, turnAway } from './admit.js'
import { beginExchange, exchangeOf, type Exchange } from './exchange.js'
import { view } from './extend.js'
import { expressStops } from './express-stops.js'
import { handlersOf, type Handlers } from './handlers.js'
import { run, type Step } from './run.js'
import { strippedUrl, stripParsed } from './strip.js'
import { writeReply } from './write-reply.js'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** What the policy that ran last has established; read-only. With several APIs in one app use `admissionOf`. */
      readonly clientele?: Admission
    }
  }
}

export type { AssertProtectedOptions, ClienteleOptions }

/** Typed on `node:http`, so that the framework's own inference of `req.params` survives. */
export type ExpressHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

export interface ExpressClientele extends Handlers<ExpressHandler> {
  readonly admissionOf: AdmissionOf<IncomingMessage>
  readonly setActualCost: SetActualCost<IncomingMessage>
}

/**
 * For Express 4 and 5, and whatever else calls `(req, res, next)`: the policies of one API as handlers.
 *
 * @example
 * const { enforceClientId, limitBySla, admissionOf } = clientele({ api: 'orders', store })
 * app.get('/orders', enforceClientId(), limitBySla(), (req, res) => res.json(admissionOf(req, 'client').client))
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function clientele(options: ClienteleOptions): ExpressClientele {
  const policies = wirePolicies(options)
  const { conduct } = policies
  const toHandler =
    (policy: Policy): ExpressHandler =>
    (request, response, next) => {
      const exchange = exchangeOf(request) ?? begin(request, response)
      const step = run(conduct, policy, exchange)
      if (!isPromise(step)) take(step, conduct, exchange, request, next)
      else
        void step.then((later) => {
          take(later, conduct, exchange, request, next)
        })
    }
  const handlers = handlersOf(policies, toHandler, answering)
  return { ...handlers, admissionOf: admissionReader(conduct.api, rawOf), setActualCost: actualCostWriter(rawOf) }
}

/** For what is the same whoever asks: no policy, and no exchange. */
function answering(answer: ResourceMetadata['answer']): ExpressHandler {
  return (request, response, next) => {
    const reply = answer(request.method, originalUrlOf(request))
    if (reply === undefined) next()
    else writeReply(response, reply)
  }
}

/**
 * For the last line of a start-up: throws where a request can reach anything before a policy that identifies its
 * caller, and names it all by method and path. Functions that are mounted before a policy count, too, since any of them
 * could answer: those that do not, as parsers of bodies, are named in `open`, or mounted behind the policy. What cannot
 * be looked into is named and never passed over. Another application that is mounted in it hides its routes: it is named as a whole, and wants a call of its own. `skip` of `clientele()` is not looked at.
 *
 * @param app - an Express application or router, after its last route
 * @throws ClienteleFault `ERR_CLIENTELE_NOT_PROTECTED` with the list, `ERR_CLIENTELE_OPTIONS`
 */
export function assertProtected(app: object, options: AssertProtectedOptions): void {
  requireGuards(expressStops(app), options)
}

const rawOf = (request: IncomingMessage): IncomingMessage => request

const showOn = view((request: IncomingMessage) => exchangeOf(request)?.latest)

function begin(request: IncomingMessage, response: ServerResponse): Exchange {
  if (!((request.rawHeaders as unknown) instanceof Array)) {
    const remedy = 'this handler is of clientele/express; for a Koa context import clientele/koa'
    throw new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `expected (req, res, next); ${remedy}`)
  }
  showOn(request)
  return beginExchange(request, response, originalUrlOf(request))
}

/** Express shortens `url` below a mount path and keeps the whole in `originalUrl`. */
function originalUrlOf(request: IncomingMessage & { originalUrl?: unknown }): string {
  const { originalUrl, url = '/' } = request
  return typeof originalUrl === 'string' ? originalUrl : url
}

/** Whatever goes wrong here goes to the application: nobody waits for what this returns. */
function take(
  step: Step,
  conduct: Conduct,
  exchange: Exchange,
  request: IncomingMessage,
  next: (error?: unknown) => void,
): void {
  try {
    if (step.kind !== 'proceed') turnAway(exchange, conduct, request, stripQuery)
    if (step.kind === 'forward') {
      next(step.error)
      return
    }
    if (step.kind === 'reply') {
      writeReply(exchange.response, step.reply)
      return
    }
    if (step.passage !== undefined) admit(exchange, step.passage, request, stripQuery)
  } catch (error) {
    next(error)
    return
  }
  next()
}

/** The forms of a target that Express keeps. `parseurl` compares its copies with the URL and makes them anew. */
function stripQuery(request: IncomingMessage & { originalUrl?: unknown }, names: readonly string[]): void {
  if (request.url !== undefined) request.url = strippedUrl(request.url, names)
  if (typeof request.originalUrl === 'string') request.originalUrl = strippedUrl(request.originalUrl, names)
  for (const copy of ['_parsedUrl', '_parsedOriginalUrl']) Reflect.deleteProperty(request, copy)
  // Express 4 has parsed it when the first middleware ran; Express 5 parses at each look, of the URL above.
  stripParsed(Object.getOwnPropertyDescriptor(request, 'query')?.value, names)
}
