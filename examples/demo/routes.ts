import type { Express } from 'express'

export interface DescribedRoute {
  readonly method: string
  readonly path: string
  /** The policies before the handler, in their order. */
  readonly policies: readonly string[]
  readonly callers: string
}

const callers: Readonly<Record<string, string>> = {
  'GET /health': 'everybody',
  'GET /orders': 'ID and secret, in headers, query or Basic',
  'POST /orders': 'JWT with the scope orders:write; costs 5',
  'POST /quotes': 'ID and secret in the body, as JSON or a form',
  'GET /reports': 'opaque token for reports, or ID and secret in headers',
  'GET /catalogue': 'ID and secret in headers; for public clients the ID alone',
}

/** What is mounted, read from the application itself, so that it cannot say something else. */
export function describeRoutes(app: Express): readonly DescribedRoute[] {
  return app.router.stack.flatMap(({ route }) => {
    if (route === undefined) return []
    const [method = ''] = route.stack.map((layer) => layer.method.toUpperCase())
    const policies = route.stack.flatMap(({ handle }) => policyName(handle) ?? [])
    return [{ method, path: route.path, policies, callers: callers[`${method} ${route.path}`] ?? '' }]
  })
}

/** Each handler of the package carries its policy. */
function policyName(handle: object): string | undefined {
  const policy = 'policy' in handle ? handle.policy : undefined
  const name = typeof policy === 'object' && policy !== null && 'name' in policy ? policy.name : undefined
  return typeof name === 'string' ? name : undefined
}
