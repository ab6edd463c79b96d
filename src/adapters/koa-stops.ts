import { ClienteleFault } from '../decisions/faults.js'
import { everywhere, type Place, type Step } from '../protection/place.js'
import { isForAll, type Station, type Stop } from '../protection/stations.js'

/** As much of `@koa/router` as is looked at. */
interface Router {
  readonly stack: readonly Layer[]
  /** Of all that match, the last one runs, and nothing else. */
  readonly exclusive?: boolean
  readonly on?: unknown
  readonly _events?: { readonly _handlers?: unknown }
}

interface Layer {
  readonly path: unknown
  /** None for middleware. */
  readonly methods: readonly string[]
  readonly stack: readonly Station[]
  readonly opts?: {
    readonly end?: unknown
    readonly sensitive?: unknown
    readonly strict?: unknown
    readonly pathAsRegExp?: unknown
  }
}

/** What it writes behind the path of middleware, to say "and all below": into a regular expression, and into a path. */
const [belowAsRegExp, belowAsPath] = [String.raw`(?:\/|$)`, '{/*rest}']

/** What requests to an application, or to a router alone, come by. */
export function koaStops(app: unknown): Stop[] {
  const { middleware } = (app ?? {}) as { readonly middleware?: unknown }
  if (isRouter(app)) return stopsIn(app)
  if (!Array.isArray(middleware)) {
    throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'assertProtected(): expected a Koa application or router')
  }
  return (middleware as (Station & { readonly router?: unknown })[]).flatMap((station): Stop[] =>
    isRouter(station.router) ? stopsIn(station.router) : [{ kind: 'middleware', place: [everywhere], station }],
  )
}

function isRouter(given: unknown): given is Router {
  return Array.isArray((given as Partial<Router> | undefined)?.stack)
}

/** A router runs its middleware for its own routes alone, and routers in it have become part of it. */
function stopsIn(router: Router): Stop[] {
  const closed = (): Step => ({ ...everywhere, isClosed: true })
  const all = closed()
  const stops = router.stack.flatMap((layer): Stop[] => {
    const { methods, stack } = layer
    const place: Place = [router.exclusive ? closed() : all, stepOf(layer)]
    if (methods.length === 0) return stack.map((station) => ({ kind: 'middleware', place, station }))
    return shown(methods).map((method) => ({ kind: 'route', place, method, stations: stack }))
  })
  const unmatched: Place = [closed(), everywhere]
  const others = handlersOf(router).map((station): Stop => ({ kind: 'middleware', place: unmatched, station }))
  return [...stops, ...others]
}

/** What answers where no route does (`router.on`). */
function handlersOf({ on, _events: events }: Router): readonly Station[] {
  if (typeof on !== 'function') return []
  if (events?._handlers instanceof Map) return [...(events._handlers as Map<unknown, Station[]>).values()].flat()
  return [function unknownEvents() {}]
}

function stepOf({ path, methods, opts }: Layer): Step {
  const reach = opts?.end === false ? 'below' : 'itself'
  const step = { reach, sensitive: Boolean(opts?.sensitive), strict: Boolean(opts?.strict) } as const
  if (typeof path !== 'string') return { ...step, name: `/(${String(path)})`, path: undefined }
  if (methods.length > 0 || reach === 'itself') {
    return { ...step, name: path, path: isCompared(opts) ? path : undefined }
  }
  if (path === belowAsRegExp) return everywhere
  if (path.endsWith(belowAsRegExp)) {
    const name = path.slice(0, -belowAsRegExp.length)
    // Made without the flag that would let it match capitals too. What means more in it than itself is not compared.
    return { ...step, name, path: /^[\w/.~%@-]*$/.test(name) ? name : undefined, sensitive: true }
  }
  const name = path.endsWith(belowAsPath) ? path.slice(0, -belowAsPath.length) : path
  return { ...step, name, path: isCompared(opts) ? name : undefined }
}

const isCompared = (opts: Layer['opts']): boolean => opts !== undefined && opts.pathAsRegExp !== true

/** A route for GET is one for HEAD too. */
function shown(methods: readonly string[]): readonly string[] {
  const own = new Set(methods)
  if (isForAll(methods)) return ['ALL']
  if (own.has('GET')) own.delete('HEAD')
  return [...own]
}
