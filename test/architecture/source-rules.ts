import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'

export interface SourceFile {
  readonly path: string
  readonly text: string
}

export function sourceFilesBelow(root: string, folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(root, folder, path), 'utf8') }))
}

/** Says of a file what is wrong with it, each finding with its place. */
export type SourceRule = (file: SourceFile) => string[]

export const noAny: SourceRule = (file) =>
  found(file, (node) => node.kind === ts.SyntaxKind.AnyKeyword).map((place) => `${place}: any`)

export const noSilencedCompiler: SourceRule = ({ path, text }) =>
  text
    .split('\n')
    .flatMap((line, index) => (/@ts-(ignore|nocheck)/.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))

export const kebabCaseName: SourceRule = ({ path }) =>
  /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(basename(path)) ? [] : [`${path}: not in kebab-case`]

export const indexOnlyReExports: SourceRule = ({ path, text }) => {
  if (basename(path) !== 'index.ts') return []
  const source = parse({ path, text })
  return source.statements
    .filter((statement) => !(ts.isExportDeclaration(statement) && statement.moduleSpecifier !== undefined))
    .map((statement) => `${placeOf(source, statement)}: more than a re-export`)
}

const largestFile = 150
const largestFunction = 30

/** Lines that hold code: comments and blank lines are free. */
export const smallFiles: SourceRule = (file) => {
  const size = codeLines(parse(file)).size
  return size > largestFile ? [`${file.path}: ${size} lines of code, at most ${largestFile}`] : []
}

export const smallFunctions: SourceRule = (file) => {
  const source = parse(file)
  const lines = codeLines(source)
  return nodesOf(source)
    .filter((node) => ts.isFunctionLike(node) && 'body' in node && node.body !== undefined)
    .flatMap((node) => {
      const first = lineOf(source, node.getStart(source))
      const last = lineOf(source, node.end)
      const size = [...lines].filter((line) => line >= first && line <= last).length
      return size > largestFunction
        ? [`${placeOf(source, node)}: a function of ${size} lines of code, at most ${largestFunction}`]
        : []
    })
}

function found(file: SourceFile, wanted: (node: ts.Node) => boolean): string[] {
  const source = parse(file)
  return nodesOf(source)
    .filter(wanted)
    .map((node) => placeOf(source, node))
}

function parse({ path, text }: SourceFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
}

function nodesOf(node: ts.Node): ts.Node[] {
  const nodes = [node]
  node.forEachChild((child) => void nodes.push(...nodesOf(child)))
  return nodes
}

/** Every line on which a token stands. A token may span lines: a template text does. */
function codeLines(source: ts.SourceFile): Set<number> {
  const lines = new Set<number>()
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return
    const children = node.getChildren(source)
    for (const child of children) visit(child)
    if (children.length > 0 || node.end === node.getStart(source)) return
    for (let line = lineOf(source, node.getStart(source)); line <= lineOf(source, node.end); line += 1) lines.add(line)
  }
  visit(source)
  return lines
}

function lineOf(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line
}

function placeOf(source: ts.SourceFile, node: ts.Node): string {
  return `${source.fileName}:${lineOf(source, node.getStart(source)) + 1}`
}
