import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'
import { makePrivate } from '../http/private-answer.js'
import { exchangeOf, type Exchange } from './exchange.js'

/**
 * Makes an answer private in the moment its header is written, so that nothing that a handler sets can win. On
 * Express by a `writeHead` on the application's own prototype of responses, for the reason in `extend.ts`.
 */
export function keepPrivate(exchange: Exchange, vary: readonly string[]): void {
  const { response } = exchange
  exchange.vary = exchange.vary === undefined ? vary : [...new Set([...exchange.vary, ...vary])]
  const prototype = Object.getPrototypeOf(response) as object
  if (extended.has(prototype)) return
  if (Object.hasOwn(prototype, 'constructor')) {
    onHeaders(response, finish)
    return
  }
  Object.defineProperty(prototype, 'writeHead', {
    configurable: true,
    writable: true,
    value: writeHeadAfter(prototype),
  })
  extended.add(prototype)
}

type WriteHead = (...parameters: unknown[]) => ServerResponse

function writeHeadAfter(prototype: object): WriteHead {
  const inherited = Object.getPrototypeOf(prototype) as { writeHead: WriteHead }
  return function (this: ServerResponse & { writeHead: WriteHead }, ...parameters) {
    // Fields among the parameters outdo those that are set: `on-headers` sets them first, and comes by here again.
    if (parameters.length > 1 && exchangeOf(this.req)?.vary !== undefined) {
      onHeaders(this, finish)
      return this.writeHead(...parameters)
    }
    finish.call(this)
    return Reflect.apply(inherited.writeHead, this, parameters)
  }
}

const extended = new WeakSet<object>()

function finish(this: ServerResponse): void {
  const exchange = exchangeOf(this.req)
  if (exchange?.vary === undefined) return
  makePrivate(this, exchange.vary)
  exchange.vary = undefined
}
