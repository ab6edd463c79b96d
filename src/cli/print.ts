import Table from 'cli-table3'
import { printable, printableJson } from './safe-text.js'

/** What a column shows of a record. */
export type Column<T> = readonly [title: string, cell: (record: T) => string | number | undefined]

/** Where a command writes: tables and sentences for people, or one JSON value for scripts. */
export interface Printer {
  readonly json: boolean
  /** A list: a table, or a JSON array. `shape`: what scripts get of each record. */
  list<T>(records: readonly T[], columns: readonly Column<T>[], shape?: (record: T) => unknown): void
  /** One record: its members below each other, or a JSON object. */
  record(members: Readonly<Record<string, unknown>>): void
  /** For people alone. */
  note(sentence: string): void
  /** A line as it is, already safe: for exports. */
  raw(line: string): Promise<void>
}

export function printerTo(out: NodeJS.WritableStream, json: boolean): Printer {
  const write = (text: string): void => {
    out.write(text + '\n')
  }
  return {
    json,
    list(records, columns, shape = (record) => record) {
      if (json) write(printableJson(records.map(shape), 2))
      else if (records.length === 0) write('(none)')
      else write(tableOf(records, columns))
    },
    record(members) {
      if (json) write(printableJson(members, 2))
      else for (const [name, value] of Object.entries(members)) if (value !== undefined) write(line(name, value))
    },
    note(sentence) {
      if (!json) write(printable(sentence))
    },
    async raw(text) {
      if (!out.write(text)) await new Promise((resolve) => out.once('drain', resolve))
    },
  }
}

function line(name: string, value: unknown): string {
  return `${name}: ${typeof value === 'string' ? printable(value) : printableJson(value)}`
}

const plain = { head: [], border: [], compact: true }

function tableOf<T>(records: readonly T[], columns: readonly Column<T>[]): string {
  const table = new Table({ head: columns.map(([title]) => title), style: plain, chars: borderless })
  for (const record of records) table.push(columns.map(([, cell]) => printable(String(cell(record) ?? ''))))
  return table
    .toString()
    .split('\n')
    .map((row) => row.trimEnd())
    .join('\n')
}

/** Columns that line up, and nothing to take out again by who pipes them elsewhere. */
const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
}
