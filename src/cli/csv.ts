import { printable } from './safe-text.js'

/**
 * One line of RFC 4180. A cell that a spreadsheet would take for a formula (CWE-1236) gets an apostrophe in front,
 * which it shows as text; so what is read back from such a file is not always what was written.
 */
export function csvLine(cells: readonly (string | number | undefined)[]): string {
  return cells.map(csvCell).join(',') + '\r\n'
}

/** Where cells are parted by semicolons, as in much of Europe, a spreadsheet begins one behind each. */
const beforeFormula = /(^|;)(?=[\s\p{Cc}\p{Cf}]*[=+\-@|%＝＋－＠])/gu

function csvCell(cell: string | number | undefined): string {
  if (typeof cell === 'number') return String(cell)
  const text = (cell ?? '').replace(beforeFormula, "$1'")
  const safe = (/^[\t\r\n]/.test(text) ? "'" : '') + printable(text)
  return /[",']|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export interface CsvRow {
  /** Where it begins in the file, from 1 on. */
  readonly line: number
  readonly cells: readonly string[]
}

const token = /"((?:[^"]|"")*)"|[^",\r\n]+|,|\r?\n|\r/gy

/** The rows of a file of RFC 4180. Throws a `SyntaxError` that says where. Empty lines are passed over. */
export function* readCsv(text: string): Generator<CsvRow> {
  const matcher = new RegExp(token)
  let [line, startedAt] = [1, 1]
  let cells: string[] = ['']
  let isClosed = false
  const hasText = (): boolean => cells.length > 1 || cells[0] !== ''
  while (matcher.lastIndex < text.length) {
    const [found, quoted] = matcher.exec(text) ?? []
    if (found === undefined) throw new SyntaxError(`line ${String(line)}: a quote that is not closed or stands alone`)
    if (found === ',') {
      cells.push('')
    } else if (/^[\r\n]/.test(found)) {
      if (hasText()) yield { line: startedAt, cells }
      cells = ['']
      startedAt = ++line
    } else {
      if (isClosed || (quoted !== undefined && cells.at(-1) !== '')) {
        throw new SyntaxError(`line ${String(line)}: text beside a quoted cell`)
      }
      cells[cells.length - 1] = quoted?.replaceAll('""', '"') ?? found
      line += found.split('\n').length - 1
    }
    isClosed = quoted !== undefined
  }
  if (hasText()) yield { line: startedAt, cells }
}
