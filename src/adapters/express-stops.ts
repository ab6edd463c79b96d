import { ClienteleFault } from '../decisions/faults.js'
import { everywhere, type Place, type Step } from '../protection/place.js'
import { isForAll, type Station, type Stop } from '../protection/stations.js'

/** As much of a router of Express 4 and 5 as is looked at. */
interface Router {
  readonly stack: readonly Layer[]
  readonly caseSensitive?: unknown
  readonly strict?: unknown
}

interface Layer {
  readonly handle: Station & { readonly stack?: unknown }
  readonly route?: { readonly path: unknown; readonly stack: readonly RouteLayer[] } | undefined
  /** Express 5 keeps what it was told, Express 4 what it made of it. */
  readonly rawPath?: unknown
  readonly regexp?: RegExp & { readonly fast_slash?: boolean }
  readonly keys?: readonly { readonly name: unknown }[]
  readonly slash?: boolean
}

interface RouteLayer {
  readonly handle: Station
  /** In small letters; without it, for all. */
  readonly method?: string | undefined
}

/** What an application of Express 4 puts before everything: it reads the query, and sets the prototypes. */
const ownStations = ['query', 'expressInit']
/** What takes more is for errors alone. */
const handlerLength = 3

/** What requests to an application or a router come by, routers in routers included. */
export function expressStops(app: unknown): Stop[] {
  if (isRouter(app)) return stopsIn(app, app.stack, [])
  const { lazyrouter } = (app ?? {}) as { readonly lazyrouter?: unknown }
  // `app.router` of Express 4 throws; its own has no routes before the first of them.
  const name = typeof lazyrouter === 'function' ? '_router' : 'router'
  const router = (app as Record<string, unknown> | undefined)?.[name]
  if (isRouter(router)) {
    const isOwn = ({ handle }: Layer, index: number): boolean => ownStations[index] === handle.name
    const added = name === 'router' ? router.stack : router.stack.filter((layer, index) => !isOwn(layer, index))
    return stopsIn(router, added, [])
  }
  if (name === '_router') return []
  throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'assertProtected(): expected an Express application or router')
}

function isRouter(given: unknown): given is Router {
  return Array.isArray((given as { readonly stack?: unknown } | undefined | null)?.stack)
}

function stopsIn(router: Router, stack: readonly Layer[], outer: Place): Stop[] {
  return stack.flatMap((layer) => {
    const { handle, route } = layer
    if (route !== undefined) {
      const steps = stepsOf(layer.rawPath ?? route.path, 'itself', router)
      return steps.flatMap((step) => stopsOfRoute(route.stack, [...outer, step]))
    }
    if (handle.length > handlerLength) return []
    const places = mountsOf(layer, router).map((step) => [...outer, step])
    if (isRouter(handle)) return places.flatMap((place) => stopsIn(handle, handle.stack, place))
    return places.map((place): Stop => ({ kind: 'middleware', place, station: handle }))
  })
}

/** Where something is mounted. Each time a step of its own, so that what stands in a router knows it by that. */
function mountsOf({ rawPath, slash, regexp, keys = [] }: Layer, router: Router): Step[] {
  if (slash === true || regexp?.fast_slash === true) return [{ ...everywhere }]
  if (rawPath !== undefined) return stepsOf(rawPath, 'below', { caseSensitive: router.caseSensitive, strict: false })
  if (regexp === undefined) return [{ ...everywhere, name: '/(unknown path)', reach: 'below' }]
  const made = pathsOf(regexp, keys) ?? regexp
  return stepsOf(made, 'below', { caseSensitive: !regexp.ignoreCase, strict: false })
}

function stepsOf(paths: unknown, reach: Step['reach'], options: Pick<Router, 'caseSensitive' | 'strict'>): Step[] {
  const given = [paths].flat(Infinity)
  const strict = Boolean(options.strict)
  // Where a regular expression is one of several, it may match in the middle, and the mount is passed by.
  const isText = given.every((path) => typeof path === 'string')
  return given.map((path) => {
    const name = typeof path === 'string' ? path : `/(${String(path)})`
    const compared = strict ? name : name.replace(/(?<=.)\/$/, '')
    return { name, path: isText ? compared : undefined, reach, sensitive: Boolean(options.caseSensitive), strict }
  })
}

/** What Express 4 was told, where it was a plain path or several. */
function pathsOf({ source, flags }: RegExp, keys: readonly { readonly name: unknown }[]): string[] | undefined {
  let named = 0
  const paths = source.split('|^').map((alternative, index) => {
    const made = /^(?<path>[^]*)\\\/\?\(\?=\\\/\|\$\)$/.exec(index === 0 ? alternative : `^${alternative}`)?.groups
      ?.path
    const path = made
      ?.replace(/^\^/, '')
      .replaceAll('(?:\\/([^/]+?))', () => `/:${String(keys[named++]?.name)}`)
      .replaceAll(/\\([/.-])/g, '$1')
    const isWhole = made?.startsWith('^') === true && path !== undefined && /^[\w/:.-]*$/.test(path)
    return isWhole ? path : undefined
  })
  return (flags === '' || flags === 'i') && paths.every((path) => path !== undefined) ? paths : undefined
}

/** One for each method, and one for the rest of them where handlers are for all. */
function stopsOfRoute(layers: readonly RouteLayer[], place: Place): Stop[] {
  const stack = layers.filter(({ handle }) => handle.length <= handlerLength)
  const own = [...new Set(stack.map(({ method }) => method?.toUpperCase() ?? 'ALL'))]
  const stop = (method: string): Stop => {
    const stations = stack.filter((layer) => layer.method === undefined || layer.method.toUpperCase() === method)
    return { kind: 'route', place, method, stations: stations.map(({ handle }) => handle) }
  }
  return isForAll(own) ? merged(own.map(stop)) : own.map(stop)
}

/** Where the same functions stand behind every method, they are one route for all. */
function merged(stops: readonly Stop[]): Stop[] {
  const texts = stops.map((stop) => (stop.kind === 'route' ? stop.stations : []))
  const [first = []] = texts
  const isSame = texts.every((list) => list.length === first.length && list.every((each, at) => each === first[at]))
  const [stop] = stops
  return isSame && stop?.kind === 'route' ? [{ ...stop, method: 'ALL' }] : [...stops]
}
