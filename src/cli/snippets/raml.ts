import { stringify } from 'yaml'
import type { JsonObject } from './openapi.js'
import { fieldsOfAnswer, fieldTexts, type RouteSnippet } from './route-snippet.js'

/** A library of RAML 1.0 with one trait for each set of policies: `uses` it, and say `is: [library.trait]`. */
export function ramlLibrary(snippets: readonly RouteSnippet[], api: string): string {
  const traits = new Map<string, { readonly trait: JsonObject; readonly routes: string[] }>()
  for (const snippet of snippets) {
    const trait = traitOf(snippet)
    const key = JSON.stringify(trait)
    const known = traits.get(key) ?? { trait, routes: [] }
    known.routes.push(`${snippet.method} ${snippet.path}`)
    traits.set(key, known)
  }
  const base = api.replace(/[^A-Za-z0-9_-]+/g, '-')
  const named = [...traits.values()].map(({ trait, routes }, index) => [
    index === 0 ? base : `${base}-${String(index + 1)}`,
    { usage: `For ${routes.join(', ')}`, ...trait },
  ])
  const library = { types: { Problem: problemType }, traits: Object.fromEntries(named) as JsonObject }
  return `#%RAML 1.0 Library\n${stringify(library, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

const problemType = {
  type: 'object',
  description: 'Why a request was turned away (RFC 9457).',
  properties: { type: 'string', title: 'string', status: 'integer', code: 'string' },
}

function traitOf(snippet: RouteSnippet): JsonObject {
  const headers = namedParts(snippet, 'header')
  const query = namedParts(snippet, 'query')
  const responses = [...snippet.answers].map(([status, codes]) => {
    const fields = fieldsOfAnswer(status, snippet)
    const response = {
      description: codes.map(({ code, title }) => `${code}: ${title}`).join('\n'),
      ...(fields.length > 0 ? { headers: fieldFacets(fields) } : {}),
      body: { 'application/problem+json': { type: 'Problem' } },
    }
    return [status, response] as const
  })
  const good = snippet.fields.length > 0 ? [[200, { headers: fieldFacets(snippet.fields) }] as const] : []
  return {
    ...(Object.keys(headers).length > 0 ? { headers } : {}),
    ...(Object.keys(query).length > 0 ? { queryParameters: query } : {}),
    responses: Object.fromEntries([...good, ...responses]) as JsonObject,
  }
}

function fieldFacets(fields: readonly string[]): JsonObject {
  return Object.fromEntries(
    fields.map((field) => [field, { type: 'string', required: false, description: fieldTexts[field] ?? field }]),
  )
}

const schemeTexts = {
  basic: 'Basic: client ID and client secret (RFC 7617)',
  bearer: 'Bearer: an access token (RFC 6750)',
  dpop: 'DPoP: an access token, with its proof in the header DPoP (RFC 9449)',
}

/** Required is what every way asks for. */
function namedParts({ ways }: RouteSnippet, kind: 'header' | 'query'): JsonObject {
  const facets: Record<string, JsonObject> = {}
  for (const { parts } of ways) {
    for (const part of parts) {
      if (part.kind !== kind) continue
      const required = ways.every((way) => way.parts.some((each) => each.kind === kind && each.name === part.name))
      facets[part.name] = { type: 'string', required, description: `The ${part.holds}.` }
    }
  }
  const schemes = kind === 'header' ? ways.flatMap(({ parts }) => parts.map((part) => part.kind)).filter(isScheme) : []
  if (schemes.length === 0) return facets
  const required = ways.every(({ parts }) => parts.some((part) => isScheme(part.kind)))
  const description = [...new Set(schemes)].map((scheme) => schemeTexts[scheme]).join('; ')
  return { ...facets, Authorization: { type: 'string', required, description } }
}

function isScheme(kind: string): kind is keyof typeof schemeTexts {
  return Object.hasOwn(schemeTexts, kind)
}
