import type { IncomingMessage } from 'node:http'
import type { Strip } from '../decisions/policy.js'
import { queryOf } from '../http/capture.js'

/** Takes fields out of every form in which Node keeps them. */
export function stripHeaders(raw: IncomingMessage, names: readonly string[]): void {
  if (names.length === 0) return
  // Node makes `headers` of the raw fields when it is first asked for: before they change, or a delete finds nothing.
  const { headers } = raw
  for (const name of names) Reflect.deleteProperty(headers, name)
  raw.rawHeaders = withoutFields(raw.rawHeaders, names)
  Object.defineProperty(raw, 'headersDistinct', distinct)
}

/** Node's own would be made of as many fields as once arrived, and fail on those that are gone. */
const distinct: PropertyDescriptor & ThisType<IncomingMessage> = {
  configurable: true,
  get() {
    const value = Object.create(null) as Record<string, string[]>
    for (const [index, name] of this.rawHeaders.entries()) {
      if (index % 2 === 0) (value[name.toLowerCase()] ??= []).push(this.rawHeaders[index + 1] ?? '')
    }
    Object.defineProperty(this, 'headersDistinct', { value, configurable: true, writable: true })
    return value
  },
}

function withoutFields(rawHeaders: readonly string[], names: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!names.some((each) => each.length === name.length && each === name.toLowerCase())) {
      kept.push(name, rawHeaders[index + 1] ?? '')
    }
  }
  return kept
}

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
