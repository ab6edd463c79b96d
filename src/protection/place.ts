/** One comparison of a framework with what is asked for: where a router is mounted, or something stands in one. */
export interface Step {
  /** As the framework was told, slashes and all; empty where it was told nothing. */
  readonly name: string
  /** What is compared; `undefined` where that is no text, or nobody knows what the framework has made of it. */
  readonly path: string | undefined
  /** `all`: whatever is asked for; `below`: the path and what is below it; `itself`: the path alone. */
  readonly reach: 'all' | 'below' | 'itself'
  /** Whether `/A` is another path than `/a`. */
  readonly sensitive: boolean
  /** Whether `/a/` is another path than `/a`. */
  readonly strict: boolean
  /** A router that runs what is in it for its own routes alone. */
  readonly isClosed?: boolean
}

/** The way to something from the root of the application on: the routers that it is in, then its own step. */
export type Place = readonly Step[]

export const everywhere: Step = { name: '', path: undefined, reach: 'all', sensitive: false, strict: false }

const literal = /^[\w.~%@-]+$/
/** What stands between two slashes and means one segment, whatever it is. */
const parameter = /^:\w+$/
const plain = /^(\/([\w.~%@-]+|:\w+))*$/
/** Ends in `{*name}`, which means everything behind the slash; or in `*name`, which is the same but for nothing at all. */
const wild = /^(?<plain>.*)\/(\{\*\w+\}|(?<some>\*\w+))$/
/** A path in which a slash is a slash: no bracket, mark or star makes one optional. */
const tame = /^(\/([\w.~%@-]*|:\w+\??))*(\/(\*\w*|\{\*\w+\}|\(\.\*\)))?$/

export function nameOfPlace(place: Place): string {
  const name = place.map((step) => step.name).join('')
  return name === '' ? '/' : name
}

/**
 * Whether every request for what stands at one place has come by another. In doubt it has not: a path behind a mount
 * is never put together from the two, since frameworks differ in which slashes each of them takes.
 */
export function leadsBy(mounted: Place, asked: Place): boolean {
  const own = mounted.filter(isNarrow)
  const others = asked.filter(isNarrow)
  return own.every((step, index) => {
    const other = others[index]
    return other !== undefined && (step === other || (index === own.length - 1 && includes(step, other)))
  })
}

const isNarrow = ({ reach }: Step): boolean => reach !== 'all'

/** Whether one step takes whatever the other does. Two regular expressions are never the same. */
function includes(step: Step, other: Step): boolean {
  if (step.path === undefined || other.path === undefined) return false
  if (step.sensitive && !other.sensitive) return false
  if (step.reach === 'itself') {
    return other.reach === 'itself' && step.path === other.path && (!step.strict || other.strict)
  }
  return step.path === other.path || isBelow(step.path, other.path)
}

function isBelow(path: string, asked: string): boolean {
  if (!tame.test(asked)) return false
  const segments = segmentsOf(asked)
  const found = wild.exec(path)?.groups
  const start = found?.plain ?? path
  if (!plain.test(start)) return false
  const own = segmentsOf(start)
  const next = segments[own.length]
  if (found !== undefined && (next === undefined || (found.some !== undefined && !isOne(next)))) return false
  return own.length <= segments.length && own.every((segment, index) => isWithin(segments[index] ?? '', segment))
}

const isOne = (segment: string): boolean => literal.test(segment) || parameter.test(segment)

const isWithin = (asked: string, mounted: string): boolean =>
  parameter.test(mounted) ? isOne(asked) : asked === mounted

const segmentsOf = (path: string): string[] => path.split('/').slice(1)
