/** Where something is mounted, as its framework was told, from the root of the application on. */
export type Place = string

/** What stands between two slashes and means one segment, whatever it is. */
const parameter = /^:\w+$/
const literal = /^[\w.~%@$!,;=&'-]+$/
/** What means everything from there on: `*` and `(.*)` of old, `{*name}` today. */
const everything = /^(\*|\(\.\*\)|\{\*\w+\})$/
/** The same, but not for nothing at all. */
const something = /^\*\w+$/

/** One place in another. Whatever is no text is a segment of its own, which equals nothing but itself. */
export function placeIn(outer: Place, inner: unknown): Place {
  const text = typeof inner === 'string' ? inner : `(${String(inner)})`
  const joined = [...segmentsOf(outer), ...segmentsOf(text)].join('/')
  return `/${joined}`
}

/**
 * Whether every request for a route at one place has come by another, where something is mounted. In doubt it has not:
 * of patterns only what is certain is understood.
 */
export function leadsBy(mounted: Place, route: Place): boolean {
  const [asked, own] = [segmentsOf(route), segmentsOf(mounted)]
  const last = own.at(-1)
  if (last !== undefined && everything.test(last)) own.pop()
  else if (last !== undefined && something.test(last) && literal.test(asked[own.length - 1] ?? '')) own.pop()
  return own.length <= asked.length && own.every((segment, index) => isWithin(asked[index] ?? '', segment))
}

function isWithin(asked: string, mounted: string): boolean {
  return asked === mounted || (parameter.test(mounted) && (literal.test(asked) || parameter.test(asked)))
}

function segmentsOf(place: string): string[] {
  // A slash within brackets belongs to what is no text.
  return place.startsWith('(') ? [place] : (place.match(/\([^]*?\)(?=\/|$)|[^/]+/g) ?? [])
}
