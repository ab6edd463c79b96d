import type { HttpRequest } from '../decisions/http-request.js'
import type { Policy } from '../decisions/policy.js'
import { CliError, wrongInput } from './exit-codes.js'

/** What a handler of `clientele()` carries. */
export interface Guard {
  readonly policy: Policy
  readonly enforcedFor: {
    readonly api: string
    readonly skip?: ((request: HttpRequest) => boolean) | undefined
    readonly issuers: { refresh(): Promise<void> }
  }
}

/** One route of an application, with what stands before its handler. */
export interface Route {
  /** In capitals; `ALL` for any. */
  readonly method: string
  /** Segments of it may be parameters: `/orders/:id`. */
  readonly path: string
  readonly guards: readonly Guard[]
}

/** A config file, as far as its routes go. */
export interface Routed {
  readonly path: string
  readonly routes: readonly Route[]
}

const methods = ['ALL', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']
const segments = /^\/$|^(?:\/(?::[A-Za-z_]\w*|[^\s:*?#(){}[\]/]+))+$/

/** `bad` makes the error of what is wrong with it. */
export function readRoute(route: unknown, bad: (what: string) => CliError): Route {
  const { method, path, policies } = (route ?? {}) as Readonly<Record<string, unknown>>
  const name = typeof method === 'string' ? method.toUpperCase() : ''
  if (!methods.includes(name)) throw bad(`method is one of ${methods.join(', ')}`)
  if (typeof path !== 'string' || !segments.test(path)) {
    throw bad('path is a text as in /orders/:id: no patterns, and a name for each parameter')
  }
  if (!Array.isArray(policies) || !policies.every(isGuard)) {
    throw bad('policies is a list of what enforceClientId(), limitBySla() and the like have returned')
  }
  return { method: name, path, guards: policies }
}

function isGuard(value: unknown): value is Guard {
  const { policy, enforcedFor } = (value ?? {}) as Partial<Guard>
  return policy !== undefined && enforcedFor !== undefined
}

/** The first that matches, as a router would have it. */
export function routeFor(config: Routed, method: string, path: string): Route {
  const found = config.routes.find((route) => isOf(route, method) && patternOf(route.path).test(path))
  if (found !== undefined) return found
  const known = config.routes.map((route) => `${route.method} ${route.path}`)
  throw new CliError('notFound', `${config.path}: no route for this request; there are: ${known.join(', ') || 'none'}`)
}

function isOf({ method }: Route, wanted: string): boolean {
  return method === 'ALL' || method === wanted || (wanted === 'HEAD' && method === 'GET')
}

function patternOf(path: string): RegExp {
  const parts = path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : escaped(part)))
  return new RegExp(`^${parts.join('/')}/?$`)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

export function requireRoutes(config: Routed): readonly Route[] {
  if (config.routes.length > 0) return config.routes
  throw wrongInput(`${config.path}: expected an export named routes: [{ method, path, policies }]`)
}
