import type { Admission, LimitUsage } from '../../decisions/admission.js'
import { isOurFault } from '../our-fault.js'
import type { HttpRequest } from '../../decisions/http-request.js'
import type { Absent, Policy, Refused, Remarks, Verdict } from '../../decisions/policy.js'
import { refusals } from '../../decisions/refusals.js'
import type { Guard } from '../routes.js'
import { limitText } from '../limit-text.js'
import { reasonText } from './reasons.js'

/** What one policy would say of a request. */
export interface Explanation {
  readonly policy: string
  readonly api: string
  readonly verdict: Verdict['kind'] | 'fault' | 'skipped' | 'not reached'
  readonly code?: string | undefined
  readonly status?: number | undefined
  readonly why: string
}

/** Asks the policies one after the other as a server would, up to the first "no". */
export async function explainAll(guards: readonly Guard[], request: HttpRequest): Promise<readonly Explanation[]> {
  const admissions = new Map<string, Admission>()
  const explanations: Explanation[] = []
  let isOver = false
  for (const guard of guards) {
    const explanation = isOver ? notReached : await explain(guard, request, admissions)
    explanations.push({ policy: guard.policy.name, api: guard.enforcedFor.api, ...explanation })
    isOver ||= ['absent', 'refused', 'fault'].includes(explanation.verdict)
  }
  return explanations
}

type Told = Omit<Explanation, 'policy' | 'api'>

const notReached: Told = { verdict: 'not reached', why: 'a policy before it turns the request away' }

async function explain(guard: Guard, request: HttpRequest, admissions: Map<string, Admission>): Promise<Told> {
  const { policy, enforcedFor } = guard
  const { api, skip } = enforcedFor
  try {
    if (skip?.(request) === true) return { verdict: 'skipped', why: 'skip() of clientele() leaves the request alone' }
    const verdict = await policy.decide(request, admissions.get(api))
    if (verdict.kind === 'admitted') {
      admissions.set(verdict.admission.api, verdict.admission)
      return { verdict: 'admitted', why: withRemarks(whyAdmitted(verdict.admission, policy), verdict.remarks) }
    }
    if (verdict.kind === 'passed') return { verdict: 'passed', why: withRemarks(alone(policy), verdict.remarks) }
    return whyNot(policy, verdict)
  } catch (error) {
    return whyFault(error)
  }
}

function whyAdmitted(admission: Admission, policy: Policy): string {
  const { client, contract, tier, scopes, usage, authenticated } = admission
  if (usage !== undefined) return [`before this request: ${usage.limits.map(used).join('; ')}`, alone(policy)].join(' ')
  const parts = [
    client && `client ${client.identity.clientId} (${client.id}, ${client.name})`,
    authenticated ? '' : 'by its ID alone',
    contract && `contract version ${String(contract.version)}`,
    tier && `tier ${tier.name}`,
    scopes && `scopes ${scopes.join(' ') || '(none)'}`,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join(', ')
}

function used({ limit, used, remaining, resetSeconds }: LimitUsage): string {
  const ends = resetSeconds > 0 ? `, until nothing counts ${String(Math.ceil(resetSeconds))} s` : ''
  return `${limitText(limit)}: ${String(used)} used, ${String(remaining)} left${ends}`
}

/** What another process has counted for itself cannot be seen from here. */
function alone({ description }: Policy): string {
  return description?.countsAlone === true
    ? '(it counts in the memory of each server: what those have counted is not seen here)'
    : ''
}

function withRemarks(why: string, remarks: Remarks | undefined): string {
  if (remarks?.notEnforced !== undefined)
    return `${why} it is only watched; enforced, it would be ${remarks.notEnforced}`.trim()
  if (remarks?.fault === undefined) return why
  return `${why} without the counter: ${remarks.fault.message}`.trim()
}

function whyNot(policy: Policy, verdict: Absent | Refused): Told {
  const { code, ...refusal } = verdict.kind === 'absent' ? { code: verdict.code } : verdict.refusal
  const { status, title } = refusals[code]
  const parts = [title, 'reason' in refusal && refusal.reason !== undefined ? reasonText(refusal.reason) : '']
  if (code === 'scope_insufficient') parts.push(`it takes the scopes ${scopesText(refusal)}`)
  if (status === 429) parts.push(...whyNoRoom(refusal), alone(policy))
  return { verdict: verdict.kind, code, status, why: parts.filter((part) => part !== '').join(' ') }
}

/** As the challenge names them (RFC 6750 §3.1). */
function scopesText({ challenges = [] }: Partial<Refused['refusal']>): string {
  return challenges.flatMap(({ parameters }) => parameters['scope'] ?? []).join(' ')
}

function whyNoRoom(refusal: Partial<Refused['refusal']>): readonly string[] {
  const violated = refusal.members?.['violated-policies']
  return [
    Array.isArray(violated) ? `no room in ${violated.join(', ')};` : '',
    refusal.retryAfterSeconds === undefined ? '' : `again in ${String(Math.ceil(refusal.retryAfterSeconds))} s`,
  ]
}

/** What others throw may hold anything, a token too. */
function whyFault(error: unknown): Told {
  if (!isOurFault(error)) return { verdict: 'fault', why: 'it failed, with an error that is not ours' }
  return { verdict: 'fault', code: error.code, status: error.status, why: error.message }
}
