import type { RecordKind } from '../contracts/store.js'

/** What policies need: who did what stays where it was done. A new kind has to be put on one of the two sides. */
const replicated: Readonly<Record<RecordKind, boolean>> = {
  client: true,
  identity: true,
  contract: true,
  revocation: true,
  tier: true,
  audit: false,
  'audit-head': false,
}

export function isReplicated(kind: unknown): kind is RecordKind {
  return typeof kind === 'string' && Object.hasOwn(replicated, kind) && replicated[kind as RecordKind]
}

export const replicatedKinds: readonly RecordKind[] = Object.keys(replicated).filter(isReplicated)
