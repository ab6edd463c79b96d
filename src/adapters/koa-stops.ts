import { METHODS } from 'node:http'
import { ClienteleFault } from '../decisions/faults.js'
import { placeIn } from '../protection/place.js'
import type { Station, Stop } from '../protection/stations.js'

/** As much of `@koa/router` as is looked at. */
interface Router {
  readonly stack: readonly Layer[]
}

interface Layer {
  readonly path: unknown
  /** None for middleware. */
  readonly methods: readonly string[]
  readonly stack: readonly Station[]
}

/** What requests to an application, or to a router alone, come by. */
export function koaStops(app: unknown): Stop[] {
  const { middleware } = (app ?? {}) as { readonly middleware?: unknown }
  if (isRouter(app)) return stopsIn(app)
  if (!Array.isArray(middleware)) {
    throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'assertProtected(): expected a Koa application or router')
  }
  return (middleware as (Station & { readonly router?: unknown })[]).flatMap((station): Stop[] =>
    isRouter(station.router) ? stopsIn(station.router) : [{ kind: 'middleware', place: '/', station }],
  )
}

function isRouter(given: unknown): given is Router {
  return Array.isArray((given as Partial<Router> | undefined)?.stack)
}

/** A router runs its middleware for its own routes alone, and routers in it have become part of it. */
function stopsIn(router: Router): Stop[] {
  return router.stack.flatMap(({ path, methods, stack }): Stop[] => {
    const place = placeIn('/', plain(path))
    if (methods.length === 0) return stack.map((station) => ({ kind: 'middleware', place, station, within: router }))
    return shown(methods).map((method) => ({ kind: 'route', place, method, stations: stack, within: router }))
  })
}

/** What it writes behind the path of middleware, to say "and all below". */
function plain(path: unknown): unknown {
  return typeof path === 'string' ? path.replace(/(\(\?:\\\/\|\$\)|\{\/\*rest\})$/, '') : path
}

/** A route for GET is one for HEAD too. */
function shown(methods: readonly string[]): readonly string[] {
  const own = new Set(methods)
  if (own.size > METHODS.length / 2) return ['ALL']
  if (own.has('GET')) own.delete('HEAD')
  return [...own]
}
