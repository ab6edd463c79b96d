import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Page {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
}

/** What stands at the root, the list of examples, and everything below docs. */
export function pagesOf(root: string): Page[] {
  const below = existsSync(join(root, 'docs'))
    ? readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    : []
  const paths = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'examples/README.md',
    ...below.map((path) => join('docs', path)),
  ]
  return paths
    .filter((path) => path.endsWith('.md') && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

export interface CodeBlock {
  readonly page: string
  /** Of the first line of code, from 1. */
  readonly line: number
  readonly language: 'ts' | 'js'
  readonly code: string
  /** Declarations that the reader does not see. */
  readonly preface: string
}

/** A fence of three or more, indented as in a list; then everything up to its like. */
const fence = /^([ \t]*)(`{3,}|~{3,})[ \t]*([^\s`{]*)[^\n]*\n([\s\S]*?)^[ \t]*\2[ \t]*$/gm
const prefaceAbove = /<!--\s*preface:((?:(?!-->)[\s\S])*)-->[ \t]*\n(?:[ \t]*\n)?$/

const languages: Readonly<Record<string, 'ts' | 'js'>> = { ts: 'ts', typescript: 'ts', js: 'js', javascript: 'js' }

export function codeBlocksOf({ path, text }: Page): CodeBlock[] {
  return [...text.matchAll(fence)].flatMap((match) => {
    const [, indent = '', , word = '', code = ''] = match
    const language = languages[word]
    if (language === undefined) return []
    const above = text.slice(0, match.index)
    const shown = code.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    const preface = prefaceAbove.exec(above)?.[1] ?? ''
    return [{ page: path, line: above.split('\n').length + 1, language, code: shown, preface: preface.trim() }]
  })
}

/** The text with code and comments blanked out, so that every position stays what it was. */
export function proseOf({ text }: Page): string {
  const blank = (match: string): string => match.replaceAll(/[^\n]/g, ' ')
  return text
    .replaceAll(fence, blank)
    .replaceAll(/<!--[\s\S]*?-->/g, blank)
    .replaceAll(/(`+)[^`\n]*?\1/g, blank)
}

export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length
}
