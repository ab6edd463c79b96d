import type { BodyPath } from '../decisions/http-request.js'

type Members = Readonly<Record<string, unknown>>

/** The text at a path of a parsed body: none, one, or `undefined` where it is anything else. See `BodyContent`. */
export function parsedTextAt(body: unknown, path: BodyPath): readonly string[] | undefined {
  if (!hasMembers(body)) return []
  let value: unknown = body
  for (const name of path) {
    if (!hasMembers(value)) return undefined
    if (!Object.hasOwn(value, name)) return []
    value = value[name]
  }
  return typeof value === 'string' ? [value] : undefined
}

/** Whether nothing stands there any more. What is frozen keeps it. */
export function removeParsed(body: unknown, path: BodyPath): boolean {
  let value: unknown = body
  for (const name of path.slice(0, -1))
    value = hasMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return !hasMembers(value) || Reflect.deleteProperty(value, path.at(-1) ?? '')
}

/** A copy that keeps what stands at a path when that is removed from the original. All the rest is shared. */
export function copyAlong(body: unknown, [name, ...rest]: BodyPath): unknown {
  if (!hasMembers(body) || name === undefined) return body
  const copy = { ...body }
  if (rest.length === 0 || !Object.hasOwn(copy, name)) return copy
  const value = copyAlong(copy[name], rest)
  // By definition, not by assignment: the name may be `__proto__`.
  return Object.defineProperty(copy, name, { value, configurable: true, enumerable: true, writable: true })
}

function hasMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
