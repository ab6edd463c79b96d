import { readFileSync, statSync } from 'node:fs'
import { isAlias, isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml'
import { printable } from '../safe-text.js'
import { wrongInput } from '../exit-codes.js'

type Path = readonly PropertyKey[]

/** What went wrong where. */
export interface Finding {
  readonly path: Path
  readonly message: string
}

/** A file of YAML as plain data, and the way back from a place in the data to its line. */
export interface YamlFile {
  readonly text: string
  readonly data: unknown
  /** With its comments, for whoever writes it again. */
  readonly document: Document
  /** Ends the command with every finding, each with file, line and path. */
  refuse(findings: readonly Finding[]): never
}

const maximumBytes = 4 * 2 ** 20
/** Anchors are for a limit that several tiers share, not for a tree that unfolds to a billion leaves. */
const mostAliases = 100
const mostFindings = 20

export function readYamlFile(path: string): YamlFile {
  const text = readText(path)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: false, version: '1.2', prettyErrors: false })
  const at = (offset: number): string => `${path}:${String(lines.linePos(offset).line)}`
  const refuse = (findings: readonly Finding[]): never => {
    const shown = findings.slice(0, mostFindings).map(({ path: place, message }) => {
      const where = place.length === 0 ? '' : `${place.map(String).join('.')}: `
      return `${at(offsetOf(document, place))}: ${where}${message}`
    })
    const more = findings.length - shown.length
    throw wrongInput([...shown, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('\n'))
  }
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw wrongInput(`${at(problem.pos[0])}: ${firstLine(problem.message)}`)
  refuseDangerous(document, (node, message) => wrongInput(`${at(node.range?.[0] ?? 0)}: ${message}`))
  return { text, data: unfolded(document, path), document, refuse }
}

function unfolded(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: mostAliases })
  } catch {
    throw wrongInput(`${path}:1: its aliases unfold to more than ${String(mostAliases)} each`)
  }
}

function readText(path: string): string {
  try {
    if (statSync(path).size <= maximumBytes) return readFileSync(path, 'utf8')
  } catch {
    throw wrongInput(`${path} cannot be read`)
  }
  throw wrongInput(`${path} is longer than ${String(maximumBytes)} bytes`)
}

function firstLine(message: string): string {
  return printable(message.split('\n')[0] ?? '')
}

/** Keys that merge or reach for a prototype, and more aliases than a person writes. */
function refuseDangerous(document: Document, fault: (node: Node, message: string) => Error): void {
  let aliases = 0
  visit(document, (_key, node) => {
    if (isAlias(node) && ++aliases > mostAliases) throw fault(node, `more than ${String(mostAliases)} aliases`)
    if (isAlias(node) && node.resolve(document) === undefined) throw fault(node, 'an alias of what is not before it')
    if (!isPair(node)) return
    if (!isScalar(node.key)) throw fault(document.contents ?? (node.key as Node), 'expected texts as keys')
    if (node.key.value === '__proto__' || node.key.value === '<<') {
      throw fault(node.key, `${node.key.value} is not taken as a key; write the members out`)
    }
  })
}

/** As deep as the path leads: what is missing stands in its parent. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true)
    const key = path[depth - 1]
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined
    if (pair !== undefined) return (pair.key as Node).range?.[0] ?? 0
    const node = document.getIn(path.slice(0, depth), true) as Node | undefined
    if (node?.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}
