import { requirementsOf, unsaidPlaces, type Schemes } from './openapi-schemes.js'
import { fieldsOfAnswer, fieldTexts, problemMembers, type AnswerCode, type RouteSnippet } from './route-snippet.js'

export type JsonObject = Readonly<Record<string, unknown>>

const problemReference = { $ref: '#/components/schemas/Problem' }
const success = /^2(?:\d\d|XX)$/

/** What policies add to an OpenAPI document of version 3.1. `into`: the document that it is to go into. */
export function openApiAdditions(snippets: readonly RouteSnippet[], title: string, into: JsonObject = {}): JsonObject {
  const schemes: Schemes = {}
  const paths: Record<string, Record<string, unknown>> = {}
  for (const snippet of snippets) {
    const path = pathIn(into, snippet.path)
    const item = (paths[path] ??= {})
    for (const method of methodsOf(snippet, into, path))
      item[method] = operation(snippet, schemes, operationIn(into, path, method))
  }
  const fields = new Set(
    snippets.flatMap((snippet) => [
      ...snippet.fields,
      ...[...snippet.answers.keys()].flatMap((status) => fieldsOfAnswer(status, snippet)),
    ]),
  )
  return {
    ...('openapi' in into ? {} : { openapi: '3.1.0', info: { title, version: '1' } }),
    paths,
    components: {
      securitySchemes: schemes,
      headers: Object.fromEntries([...fields].map((field) => [field, header(field)])),
      schemas: { Problem: problemSchema },
    },
  }
}

const problemSchema = {
  type: 'object',
  description: 'Why a request was turned away (RFC 9457).',
  required: ['type', 'title', 'status', 'code'],
  properties: problemMembers,
}

function header(field: string): JsonObject {
  const type = /^(?:Retry-After|x-ratelimit-.*)$/.test(field) ? 'integer' : 'string'
  return { description: fieldTexts[field] ?? field, schema: { type } }
}

function operation(snippet: RouteSnippet, schemes: Schemes, known: JsonObject): JsonObject {
  const security = requirementsOf(snippet, schemes)
  const unsaid = unsaidPlaces(snippet)
  const parameters = Object.keys(known).length === 0 ? parametersOf(snippet.path) : []
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(security.length > 0 ? { security } : {}),
    ...(unsaid.length > 0 ? { 'x-credentials-in-body': unsaid } : {}),
    responses: responsesOf(snippet, known),
  }
}

function responsesOf(snippet: RouteSnippet, known: JsonObject): JsonObject {
  const refused = [...snippet.answers].map(([status, codes]) => [
    String(status),
    refusedResponse(status, codes, snippet),
  ])
  const headers = headersOf(snippet.fields)
  const there = Object.keys(objectAt(known, 'responses')).filter((status) => success.test(status))
  const good =
    there.length > 0
      ? there.map((status) => [status, { headers }])
      : [['2XX', { description: 'As the API answers.', headers }]]
  return Object.fromEntries([
    ...(snippet.fields.length > 0 || there.length === 0 ? good : []),
    ...refused,
  ]) as JsonObject
}

function refusedResponse(status: number, codes: readonly AnswerCode[], snippet: RouteSnippet): JsonObject {
  const schema = {
    allOf: [problemReference, { type: 'object', properties: { code: { enum: codes.map(({ code }) => code) } } }],
  }
  const fields = fieldsOfAnswer(status, snippet)
  return {
    description: codes.map(({ code, title }) => `${code}: ${title}`).join('\n'),
    ...(fields.length > 0 ? { headers: headersOf(fields) } : {}),
    content: { 'application/problem+json': { schema } },
  }
}

function headersOf(fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field, { $ref: `#/components/headers/${field}` }]))
}

function parametersOf(path: string): readonly JsonObject[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
}

/** As the document writes it, whose parameters may have other names. */
function pathIn(into: JsonObject, path: string): string {
  const own = path.replace(/:(\w+)/g, '{$1}')
  const shape = (text: string): string => text.replace(/\{[^}]*\}/g, '{}')
  return Object.keys(objectAt(into, 'paths')).find((each) => shape(each) === shape(own)) ?? own
}

const everyMethod = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** Of a route for any method: those that the document has. */
function methodsOf({ method }: RouteSnippet, into: JsonObject, path: string): readonly string[] {
  if (method !== 'ALL') return [method.toLowerCase()]
  const there = everyMethod.filter((each) => each in objectAt(objectAt(into, 'paths'), path))
  return there.length > 0 ? there : everyMethod.filter((each) => !['options', 'trace', 'head'].includes(each))
}

function operationIn(into: JsonObject, path: string, method: string): JsonObject {
  return objectAt(objectAt(objectAt(into, 'paths'), path), method)
}

function objectAt(from: JsonObject, name: string): JsonObject {
  const value = from[name]
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {}
}
