import type { DescribedIssuer } from '../../decisions/policy-description.js'
import type { RouteSnippet, RouteWay } from './route-snippet.js'

type Scheme = Readonly<Record<string, string>>
type Part = RouteWay['parts'][number]

/** The schemes of a document by their names, which say all that tells them apart. */
export type Schemes = Record<string, Scheme>

/** Security requirements of an operation: any one of them suffices. Adds the schemes that they name. */
export function requirementsOf(
  { ways }: RouteSnippet,
  schemes: Schemes,
): readonly Readonly<Record<string, readonly string[]>>[] {
  const requirements = ways.flatMap((way) => {
    const named = way.parts.map(namedScheme).filter((each) => each !== undefined)
    // An empty one would say that nothing is asked for.
    if (named.length === 0) return []
    for (const [name, scheme] of named) schemes[name] = scheme
    return [Object.fromEntries(named.map(([name, { type }]) => [name, type === 'apiKey' ? [] : way.scopes]))]
  })
  return [...new Map(requirements.map((each) => [JSON.stringify(each), each])).values()]
}

/** What no scheme of OpenAPI can say: values in a body, and places of somebody's own. */
export function unsaidPlaces({ ways }: RouteSnippet): readonly string[] {
  const places = ways.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'body' ? [`${part.holds}: ${part.name}`] : [])),
  )
  return [...new Set(places)]
}

function namedScheme(part: Part): readonly [string, Scheme] | undefined {
  switch (part.kind) {
    case 'header':
    case 'query':
      return [
        safeName(`${part.name}-${part.kind}`),
        { type: 'apiKey', in: part.kind, name: part.name, description: sentence(part) },
      ]
    case 'basic':
      return ['basic', { type: 'http', scheme: 'basic', description: 'Client ID and client secret (RFC 7617).' }]
    case 'dpop':
      return ['dpop', { type: 'http', scheme: 'DPoP', description: 'An access token with its proof (RFC 9449).' }]
    case 'certificate':
      return [
        'certificate',
        { type: 'mutualTLS', description: 'The certificate that the token is bound to (RFC 8705).' },
      ]
    case 'bearer':
      return bearerScheme(part.issuer)
    case 'body':
    case 'custom':
      return undefined
  }
}

function sentence({ holds }: Extract<Part, { holds: string }>): string {
  return `The ${holds}.`
}

function bearerScheme(issuer: DescribedIssuer | undefined): readonly [string, Scheme] {
  const host = issuer === undefined ? 'any' : safeName(issuer.issuer.replace(/^https?:\/\//, ''))
  const description = `An access token of ${issuer?.issuer ?? 'the issuer'} (RFC 6750).`
  if (issuer?.discovery !== true) {
    const format: Scheme = issuer?.jwt === true ? { bearerFormat: 'JWT' } : {}
    return [`token-${host}`, { type: 'http', scheme: 'bearer', ...format, description }]
  }
  const openIdConnectUrl = `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  return [`token-${host}`, { type: 'openIdConnect', openIdConnectUrl, description }]
}

/** OpenAPI 3.1, Components Object. */
function safeName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, '-')
}
