import { METHODS } from 'node:http'
import { ClienteleFault } from '../decisions/faults.js'
import { placeIn, type Place } from '../protection/place.js'
import type { Station, Stop } from '../protection/stations.js'

/** As much of a layer of Express 4 and 5 as is looked at. */
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

/** What Express 4 puts before everything: it reads the query, and sets the prototypes. */
const ownStations = ['query', 'expressInit']
const errorHandlerLength = 4

/** What requests to an application or a router come by, routers in routers included. */
export function expressStops(app: unknown): Stop[] {
  const stack = stackOf(app)
  const isOwn = ({ handle }: Layer, index: number): boolean => ownStations[index] === handle.name
  return stopsIn(
    stack.filter((layer, index) => !isOwn(layer, index)),
    '/',
  )
}

function stackOf(app: unknown): readonly Layer[] {
  const { stack, lazyrouter } = (app ?? {}) as { readonly stack?: unknown; readonly lazyrouter?: unknown }
  if (Array.isArray(stack)) return stack as Layer[]
  // `app.router` of Express 4 throws; its own has no routes before the first of them.
  const name = typeof lazyrouter === 'function' ? '_router' : 'router'
  const router = (app as Record<string, { readonly stack?: unknown } | undefined> | undefined)?.[name]
  if (Array.isArray(router?.stack)) return router.stack as Layer[]
  if (name === '_router') return []
  throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'assertProtected(): expected an Express application or router')
}

function stopsIn(stack: readonly Layer[], outer: Place): Stop[] {
  return stack.flatMap((layer) => {
    const { handle, route } = layer
    if (route !== undefined) return placesIn(outer, route.path).flatMap((place) => stopsOfRoute(route.stack, place))
    if (handle.length === errorHandlerLength) return []
    const places = placesIn(outer, mountedAt(layer))
    const { stack: inner } = handle
    if (Array.isArray(inner)) return places.flatMap((place) => stopsIn(inner as Layer[], place))
    return places.map((place): Stop => ({ kind: 'middleware', place, station: handle }))
  })
}

function placesIn(outer: Place, paths: unknown): Place[] {
  return [paths].flat(Infinity).map((path) => placeIn(outer, path))
}

function mountedAt({ rawPath, slash, regexp, keys = [] }: Layer): unknown {
  if (rawPath !== undefined) return rawPath
  if (slash === true || regexp?.fast_slash === true) return '/'
  return regexp === undefined ? new UnknownPath() : pathOf(regexp, keys)
}

/** A version of Express that does not tell. Equal to nothing, itself included. */
class UnknownPath {
  static #made = 0
  readonly #number = ++UnknownPath.#made

  toString(): string {
    return `unknown path ${String(this.#number)}`
  }
}

/** What Express 4 was told, where it was a plain path or several; else what it made of it. */
function pathOf({ source }: RegExp, keys: readonly { readonly name: unknown }[]): unknown {
  let named = 0
  const alternatives = source.split('|^').map((alternative) => {
    const path = alternative
      .replace(/^\^/, '')
      .replace(/\\\/\?\(\?=\\\/\|\$\)$/, '')
      .replaceAll('(?:\\/([^/]+?))', () => `/:${String(keys[named++]?.name)}`)
      .replaceAll(/\\([/.-])/g, '$1')
    return /^[\w/:.-]*$/.test(path) ? path : undefined
  })
  return alternatives.includes(undefined) ? source : alternatives
}

/** One for each method, and one for the rest of them where handlers are for all. */
function stopsOfRoute(layers: readonly RouteLayer[], place: Place): Stop[] {
  const stack = layers.filter(({ handle }) => handle.length !== errorHandlerLength)
  const own = [...new Set(stack.map(({ method }) => method?.toUpperCase() ?? 'ALL'))]
  const stop = (method: string): Stop => {
    const stations = stack.filter((layer) => layer.method === undefined || layer.method.toUpperCase() === method)
    return { kind: 'route', place, method, stations: stations.map(({ handle }) => handle) }
  }
  return isForAll(own) ? merged(own.map(stop)) : own.map(stop)
}

/** `app.all` registers every method that Node knows by itself. */
function isForAll(methods: readonly string[]): boolean {
  return methods.length > METHODS.length / 2
}

/** Where the same functions stand behind every method, they are one route for all. */
function merged(stops: readonly Stop[]): Stop[] {
  const texts = stops.map((stop) => (stop.kind === 'route' ? stop.stations : []))
  const [first = []] = texts
  const isSame = texts.every((list) => list.length === first.length && list.every((each, at) => each === first[at]))
  const [stop] = stops
  return isSame && stop?.kind === 'route' ? [{ ...stop, method: 'ALL' }] : [...stops]
}
