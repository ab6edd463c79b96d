import type { RecordKind } from './store.js'

/** What policies decide on. Who did what, and where a client is registered, is for people alone. A new kind has to be put on one of the two sides. */
const forPolicies = {
  client: true,
  identity: true,
  contract: true,
  revocation: true,
  tier: true,
  registration: false,
  audit: false,
  'audit-head': false,
  follower: false,
  webhook: false,
} as const satisfies Readonly<Record<RecordKind, boolean>>

export type PolicyKind = {
  [Kind in RecordKind]: (typeof forPolicies)[Kind] extends true ? Kind : never
}[RecordKind]

export function isPolicyKind(kind: unknown): kind is PolicyKind {
  return typeof kind === 'string' && Object.hasOwn(forPolicies, kind) && forPolicies[kind as RecordKind]
}

export const policyKinds: readonly PolicyKind[] = Object.keys(forPolicies).filter(isPolicyKind)
