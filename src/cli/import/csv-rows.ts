import { wrongInput } from '../exit-codes.js'
import { readCsv } from '../csv.js'
import { checkedRows, type ReadRows } from './import-row.js'
import { parseSecretHash } from './secret-hash.js'

const columns = ['client_id', 'name', 'owner', 'type', 'secret_hash', 'api', 'tier', 'state'] as const
type ColumnName = (typeof columns)[number]

/** A table of keys. A column of secrets themselves is refused: they would stand in the file. */
export function csvRows(text: string): ReadRows {
  const [head, ...lines] = wellFormed(text)
  if (head === undefined) throw wrongInput('the file is empty')
  const unknown = head.cells.find((name) => !columns.some((column) => column === name))
  if (unknown !== undefined || !head.cells.includes('client_id')) {
    throw wrongInput(`line 1: expected client_id, and of ${columns.join(', ')} those that are there`)
  }
  if (new Set(head.cells).size < head.cells.length) throw wrongInput('line 1: a column stands there twice')
  const names = head.cells as ColumnName[]
  return checkedRows(lines.map(({ line, cells }) => ({ at: `line ${String(line)}`, client: clientOf(names, cells) })))
}

function wellFormed(text: string): { readonly line: number; readonly cells: readonly string[] }[] {
  try {
    // What Excel puts in front is no part of the first column.
    return [...readCsv(text.replace(/^\uFEFF/, ''))]
  } catch (error) {
    throw wrongInput(error instanceof SyntaxError ? error.message : 'the file is no CSV')
  }
}

function clientOf(names: readonly ColumnName[], cells: readonly string[]): object {
  if (cells.length !== names.length) return { cells: 'another number than in line 1' }
  const row: { [N in ColumnName]?: string } = {}
  names.forEach((name, at) => {
    const cell = cells[at]
    if (cell !== undefined && cell !== '') row[name] = cell
  })
  const { client_id: clientId = '', name = clientId, owner, type, secret_hash: hash, api, tier, state } = row
  return {
    clientId,
    name,
    ...(owner === undefined ? {} : { owner }),
    ...(type === undefined ? {} : { type }),
    ...(hash === undefined ? {} : { secret: parseSecretHash(hash) ?? {} }),
    contracts: api === undefined ? [] : [{ api, ...(tier === undefined ? {} : { tier }), state: state ?? 'approved' }],
  }
}
