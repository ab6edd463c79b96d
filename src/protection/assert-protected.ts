import { z } from 'zod'
import { ClienteleFault } from '../decisions/faults.js'
import { checkOptions } from '../runtime/check.js'
import { leadsBy, type Place } from './place.js'
import { isGuard, isPolicy, nameOf, type Station, type Stop } from './stations.js'

export interface AssertProtectedOptions {
  /**
   * What may be reached without a policy, exactly as a fault names it: `'GET /health'`, `'USE / jsonParser'`; or the
   * function that was mounted. `[]` for nothing.
   */
  readonly open: readonly (string | ((...given: never[]) => unknown))[]
}

const entrySchema = z.union([
  z.string().min(1),
  z.custom<Station>((value) => typeof value === 'function', 'expected a text or a function'),
])
const optionsSchema = z.strictObject({ open: z.array(entrySchema) })

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
  readonly within: object | undefined
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
  const findings = [
    ...textOf('no policy guards', unmeant, 'put one before it, or name it in open'),
    ...textOf('open names', idle.map(entryName), 'which is guarded, or not there'),
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
  return stops.flatMap((stop) => {
    if (isGuarded(stop, guards)) return []
    const { place, within } = stop
    if (stop.kind === 'route') {
      if (stop.stations.some(isGuard)) guards.push({ place, method: stop.method, within })
      return openingsOfRoute(stop)
    }
    if (isGuard(stop.station)) guards.push({ place, method: undefined, within })
    if (isPolicy(stop.station)) return []
    return [{ name: `USE ${place} ${nameOf(stop.station)}`, stations: [stop.station] }]
  })
}

function isGuarded(stop: Stop, guards: readonly Guarding[]): boolean {
  return guards.some(({ place, method, within }) => {
    if (within !== undefined && within !== stop.within) return false
    if (method === undefined) return leadsBy(place, stop.place)
    return stop.kind === 'route' && place === stop.place && (method === 'ALL' || method === stop.method)
  })
}

/** What stands in a route before its guard can be reached, be it the handler; a guard at the end guards nothing. */
function openingsOfRoute({ method, place, stations }: Extract<Stop, { kind: 'route' }>): Opening[] {
  const at = stations.findIndex(isGuard)
  const before = (at === -1 ? stations : stations.slice(0, at)).filter((station) => !isPolicy(station))
  if (before.length === 0) return []
  const name = `${method} ${place}`
  if (at === -1 || at === stations.length - 1) return [{ name, stations: before }]
  return before.map((station) => ({ name: `${name} ${nameOf(station)}`, stations: [station] }))
}
