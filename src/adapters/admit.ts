import type { Conduct } from '../clientele.js'
import type { Passage, Strip } from '../decisions/policy.js'
import type { Exchange } from './exchange.js'
import { keepPrivate } from './late-headers.js'
import { settleWhenOver, type Settling } from './settle.js'
import { stripHeaders } from './strip.js'
import { stripBody } from './strip-body.js'

/** How a framework's request, or context, loses parameters of its URL. */
type StripQuery<Target> = (target: Target, names: readonly string[]) => void

const nobodyWaits: Settling = { handlerOver: (): void => undefined }

/** What a verdict does to request and response before the handler sees them. */
export function admit<Target>(
  exchange: Exchange,
  { fields, strip, vary, settle, settleMaxAgeMs, awaitsActualCost }: Passage,
  target: Target,
  stripQuery: StripQuery<Target>,
): Settling {
  const { response } = exchange
  if (fields !== undefined && !response.headersSent) {
    for (const name in fields) response.setHeader(name, fields[name] ?? '')
  }
  if (strip !== undefined) hide(exchange, strip, target, stripQuery)
  if (vary !== undefined) keepPrivate(exchange, vary)
  if (awaitsActualCost === true) exchange.awaitsActualCost = true
  return settle === undefined ? nobodyWaits : settleWhenOver(exchange, settle, settleMaxAgeMs)
}

/** What becomes of a request that does not go on: an access log or an error handler may look at it afterwards. */
export function turnAway<Target>(
  exchange: Exchange,
  { secretPlaces }: Conduct,
  target: Target,
  stripQuery: StripQuery<Target>,
): void {
  hide(exchange, secretPlaces, target, stripQuery)
}

function hide<Target>({ request }: Exchange, strip: Strip, target: Target, stripQuery: StripQuery<Target>): void {
  if (strip.headers.length > 0) stripHeaders(request.raw, strip.headers)
  if (strip.query.length > 0) stripQuery(target, strip.query)
  if (strip.body !== undefined) stripBody(request, strip.body)
}
