import type { PreparedClient } from '../contracts/prepared-client.js'
import type { Challenge } from '../decisions/challenge.js'
import type { CredentialsSource } from '../credentials/source.js'
import type { Absent, Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'

/** Why client credentials are not good, in one word: for events and logs. The caller is told the same of all of them. */
const clientReasons = [
  'secret_mistyped',
  'client_unknown',
  'secret_missing',
  'secret_wrong',
  'client_disabled',
  'contract_missing',
  'contract_pending',
  'contract_rejected',
  'contract_revoked',
] as const

type ClientReason = (typeof clientReasons)[number]

/** The same answer for each reason, made once. */
function invalidBecause(challenges: readonly Challenge[]): Readonly<Record<ClientReason, Refused>> {
  const refusedFor = (reason: ClientReason): Refused => ({
    kind: 'refused',
    refusal: { code: 'client_invalid', challenges, reason },
  })
  const made = clientReasons.map((reason) => [reason, refusedFor(reason)])
  return Object.fromEntries(made) as Record<ClientReason, Refused>
}

/** Of somebody who has not proved to be an active client. */
export function reasonOf(
  client: PreparedClient | undefined,
  proved: boolean,
  readings: readonly string[],
): ClientReason {
  if (client === undefined) return 'client_unknown'
  if (proved) return 'client_disabled'
  return readings.length === 0 ? 'secret_missing' : 'secret_wrong'
}

export interface Answers {
  readonly absent: Absent
  readonly invalid: Readonly<Record<ClientReason, Refused>>
  refuse(this: void, code: RefusalCode): Refused
  unread(this: void, kind: 'absent' | 'malformed' | 'ambiguous' | 'too_large'): Absent | Refused
}

/** Every "no" that needs no facts of the request, made once. */
export function answersOf(realm: string, from: readonly CredentialsSource[]): Answers {
  const byScheme = new Map(from.map((each) => [each.challenge(realm).scheme, each.challenge(realm)]))
  const challenges = [...byScheme.values()]
  const absent: Absent = { kind: 'absent', code: 'credentials_missing', challenges }
  const refuse = (code: RefusalCode): Refused => ({ kind: 'refused', refusal: { code } })
  const invalid = invalidBecause(challenges)
  const unread = (kind: 'absent' | 'malformed' | 'ambiguous' | 'too_large'): Absent | Refused => {
    if (kind === 'absent') return absent
    return refuse(kind === 'too_large' ? 'body_too_large' : `credentials_${kind}`)
  }
  return { absent, invalid, refuse, unread }
}
