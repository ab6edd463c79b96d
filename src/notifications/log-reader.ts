import { auditHash, entryNumbered, headKey } from '../contracts/lifecycle/audit-chain.js'
import type { AuditEntry } from '../contracts/model.js'
import type { ContractStore } from '../contracts/store.js'
import { DeliveryFailure } from './delivery-failure.js'

export async function headOf(store: ContractStore): Promise<string> {
  return entryNumbered((await store.find('audit-head', headKey))?.version ?? 0)
}

/** One entry. What was edited in the store is never passed on: a mail would make it true. */
export async function entryOf(store: ContractStore, entry: string): Promise<AuditEntry> {
  const found = await store.find('audit', { entry })
  if (found === undefined) throw new DeliveryFailure('ENTRY_MISSING')
  if (found.hash !== auditHash(found)) throw new DeliveryFailure('ENTRY_BROKEN', { about: 'for good' })
  return found
}

export function entryAfter(entry: string): string {
  return entryNumbered(Number(entry) + 1)
}
