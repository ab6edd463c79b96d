import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Strip } from '../decisions/policy.js'
import { parametersOf, queryOf } from '../http/capture.js'

/** Takes fields out of every form in which Node keeps them, in place: HTTP/2 lets none of them be replaced. */
export function stripHeaders(raw: IncomingMessage, names: readonly string[]): void {
  // Node makes `headers` of the raw fields when it is first asked for: before they change, or a delete finds nothing.
  const { headers } = raw
  for (const name of names) if (name in headers) take(headers, name)
  const kept = keepOthers(raw.rawHeaders, names)
  if (kept === raw.rawHeaders.length) return
  while (raw.rawHeaders.length > kept) raw.rawHeaders.pop()
  forgetDistinct(raw, kept)
}

/** Gives a field that is there another value, in every form. `name` is in lower case. */
export function setHeader(raw: IncomingMessage, name: string, value: string): void {
  const { headers, rawHeaders } = raw
  if (!(name in headers)) return
  headers[name] = value
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) rawHeaders[index + 1] = value
  }
  forgetDistinct(raw, rawHeaders.length)
}

function take(fields: Record<string, unknown>, name: string): void {
  // The operator, because V8 has a short way for it that `Reflect.deleteProperty` has not. It throws where it cannot.
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
  delete fields[name]
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

/** By what names Node keeps how many raw fields there are, and what it has made of them. */
const [fieldCount, distinctFields] = internals('kHeadersCount', 'kHeadersDistinct')

function internals(...names: readonly string[]): (symbol | undefined)[] {
  const probe = new IncomingMessage(undefined as unknown as Socket)
  // Kept from the first look on.
  probe.headersDistinct = {}
  const symbols = Object.getOwnPropertySymbols(probe)
  return names.map((name) => symbols.find(({ description }) => description === name))
}

/** Node makes `headersDistinct` of as many raw fields as once arrived, when it is first asked for, and keeps it. */
function forgetDistinct(raw: IncomingMessage, count: number): void {
  if (!(raw instanceof IncomingMessage)) return
  if (fieldCount === undefined || distinctFields === undefined) {
    const value = distinctOf(raw.rawHeaders)
    Object.defineProperty(raw, 'headersDistinct', { value, configurable: true, writable: true })
    return
  }
  const kept = raw as unknown as Record<symbol, unknown>
  kept[fieldCount] = count
  if (kept[distinctFields] !== undefined) kept[distinctFields] = undefined
}

/** For a Node that keeps them in another way: made at once, of what is left. */
function distinctOf(rawHeaders: readonly string[]): Record<string, string[]> {
  const distinct = Object.create(null) as Record<string, string[]>
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const values = (distinct[(rawHeaders[index] ?? '').toLowerCase()] ??= [])
    values.push(rawHeaders[index + 1] ?? '')
  }
  return distinct
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
