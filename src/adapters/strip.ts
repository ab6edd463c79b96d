import type { IncomingMessage } from 'node:http'
import type { Strip } from '../decisions/policy.js'
import { queryOf } from '../http/capture.js'
import { extension } from './extend.js'

/** Takes fields out of every form in which Node keeps them. */
export function stripHeaders(raw: IncomingMessage, names: readonly string[]): void {
  // Node makes `headers` of the raw fields when it is first asked for: before they change, or a delete finds nothing.
  const { headers } = raw
  for (const name of names) if (name in headers) Reflect.deleteProperty(headers, name)
  const kept = withoutFields(raw.rawHeaders, names)
  if (kept === raw.rawHeaders) return
  raw.rawHeaders = kept
  giveDistinct(raw)
}

/** The same list where none of the names stands in it. */
function withoutFields(rawHeaders: string[], names: readonly string[]): string[] {
  let kept = rawHeaders
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (isOneOf(names, name)) kept = kept === rawHeaders ? rawHeaders.slice(0, index) : kept
    else if (kept !== rawHeaders) kept.push(name, rawHeaders[index + 1] ?? '')
  }
  return kept
}

/** The length first: it spares nearly every field the lower-casing. */
function isOneOf(names: readonly string[], field: string): boolean {
  for (const name of names) if (name.length === field.length && name === field.toLowerCase()) return true
  return false
}

/** Node's own `headersDistinct` would be made of as many fields as once arrived, and fail on those that are gone. */
const giveDistinct = extension<IncomingMessage>({
  headersDistinct: {
    configurable: true,
    get() {
      const value = Object.create(null) as Record<string, string[]>
      for (const [index, name] of this.rawHeaders.entries()) {
        if (index % 2 === 0) (value[name.toLowerCase()] ??= []).push(this.rawHeaders[index + 1] ?? '')
      }
      Object.defineProperty(this, 'headersDistinct', { value, configurable: true, writable: true })
      return value
    },
  },
})

/** A target without the named parameters; all that remains is as it was, byte for byte. */
export function strippedUrl(url: string, names: Strip['query']): string {
  const query = queryOf(url)
  const kept = query.split('&').filter((pair) => !names.includes(nameOf(pair)))
  const path = url.slice(0, url.length - query.length - (url.includes('?') ? 1 : 0))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

function nameOf(pair: string): string {
  const [name] = new URLSearchParams(pair).keys()
  return name ?? ''
}

/** Takes parameters out of a query that was already parsed into an object. */
export function stripParsed(parsed: unknown, names: Strip['query']): void {
  if (typeof parsed !== 'object' || parsed === null) return
  for (const name of names) Reflect.deleteProperty(parsed, name)
}
