import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { importClients } from '../../contracts/lifecycle/import-clients.js'
import { defineTier } from '../../contracts/lifecycle/tiers.js'
import type { ContractStore } from '../../contracts/store.js'
import { wrongInput } from '../exit-codes.js'
import { csvRows } from '../import/csv-rows.js'
import type { ImportRow, ReadRows } from '../import/import-row.js'
import { muleSoftRows } from '../import/mulesoft-rows.js'
import { countMissing } from '../import/count-missing.js'
import { progressOn } from '../progress.js'
import { onStore, type Session } from '../session.js'

interface ImportOptions {
  readonly format: 'csv' | 'mulesoft'
  readonly api?: string
  readonly dryRun?: boolean
}

export function addImport(program: Command): void {
  onStore(
    program
      .command('import <file>')
      .description('take clients over, with their IDs and hashes; run again, it changes nothing')
      .addOption(new Option('--format <format>', 'of the file').choices(['csv', 'mulesoft']).makeOptionMandatory())
      .option('--api <api>', 'of a listing of MuleSoft: the API whose contracts they are', notEmpty)
      .option('--dry-run', 'only check the file, and count what would be taken over'),
    takeOver,
  )
}

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected the name of an API.')
  return text
}

async function takeOver({ store, actor, print }: Session, options: ImportOptions, path = ''): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw wrongInput(`${path} cannot be read`)
  })
  const { rows, tiers = [] } = checkedFile(path, readRows(text, options))
  await requireTiers(store, path, rows, new Set(tiers.map(({ api, name }) => JSON.stringify([api, name]))))
  if (options.dryRun === true) {
    print.record({ ...(await countMissing(store, rows, tiers)), rows: rows.length, done: 'checked' })
    return
  }
  const counts = { clients: 0, secrets: 0, contracts: 0, tiers: 0, rows: rows.length }
  for (const tier of tiers) {
    if ((await store.findTier(tier.api, tier.name)) !== undefined) continue
    await defineTier(store, { ...tier, actor })
    counts.tiers++
  }
  for await (const batch of importedBatches(store, actor, rows)) {
    counts.clients += batch.clients
    counts.secrets += batch.secrets
    counts.contracts += batch.contracts
  }
  print.record(counts)
}

type ReadFile = ReadRows & Partial<Pick<ReturnType<typeof muleSoftRows>, 'tiers'>>

function readRows(text: string, { format, api }: ImportOptions): ReadFile {
  if (format === 'csv') return csvRows(text)
  if (api === undefined) throw wrongInput('--api: a listing of MuleSoft does not say which API it is of; name it')
  return muleSoftRows(text, api)
}

const mostProblems = 20

function checkedFile(path: string, file: ReadFile): ReadFile {
  if (file.problems.length === 0) return file
  const lines = file.problems.slice(0, mostProblems).map(({ at, message }) => `${path}: ${at}: ${message}`)
  const more = file.problems.length - lines.length
  throw wrongInput([...lines, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('\n'))
}

/** Before anything is written: an import that stops halfway can be run again, but is better not begun. */
async function requireTiers(
  store: ContractStore,
  path: string,
  rows: readonly ImportRow[],
  known: Set<string>,
): Promise<void> {
  for (const { at, client } of rows) {
    for (const { api, tier } of client.contracts ?? []) {
      if (tier === undefined || known.has(JSON.stringify([api, tier]))) continue
      if ((await store.findTier(api, tier)) === undefined) throw wrongInput(`${path}: ${at}: no such tier of ${api}`)
      known.add(JSON.stringify([api, tier]))
    }
  }
}

/** What the disk has to take at once: the fewer commits, the fewer times the same page is written. */
const batchSize = 1000

async function* importedBatches(
  store: ContractStore,
  actor: string,
  rows: readonly ImportRow[],
): AsyncGenerator<Awaited<ReturnType<typeof importClients>>> {
  const progress = progressOn(process.stderr, 'Importing', rows.length)
  for (let start = 0; start < rows.length; start += batchSize) {
    const batch = rows.slice(start, start + batchSize)
    yield await importClients(store, { actor, clients: batch.map(({ client }) => client) })
    progress.at(start + batch.length)
  }
  progress.end()
}
