import type { HttpRequest } from '../../src/decisions/http-request.js'
import type { Policy, Verdict } from '../../src/decisions/policy.js'
import { requestOf } from './request-of.js'

export function withAuthorization(...values: readonly string[]): HttpRequest {
  return requestOf({ headers: values.map((value) => ['Authorization', value]) })
}

export function bearing(token: string): HttpRequest {
  return withAuthorization(`Bearer ${token}`)
}

/** A verdict as one word: `admitted`, `passed`, or the code of the "no". */
export function wordOf(verdict: Verdict): string {
  if (verdict.kind === 'admitted' || verdict.kind === 'passed') return verdict.kind
  return verdict.kind === 'absent' ? verdict.code : verdict.refusal.code
}

export async function decideOn(policy: Policy, token: string): Promise<string> {
  return wordOf(await policy.decide(bearing(token), undefined))
}
