import { isDeepStrictEqual } from 'node:util'
import { visit, type Document } from 'yaml'
import { readYamlFile } from '../as-code/yaml-file.js'
import { wrongInput } from '../exit-codes.js'
import { isPrintable, printableJson, printableYaml } from '../safe-text.js'
import type { JsonObject } from './openapi.js'

/** A document as it stands in a file, comments and all. */
export interface DocumentFile {
  readonly content: JsonObject
  readonly isJson: boolean
  readonly document: Document
  readonly path: string
}

export function readDocument(path: string): DocumentFile {
  const { text, data: content, document } = readYamlFile(path)
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
  for (const addition of added) add(addition, document, path)
  return isJson ? printableJson(document.toJS(), 2) + '\n' : yamlText(document)
}

function add({ at, value }: Addition, document: Document, path: string): void {
  try {
    document.setIn(at, document.createNode(value, { aliasDuplicateObjects: false }))
  } catch {
    throw wrongInput(`${path}: ${at.join('.')}: nothing can be added behind an alias; write out what it stands for`)
  }
}

/** What is in a document of others may be an order to a terminal; only double quotes have a way to spell it. */
function yamlText(document: Document): string {
  visit(document, {
    Scalar(_key, scalar) {
      if (typeof scalar.value === 'string' && !isPrintable(scalar.value)) scalar.type = 'QUOTE_DOUBLE'
    },
  })
  return printableYaml(document.toString({ lineWidth: 0 }))
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
