import { lineAt, type Page } from './pages.js'

/** Rows of the first table whose head starts with these cells. */
export function rowsOf({ path, text }: Page, head: readonly string[]): string[][] {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => head.every((cell, index) => cellsOf(line)[index] === cell))
  if (start === -1) throw new Error(`${path}: no table with the columns ${head.join(', ')}`)
  const rows = lines.slice(start + 2)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(0, end === -1 ? undefined : end).map(cellsOf)
}

/** The same, for tables of codes: the text of a code span or link in the first cell, and the second. */
export function codeTable(page: Page, head: readonly string[]): [code: string, second: string][] {
  return rowsOf(page, head).map(([first = '', second = '']) => [/`([^`]+)`/.exec(first)?.[1] ?? first, second])
}

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())
}

export interface Section {
  readonly heading: string
  readonly line: number
  /** The first cell of each table row that starts with a code span. */
  readonly names: readonly string[]
}

/** Headings with what their tables name, those of deeper headings included. */
export function sectionsOf({ text }: Page): Section[] {
  const headings = [...text.matchAll(/^(#{1,6})[ \t]+(.+)$/gm)]
  return headings.map((match, index) => {
    const [, marks = '', heading = ''] = match
    const end = headings.slice(index + 1).find(([, others = '']) => others.length <= marks.length)?.index
    const body = text.slice(match.index, end)
    const names = [...body.matchAll(/^\|\s*`([^`]+)`/gm)].map(([, name = '']) => name)
    return { heading, line: lineAt(text, match.index), names }
  })
}
