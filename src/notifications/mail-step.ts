import { everyRecord } from '../contracts/every-record.js'
import type { AuditEntry, Client } from '../contracts/model.js'
import type { ContractStore } from '../contracts/store.js'
import { oneLine } from '../runtime/unseen.js'
import { occasionFor, type MailAudience, type MailOccasion } from './mail-occasions.js'
import { severalLines } from './mail-text.js'

/**
 * What a template writes about. Each text is one line without control or bidirectional characters, but for `reason`,
 * which may have several. They are still what strangers chose: escape them in HTML, as `html` does.
 */
export interface MailStep {
  readonly occasion: MailOccasion
  readonly to: MailAudience
  readonly api: string
  /** `name` is the ID where the client has been removed since. */
  readonly client: { readonly id: string; readonly name: string; readonly owner?: string }
  /** The tier that it is about: granted, asked for or turned down. */
  readonly tier?: string
  /** For occasions of tiers: the one before, or the one that stays. */
  readonly formerTier?: string
  readonly actor: string
  readonly reason?: string
  /** ISO 8601. */
  readonly at: string
  /** Its number in the audit log. */
  readonly entry: string
}

/** `undefined`: the audience gets no mail about this. */
export async function mailStepOf(
  store: ContractStore,
  to: MailAudience,
  entry: AuditEntry,
): Promise<{ readonly step: MailStep; readonly client: Client | undefined } | undefined> {
  const { client: id, api } = entry
  if (id === undefined || api === undefined) return undefined
  const before = await entryBefore(store, entry, { client: id, api })
  const occasion = occasionFor(to, entry, before)
  if (occasion === undefined) return undefined
  const client = await store.find('client', { id })
  return { step: step(occasion, to, entry, { before, client, id, api }), client }
}

interface About {
  readonly before: AuditEntry | undefined
  readonly client: Client | undefined
  readonly id: string
  readonly api: string
}

function step(occasion: MailOccasion, to: MailAudience, { entry, at, ...said }: AuditEntry, about: About): MailStep {
  const { before, client, id, api } = about
  const tier = occasion === 'tierRejected' ? before?.requestedTier : (said.requestedTier ?? said.tier)
  const formerTier = occasion.startsWith('tier') ? before?.tier : undefined
  return {
    occasion,
    to,
    api,
    client: { id, name: oneLine(client?.name ?? id), ...line('owner', client?.owner) },
    ...line('tier', tier),
    ...line('formerTier', formerTier),
    actor: oneLine(said.actor),
    ...(said.reason === undefined ? {} : { reason: severalLines(said.reason) }),
    at,
    entry,
  }
}

function line<Name extends string>(name: Name, text: string | undefined): { readonly [N in Name]?: string } {
  return (text === undefined ? {} : { [name]: oneLine(text) }) as { readonly [N in Name]?: string }
}

/** The last step on the same contract before this one. */
async function entryBefore(
  store: ContractStore,
  { entry }: AuditEntry,
  contract: { readonly client: string; readonly api: string },
): Promise<AuditEntry | undefined> {
  let last: AuditEntry | undefined
  for await (const each of everyRecord<'audit'>(store, { kind: 'audit', ...contract })) {
    if (each.entry < entry && (last === undefined || each.entry > last.entry)) last = each
  }
  return last
}
