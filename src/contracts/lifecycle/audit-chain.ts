import { hash } from 'node:crypto'
import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { parse } from '../check-record.js'
import type { AuditEntry } from '../model.js'
import type { ContractStore } from '../store.js'

export const headKey = { log: 'lifecycle' } as const

/** What the first entry follows. */
export const firstPrevious = 'A'.repeat(43)

export function entryNumbered(number: number): string {
  return String(number).padStart(12, '0')
}

/** Over all members but the hash itself, sorted by name, so that the order in which a store gives them is nothing. */
export function auditHash(entry: object): string {
  const members = Object.entries(entry as Readonly<Record<string, unknown>>).filter(
    ([name, value]) => name !== 'hash' && value !== undefined,
  )
  members.sort(([one], [other]) => (one < other ? -1 : 1))
  return hash('sha256', JSON.stringify(members), 'base64url')
}

export interface ReadAuditLogInput {
  /** The `entry` after which to begin. Left out: from the first on. */
  readonly after?: string
}

const readInput = z.strictObject({
  after: z
    .string()
    .regex(/^\d{12}$/, 'expected the entry of an audit entry: twelve digits')
    .optional(),
})

/** How many entries are asked for at a time. */
const batchSize = 100

/**
 * For auditors and exports: the steps of the lifecycle in their order, each checked to follow from the one before.
 * Whoever can write to the database itself can make the whole log anew: keep the `hash` of the last entry elsewhere
 * from time to time, and compare.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_INVALID` where an entry is missing, was edited or does not follow
 */
export async function* readAuditLog(store: ContractStore, input: ReadAuditLogInput = {}): AsyncGenerator<AuditEntry> {
  const { after = entryNumbered(0) } = parse('readAuditLog()', readInput, input)
  const head = await store.find('audit-head', headKey)
  const last = head?.version ?? 0
  let number = Number(after)
  let previous = number === 0 ? firstPrevious : (await entryAt(store, number)).hash
  while (number < last) {
    const size = Math.min(batchSize, last - number)
    const batch = await Promise.all(Array.from({ length: size }, (_, at) => entryAt(store, number + at + 1)))
    for (const entry of batch) {
      if (entry.previous !== previous || auditHash(entry) !== entry.hash) throw broken(entry.entry)
      previous = entry.hash
      yield entry
    }
    number += size
  }
  if (head !== undefined && number === last && previous !== head.hash) throw broken(entryNumbered(last))
}

async function entryAt(store: ContractStore, number: number): Promise<AuditEntry> {
  const entry = entryNumbered(number)
  const found = await store.find('audit', { entry })
  if (found === undefined) throw broken(entry)
  return found
}

function broken(entry: string): ClienteleFault {
  const message = `The audit log is broken at entry ${entry}: it is missing, was edited, or does not follow from the one before.`
  return new ClienteleFault('ERR_CLIENTELE_INVALID', message)
}
