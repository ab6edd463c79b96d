import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { parseDocument, type Document } from 'yaml'
import { wrongInput } from '../exit-codes.js'
import type { JsonObject } from './openapi.js'

/** A document as it stands in a file, comments and all. */
export interface DocumentFile {
  readonly content: JsonObject
  readonly isJson: boolean
  readonly document: Document
  readonly path: string
}

export function readDocument(path: string): DocumentFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw wrongInput(`${path} cannot be read`)
  }
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined)
    throw wrongInput(`${path}: line ${String(error.linePos?.[0].line ?? 1)}: it is neither YAML nor JSON`)
  const content: unknown = document.toJS({ maxAliasCount: 100 })
  if (!isObject(content)) throw wrongInput(`${path}: expected an OpenAPI document`)
  if (typeof content['openapi'] !== 'string' || !content['openapi'].startsWith('3.1')) {
    throw wrongInput(`${path}: expected a document of OpenAPI 3.1`)
  }
  return { content, isJson: text.trimStart().startsWith('{'), document, path }
}

interface Addition {
  readonly at: readonly string[]
  readonly value: unknown
}

/** Nothing that is there is changed: what differs is named, all of it, and nothing is merged. */
export function mergedText({ content, isJson, document, path }: DocumentFile, additions: JsonObject): string {
  const added: Addition[] = []
  const conflicts: string[] = []
  compare(content, additions, [], { added, conflicts })
  if (conflicts.length > 0) {
    throw wrongInput(conflicts.map((at) => `${path}: ${at}: there is something else already`).join('\n'))
  }
  for (const { at, value } of added) document.setIn(at, document.createNode(value, { aliasDuplicateObjects: false }))
  return isJson ? JSON.stringify(document.toJS(), undefined, 2) + '\n' : document.toString({ lineWidth: 0 })
}

interface Found {
  readonly added: Addition[]
  readonly conflicts: string[]
}

function compare(there: JsonObject, wanted: JsonObject, at: readonly string[], found: Found): void {
  for (const [name, value] of Object.entries(wanted)) {
    const here = [...at, name]
    const known = there[name]
    if (!Object.hasOwn(there, name)) found.added.push({ at: here, value })
    else if (isObject(known) && isObject(value) && !isReference(known) && !isReference(value))
      compare(known, value, here, found)
    else if (!isDeepStrictEqual(known, value)) found.conflicts.push(here.join('.'))
  }
}

/** Beside a reference nothing else counts. */
function isReference(value: JsonObject): boolean {
  return '$ref' in value
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
