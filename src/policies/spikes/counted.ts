import type { Outcome } from '../../decisions/policy.js'
import type { RefusalCode } from '../../decisions/refusals.js'

/** A credential that was looked at and is wrong. One that is missing, or cannot be read, is no guess. */
const guesses: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['client_invalid', 'token_invalid'])

/** What is unfinished stays charged: a body sent slowly enough would otherwise make room for more guesses than allowed. */
export const staysCharged: Record<'all' | 'failures' | 'successes', ((outcome: Outcome) => boolean) | undefined> = {
  all: undefined,
  failures: ({ refusal, status, unfinished }) =>
    refusal === undefined ? unfinished === true || status === 401 : guesses.has(refusal),
  successes: ({ refusal, status, unfinished }) => refusal === undefined && (unfinished === true || status < 400),
}
