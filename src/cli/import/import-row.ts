import type { ImportedClient } from '../../contracts/lifecycle/import-clients.js'
import { importedClientInput } from '../../contracts/lifecycle/import-clients.js'

/** One client of a file, and where it stands there: a line, or a path. */
export interface ImportRow {
  readonly at: string
  readonly client: ImportedClient
}

/** A row that was refused. The message holds no value: it may be a hash. */
export interface RowProblem {
  readonly at: string
  readonly message: string
}

export interface ReadRows {
  readonly rows: readonly ImportRow[]
  readonly problems: readonly RowProblem[]
}

/** Each row checked, and those of one client made one. */
export function checkedRows(given: Iterable<{ readonly at: string; readonly client: object }>): ReadRows {
  const rows = new Map<string, ImportRow>()
  const problems: RowProblem[] = []
  for (const { at, client } of given) {
    const result = importedClientInput.safeParse(client)
    if (!result.success) {
      for (const { path, message } of result.error.issues) {
        problems.push({ at, message: `${path.map(String).join('.')}: ${message}` })
      }
      continue
    }
    const checked = result.data as ImportedClient
    const before = rows.get(checked.clientId)
    const joined = before === undefined ? checked : join(before.client, checked)
    if (joined === undefined)
      problems.push({ at, message: `the client of ${before?.at ?? ''} again, but not the same` })
    else rows.set(checked.clientId, { at: before?.at ?? at, client: joined })
  }
  return { rows: [...rows.values()], problems }
}

/** Of two rows for one client the second brings contracts, and nothing that differs. */
function join(one: ImportedClient, other: ImportedClient): ImportedClient | undefined {
  const apis = new Set(one.contracts?.map(({ api }) => api))
  const isSame = one.name === other.name && one.owner === other.owner && one.type === other.type
  const isSecretSame = other.secret === undefined || other.secret.hash === one.secret?.hash
  const isNew = other.contracts?.every(({ api }) => !apis.has(api)) === true
  if (!isSame || !isSecretSame || !isNew) return undefined
  return { ...one, contracts: [...(one.contracts ?? []), ...(other.contracts ?? [])] }
}
