import type { AuditEntry, LifecycleStep } from '../contracts/model.js'

/** What somebody gets a mail about. */
export const mailOccasions = {
  contractApproved: 'owner',
  contractRejected: 'owner',
  contractRevoked: 'owner',
  contractRestored: 'owner',
  tierApproved: 'owner',
  tierRejected: 'owner',
  contractPending: 'admins',
  contractAutoApproved: 'admins',
  tierPending: 'admins',
  tierAutoApproved: 'admins',
} as const satisfies Record<string, 'owner' | 'admins'>

export type MailOccasion = keyof typeof mailOccasions
export type MailAudience = (typeof mailOccasions)[MailOccasion]

/** How the contract stood before, as the log has it. `undefined`: there was none. */
type Before = Pick<AuditEntry, 'state' | 'tier' | 'requestedTier'> | undefined

type Decide = (entry: AuditEntry, before: Before) => readonly MailOccasion[]

const byStep: Partial<Record<LifecycleStep, Decide>> = {
  requestContract: ({ state }) =>
    state === 'approved' ? ['contractApproved', 'contractAutoApproved'] : ['contractPending'],
  changeTier: ({ tier, requestedTier }, before) => {
    if (requestedTier !== undefined) return ['tierPending']
    // Who asks for the tier in force takes a request back.
    return tier === before?.tier ? [] : ['tierApproved', 'tierAutoApproved']
  },
  approveContract: (_entry, before) => [before?.state === 'approved' ? 'tierApproved' : 'contractApproved'],
  rejectContract: ({ state }) => [state === 'approved' ? 'tierRejected' : 'contractRejected'],
  revokeContract: () => ['contractRevoked'],
  restoreContract: () => ['contractRestored'],
}

/** Before anything else is read: whether such a step is ever mailed. */
export function isMailed({ step }: AuditEntry): boolean {
  return byStep[step] !== undefined
}

export function occasionFor(audience: MailAudience, entry: AuditEntry, before: Before): MailOccasion | undefined {
  return byStep[entry.step]?.(entry, before).find((occasion) => mailOccasions[occasion] === audience)
}
