import { IncomingMessage } from 'node:http'
import type { Strip } from '../decisions/policy.js'
import { parametersOf, queryOf } from '../http/capture.js'

/** Takes fields out of every form in which Node keeps them, in place: HTTP/2 lets none of them be replaced. */
export function stripHeaders(raw: IncomingMessage, names: readonly string[]): void {
  // Node makes `headers` of the raw fields when it is first asked for: before they change, or a delete finds nothing.
  const { headers } = raw
  for (const name of names) if (name in headers) take(headers, name)
  const kept = keepOthers(raw.rawHeaders, names)
  if (kept === raw.rawHeaders.length) return
  raw.rawHeaders.length = kept
  forgetDistinct(raw, kept)
}

function take(fields: object, name: string): void {
  if (Reflect.deleteProperty(fields, name)) return
  throw new TypeError('The fields of the request are frozen, so that a secret cannot be taken out of them.')
}

/** Moves what stays to the front, and says how many places it takes. */
function keepOthers(rawHeaders: string[], names: readonly string[]): number {
  let kept = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (isOneOf(names, name)) continue
    if (kept !== index) {
      rawHeaders[kept] = name
      rawHeaders[kept + 1] = rawHeaders[index + 1] ?? ''
    }
    kept += 2
  }
  return kept
}

/** The length first: it spares nearly every field the lower-casing. */
function isOneOf(names: readonly string[], field: string): boolean {
  for (const name of names) if (name.length === field.length && name === field.toLowerCase()) return true
  return false
}

let fieldCount: symbol | undefined

/** Node makes `headersDistinct` of as many raw fields as once arrived, when it is first asked for, and keeps it. */
function forgetDistinct(raw: IncomingMessage, count: number): void {
  if (!(raw instanceof IncomingMessage)) return
  fieldCount ??= Object.getOwnPropertySymbols(raw).find(({ description }) => description === 'kHeadersCount')
  if (fieldCount !== undefined && Reflect.has(raw, fieldCount)) {
    Reflect.set(raw, fieldCount, count)
    Reflect.set(IncomingMessage.prototype, 'headersDistinct', undefined, raw)
    return
  }
  // A Node that counts in another way: made at once, of what is left.
  const value = Object.create(null) as Record<string, string[]>
  for (let index = 0; index < count; index += 2) {
    ;(value[(raw.rawHeaders[index] ?? '').toLowerCase()] ??= []).push(raw.rawHeaders[index + 1] ?? '')
  }
  Object.defineProperty(raw, 'headersDistinct', { value, configurable: true, writable: true })
}

/** A target without the named parameters; all that remains is as it was, byte for byte. */
export function strippedUrl(url: string, names: Strip['query']): string {
  const query = queryOf(url)
  const kept = query.split('&').filter((pair) => !names.includes(nameOf(pair)))
  const path = url.slice(0, url.length - query.length - (url.includes('?') ? 1 : 0))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

function nameOf(pair: string): string {
  const [name] = parametersOf(pair).keys()
  return name ?? ''
}

/** Takes parameters out of a query that was already parsed into an object. */
export function stripParsed(parsed: unknown, names: Strip['query']): void {
  if (typeof parsed !== 'object' || parsed === null) return
  for (const name of names) Reflect.deleteProperty(parsed, name)
}
