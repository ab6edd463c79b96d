import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'
import { makePrivate } from '../http/private-answer.js'
import { exchangeOf, type Exchange } from './exchange.js'
import { sharedPrototypeOf } from './extend.js'

/**
 * Makes an answer private in the moment its header is written, so that nothing that a handler sets can win: on
 * Express by a `writeHead` on the prototype that all its responses share, else on the response itself.
 */
export function keepPrivate(exchange: Exchange, vary: readonly string[]): void {
  const { response } = exchange
  exchange.vary = exchange.vary === undefined ? vary : [...new Set([...exchange.vary, ...vary])]
  // Somebody has wrapped this response before: what he wrapped may be older than what is on the prototype.
  const shared = Object.hasOwn(response, 'writeHead') ? undefined : sharedPrototypeOf(response)
  if (shared === undefined) keepThisPrivate(response)
  else if (!extended.has(shared)) {
    extended.add(shared)
    extend(shared)
  }
}

const extended = new WeakSet<object>()

function keepThisPrivate(response: ServerResponse): void {
  onHeaders(response, finish)
  // HTTP/2 writes a header that nobody asked for without `writeHead`: there it is private from the start.
  if ('stream' in response) finish.call(response)
}

function finish(this: ServerResponse): void {
  const vary = exchangeOf(this.req)?.vary
  if (vary !== undefined) makePrivate(this, vary)
}

type WriteHead = (...parameters: unknown[]) => ServerResponse

function extend(shared: object): void {
  const former = Object.getOwnPropertyDescriptor(shared, 'writeHead')?.value as WriteHead | undefined
  const parent = Object.getPrototypeOf(shared) as { writeHead: WriteHead }
  const value = function (this: ServerResponse, ...parameters: unknown[]): ServerResponse {
    const inherited = former ?? parent.writeHead
    const withFields = typeof parameters.at(-1) === 'object' && exchangeOf(this.req)?.vary !== undefined
    if (withFields) return writeWithFields(this, inherited, parameters)
    finish.call(this)
    return Reflect.apply(inherited, this, parameters)
  }
  Object.defineProperty(shared, 'writeHead', { configurable: true, writable: true, value })
}

/** Fields among the parameters outdo those that are set, so `on-headers` sets them first; it knows all their forms. */
function writeWithFields(response: ServerResponse, inherited: WriteHead, parameters: unknown[]): ServerResponse {
  const own = Object.getOwnPropertyDescriptor(response, 'writeHead')
  Object.defineProperty(response, 'writeHead', { configurable: true, writable: true, value: inherited })
  onHeaders(response, finish)
  const writeHead: unknown = Reflect.get(response, 'writeHead')
  if (own === undefined) Reflect.deleteProperty(response, 'writeHead')
  else Object.defineProperty(response, 'writeHead', own)
  return Reflect.apply(writeHead as WriteHead, response, parameters)
}
