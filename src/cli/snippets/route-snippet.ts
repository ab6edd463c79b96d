import type { FaultCode } from '../../decisions/faults.js'
import { faults } from '../../decisions/faults.js'
import type {
  CredentialsPart,
  CredentialsWay,
  DescribedIssuer,
  PolicyDescription,
} from '../../decisions/policy-description.js'
import { refusals, type RefusalCode } from '../../decisions/refusals.js'
import type { Route } from '../routes.js'

/** One way to get past all policies of a route: the credentials that have to come together. */
export interface RouteWay {
  readonly parts: readonly (CredentialsPart & { readonly issuer?: DescribedIssuer })[]
  readonly scopes: readonly string[]
}

/** What the policies of a route add to its description. */
export interface RouteSnippet {
  readonly method: string
  readonly path: string
  /** None where no policy of it identifies anybody. */
  readonly ways: readonly RouteWay[]
  /** Codes with what a caller reads, by status. */
  readonly answers: ReadonlyMap<number, readonly AnswerCode[]>
  /** Of the answers to requests that were let in. */
  readonly fields: readonly string[]
}

export interface AnswerCode {
  readonly code: RefusalCode | FaultCode
  readonly title: string
}

/** `undefined` where none of its policies says anything of itself, or none is of this API. */
export function snippetOf(route: Route, api: string | undefined): RouteSnippet | undefined {
  const guards = route.guards.filter(({ enforcedFor }) => api === undefined || enforcedFor.api === api)
  const described = guards.flatMap(({ policy }) => policy.description ?? [])
  if (described.length === 0) return undefined
  const { method, path } = route
  const fields = new Set(described.flatMap((each) => each.fields))
  return { method, path, ways: waysOf(described), answers: answersOf(described), fields: [...fields] }
}

/** Policies in a row mean *and*: each way of the one with each way of the other. */
function waysOf(described: readonly PolicyDescription[]): readonly RouteWay[] {
  const start: readonly RouteWay[] = [{ parts: [], scopes: [] }]
  const ways = described.reduce(
    (before, { ways: own, scopes }) =>
      before.flatMap((way) => (own.length === 0 ? [{ parts: [] }] : own).flatMap((each) => joined(way, each, scopes))),
    start,
  )
  return ways.filter(({ parts }) => parts.length > 0)
}

function joined(
  before: RouteWay,
  { parts, issuer, scopes }: CredentialsWay,
  all: PolicyDescription['scopes'],
): RouteWay[] {
  const own = parts.map((part) => (issuer === undefined ? part : { ...part, issuer }))
  return (scopes ?? all).map((list) => ({
    parts: [...before.parts, ...own],
    scopes: [...new Set([...before.scopes, ...list])],
  }))
}

function answersOf(described: readonly PolicyDescription[]): RouteSnippet['answers'] {
  const answers = new Map<number, AnswerCode[]>()
  const add = (status: number, code: AnswerCode['code'], title: string): void => {
    const known = answers.get(status) ?? []
    if (!known.some((each) => each.code === code)) answers.set(status, [...known, { code, title }])
  }
  for (const each of described) {
    for (const code of each.refusals) add(refusals[code].status, code, refusals[code].title)
    for (const code of each.faults) add(faults[code].status ?? 500, code, faults[code].title)
  }
  return new Map([...answers].sort(([one], [other]) => one - other))
}

/** The fields of an answer by its status; those that are not there each time say `may`. */
export function fieldsOfAnswer(status: number, { fields, answers }: RouteSnippet): readonly string[] {
  if (status === 401) return ['WWW-Authenticate', ...fields.filter((field) => field === 'DPoP-Nonce')]
  if (status === 403) {
    const codes = answers.get(403) ?? []
    return codes.some(({ code }) => code === 'scope_insufficient') ? ['WWW-Authenticate'] : []
  }
  if (status === 429) return ['Retry-After', ...fields.filter((field) => /ratelimit/i.test(field))]
  return status === 503 ? ['Retry-After'] : []
}

/** What each field tells a caller. */
export const fieldTexts: Readonly<Record<string, string>> = {
  'WWW-Authenticate': 'The schemes by which a caller can show who he is (RFC 9110).',
  'Retry-After': 'After how many seconds it is worth coming back.',
  RateLimit: 'What is left of each limit, and when it begins anew (draft-ietf-httpapi-ratelimit-headers).',
  'RateLimit-Policy': 'The limits that hold (draft-ietf-httpapi-ratelimit-headers).',
  'x-ratelimit-limit': 'How many requests the scarcest limit allows.',
  'x-ratelimit-remaining': 'How many of them are left.',
  'x-ratelimit-reset': 'When the limit begins anew: seconds, or milliseconds where so configured.',
  'DPoP-Nonce': 'The nonce for the next proof (RFC 9449).',
}

/** Of every answer that turns a request away (RFC 9457). */
export const problemMembers = {
  type: { type: 'string', description: 'A URI that names the kind of problem.' },
  title: { type: 'string' },
  status: { type: 'integer' },
  code: { type: 'string', description: 'One word for the reason.' },
} as const
