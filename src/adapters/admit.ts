import type { IncomingMessage } from 'node:http'
import type { Admitted } from '../decisions/policy.js'
import type { Exchange } from './exchange.js'
import { keepPrivate } from './late-headers.js'
import { settleWhenOver } from './settle.js'
import { stripHeaders } from './strip.js'

const nobodyWaits = { handlerOver: (): void => undefined }

/** What an admission does to request and response before the handler sees them. `stripQuery` knows the framework. */
export function admit(
  exchange: Exchange,
  { fields, strip, vary, settle }: Admitted,
  stripQuery: (raw: IncomingMessage, names: readonly string[]) => void,
): { handlerOver: () => void } {
  const { request, response } = exchange
  if (fields !== undefined && !response.headersSent) {
    for (const name in fields) response.setHeader(name, fields[name] ?? '')
  }
  if (strip !== undefined) {
    stripHeaders(request.raw, strip.headers)
    if (strip.query.length > 0) stripQuery(request.raw, strip.query)
  }
  if (vary !== undefined) keepPrivate(exchange, vary)
  return settle === undefined ? nobodyWaits : settleWhenOver(response, settle)
}
