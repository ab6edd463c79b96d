import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { leadsBy, nameOfPlace, type Place, type Step } from './place.js'
import { isGuard, isPolicy, nameOf, type Station, type Stop } from './stations.js'

export interface AssertProtectedOptions {
  /**
   * What may be reached without a policy, exactly as a fault names it: `'GET /health'`, `'USE / jsonParser'`; or the
   * function that was mounted, where several have one name. `[]` for nothing.
   */
  readonly open: readonly (string | ((...given: never[]) => unknown))[]
}

const entrySchema = z.union([
  z.string().min(1),
  z.custom<Station>((value) => typeof value === 'function', 'expected a text or a function'),
])
const optionsSchema = z.strictObject(
  { open: z.array(entrySchema) },
  { error: 'expected { open: [] }, or with what may be reached without a policy; there is no default' },
)

/** Something that a request can reach before any policy has looked at it. */
interface Opening {
  readonly name: string
  readonly stations: readonly Station[]
}

/** A guard on the way: what it stands before. */
interface Guarding {
  readonly place: Place
  /** `undefined`: for every method, and for all that is below the place. */
  readonly method: string | undefined
  /** The router outside of which it stands before nothing. */
  readonly within: Step | undefined
}

/** Throws `ERR_CLIENTELE_NOT_PROTECTED` with the names of all openings, those that are meant to be there left out. */
export function requireGuards(stops: readonly Stop[], options: AssertProtectedOptions): void {
  const { open } = checkOptions('assertProtected()', optionsSchema, options)
  if (!stops.some(({ kind }) => kind === 'route')) {
    const remedy = 'call it with the application, after the last route'
    throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', `assertProtected(): there are no routes; ${remedy}`)
  }
  const openings = openingsOf(stops)
  const isMeant = (entry: string | Station, { name, stations }: Opening): boolean =>
    typeof entry === 'string' ? entry === name : stations.includes(entry)
  const unmeant = openings.filter((opening) => !open.some((entry) => isMeant(entry, opening)))
  const idle = open.filter((entry) => !openings.some((opening) => isMeant(entry, opening)))
  // One more of a name that is open already would never be noticed.
  const several = open.filter((entry) => openings.filter(({ name }) => entry === name).length > 1)
  const findings = [
    ...textOf('no policy guards', unmeant, 'put one before it, or name it in open'),
    ...textOf('open names', idle.map(entryName), 'which is guarded, or not there'),
    ...textOf('open names', several.map(entryName), 'which there is more than once: give the functions in its place'),
  ]
  if (findings.length === 0) return
  throw new ClienteleFault('ERR_CLIENTELE_NOT_PROTECTED', `assertProtected(): ${findings.join('; ')}`)
}

const entryName = (entry: string | Station): { readonly name: string } => ({
  name: typeof entry === 'string' ? entry : `the function ${nameOf(entry)}`,
})

function textOf(what: string, named: readonly { readonly name: string }[], remedy: string): string[] {
  const names = [...new Set(named.map(({ name }) => name))]
  return names.length === 0 ? [] : [`${what} ${names.join(', ')} (${remedy})`]
}

function openingsOf(stops: readonly Stop[]): Opening[] {
  const guards: Guarding[] = []
  const loose = looseRoutes(stops)
  // What no guard has seen may leave its router by `next('router')`, and so pass by all guards that follow in it.
  const left = new Set<Step | undefined>()
  return stops.flatMap((stop) => {
    if (guards.some((guard) => isGuarded(stop, guard))) return []
    const { place } = stop
    const within = place.slice(0, -1).findLast((step) => step.isClosed === true || left.has(step))
    if (hasGuard(stop) && !loose.has(place.at(-1))) {
      guards.push({ place, method: stop.kind === 'route' ? stop.method : undefined, within })
    }
    const openings = stop.kind === 'route' ? openingsOfRoute(stop) : openingsOfMiddleware(stop)
    if (openings.length > 0) left.add(place.at(-2))
    return openings
  })
}

function hasGuard(stop: Stop): boolean {
  return stop.kind === 'route' ? stop.stations.some(isGuard) : isGuard(stop.station)
}

function isGuarded(stop: Stop, { place, method, within }: Guarding): boolean {
  if (within !== undefined && !stop.place.includes(within)) return false
  if (method !== undefined && (stop.kind !== 'route' || (method !== 'ALL' && method !== stop.method))) return false
  return leadsBy(place, stop.place)
}

/**
 * Routes that can be left, for some method, before a guard was reached (`next('route')`, or a `HEAD` of their own):
 * their guards stand before nothing but what is in them.
 */
function looseRoutes(stops: readonly Stop[]): Set<Step | undefined> {
  const routes = stops.filter((stop) => stop.kind === 'route')
  const loose = routes.filter(({ stations }) => !stations.some(isGuard) || beforeGuard(stations).length > 0)
  return new Set(loose.map(({ place }) => place.at(-1)))
}

function beforeGuard(stations: readonly Station[]): readonly Station[] {
  const at = stations.findIndex(isGuard)
  return (at === -1 ? stations : stations.slice(0, at)).filter((station) => !isPolicy(station))
}

function openingsOfMiddleware({ place, station }: Extract<Stop, { kind: 'middleware' }>): Opening[] {
  return isPolicy(station) ? [] : [{ name: `USE ${nameOfPlace(place)} ${nameOf(station)}`, stations: [station] }]
}

/** What stands in a route before its guard can be reached, be it the handler; a guard at the end guards nothing. */
function openingsOfRoute({ method, place, stations }: Extract<Stop, { kind: 'route' }>): Opening[] {
  const before = beforeGuard(stations)
  if (before.length === 0) return []
  const at = stations.findIndex(isGuard)
  const name = `${method} ${nameOfPlace(place)}`
  if (at === -1 || at === stations.length - 1) return [{ name, stations: before }]
  return before.map((station) => ({ name: `${name} ${nameOf(station)}`, stations: [station] }))
}
