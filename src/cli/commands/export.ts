import { Argument, Option, type Command } from 'commander'
import { everyRecord } from '../../contracts/every-record.js'
import type { Client, Contract, Tier } from '../../contracts/model.js'
import { csvLine } from '../csv.js'
import { clientIdsOf, shownClient } from '../records.js'
import { printableJson } from '../safe-text.js'
import { onStore, type Session } from '../session.js'
import type { Column } from '../print.js'
import { limitText } from '../limit-text.js'

/** What can be taken out, and the columns of its CSV. No secret, nor what is stored of one. */
const tables = {
  clients: tableOf<'client'>('client', shownClient, [
    ['client', ({ id }: Client) => id],
    ['client_ids', clientIdsOf],
    ['name', ({ name }) => name],
    ['owner', ({ owner }) => owner],
    ['type', ({ type }) => type],
    ['state', ({ state }) => state],
    ['created_at', ({ createdAt }) => createdAt],
  ]),
  contracts: tableOf<'contract'>('contract', same, [
    ['client', ({ client }: Contract) => client],
    ['api', ({ api }) => api],
    ['state', ({ state }) => state],
    ['tier', ({ tier }) => tier],
    ['requested_tier', ({ requestedTier }) => requestedTier],
    ['reason', ({ reason }) => reason],
    ['updated_at', ({ updatedAt }) => updatedAt],
    ['updated_by', ({ updatedBy }) => updatedBy],
  ]),
  tiers: tableOf<'tier'>('tier', same, [
    ['api', ({ api }: Tier) => api],
    ['tier', ({ name }) => name],
    ['approval', ({ approval }) => approval],
    ['state', ({ state }) => state],
    ['limits', ({ limits }) => limits.map(limitText).join(' ')],
  ]),
}

interface Exported {
  client: Client
  contract: Contract
  tier: Tier
}

type Lines = AsyncGenerator<{ readonly shape: unknown; readonly cells: readonly (string | number | undefined)[] }>

function tableOf<K extends keyof Exported>(
  kind: K,
  shape: (record: Exported[K]) => unknown,
  columns: readonly Column<Exported[K]>[],
): { readonly titles: readonly string[]; readonly lines: (session: Session) => Lines } {
  return {
    titles: columns.map(([title]) => title),
    async *lines({ store }) {
      for await (const record of everyRecord<K>(store, { kind }) as AsyncIterable<Exported[K]>) {
        yield { shape: shape(record), cells: columns.map(([, cell]) => cell(record)) }
      }
    },
  }
}

function same(record: unknown): unknown {
  return record
}

export function addExport(program: Command): void {
  onStore(
    program
      .command('export')
      .description('everything of a kind, without secrets')
      .addArgument(new Argument('<what>', 'what to take out').choices(Object.keys(tables)))
      .addOption(new Option('--format <format>', 'of the output').choices(['csv', 'json-lines']).default('json-lines')),
    takeOut,
  )
}

async function takeOut(session: Session, { format }: { readonly format: string }, what = ''): Promise<void> {
  const { titles, lines } = tables[what as keyof typeof tables]
  if (format === 'csv') await session.print.raw(csvLine(titles))
  for await (const { shape, cells } of lines(session)) {
    await session.print.raw(format === 'csv' ? csvLine(cells) : printableJson(shape) + '\n')
  }
}
