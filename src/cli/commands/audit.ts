import type { Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import { readAuditLog } from '../../contracts/lifecycle/audit-chain.js'
import type { AuditEntry } from '../../contracts/model.js'
import type { Column } from '../print.js'
import { clientNamed, filterOf } from '../records.js'
import { printableJson } from '../safe-text.js'
import { onStore, type Session } from '../session.js'

interface AuditOptions {
  readonly client?: string
  readonly api?: string
  readonly after?: string
  readonly jsonLines?: boolean
}

export function addAudit(program: Command): void {
  onStore(
    program
      .command('audit')
      .description('who did what; without a filter the whole log, with its chain checked')
      .option('--client <client>', 'of this client')
      .option('--api <api>', 'of this API')
      .option('--after <entry>', 'only what follows this entry')
      .option('--json-lines', 'one JSON object per line, for export'),
    audit,
  )
}

const columns: readonly Column<AuditEntry>[] = [
  ['ENTRY', ({ entry }) => entry],
  ['AT', ({ at }) => at],
  ['ACTOR', ({ actor }) => actor],
  ['STEP', ({ step }) => step],
  ['CLIENT', ({ client }) => client],
  ['API', ({ api }) => api],
  ['TIER', ({ tier, requestedTier }) => requestedTier ?? tier],
  ['STATE', ({ state }) => state],
  ['REASON', ({ reason }) => reason],
]

async function audit(session: Session, options: AuditOptions): Promise<void> {
  const entries =
    options.client === undefined && options.api === undefined ? whole(session, options) : some(session, options)
  if (options.jsonLines === true) {
    for await (const entry of entries) await session.print.raw(printableJson(entry) + '\n')
    return
  }
  const all: AuditEntry[] = []
  for await (const entry of entries) all.push(entry)
  session.print.list(all, columns)
}

function whole({ store }: Session, options: AuditOptions): AsyncIterable<AuditEntry> {
  return readAuditLog(store, filterOf(options, 'after'))
}

/** By the store's index: the entries between are not read, so the chain is not checked. */
async function* some({ store }: Session, options: AuditOptions): AsyncGenerator<AuditEntry> {
  const { after = '' } = options
  const client = options.client === undefined ? {} : { client: await internalId(store, options.client) }
  const entries = await listAll(store, { kind: 'audit', ...filterOf(options, 'api'), ...client })
  entries.sort((one, other) => (one.entry < other.entry ? -1 : 1))
  for (const entry of entries) if (entry.entry > after) yield entry
}

/** A client that was removed is known by its internal ID alone. */
async function internalId(store: Session['store'], name: string): Promise<string> {
  const known = await clientNamed(store, name).catch(() => undefined)
  return known?.id ?? name
}
