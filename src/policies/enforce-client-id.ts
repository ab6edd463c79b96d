import { z } from 'zod'
import { localIssuer } from '../contracts/model.js'
import type { PreparedClient } from '../contracts/prepared-client.js'
import { secretForm, verifySecret } from '../contracts/secrets.js'
import { resolveTerms, type Terms } from '../contracts/terms.js'
import { headers } from '../credentials/headers.js'
import { readCredentials, type ReadCredentials } from '../credentials/read-credentials.js'
import type { CredentialsSource } from '../credentials/source.js'
import type { Admission, Identity } from '../decisions/admission.js'
import { isLook, type HttpRequest } from '../decisions/http-request.js'
import { andThen, andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Admitted, IdentifyingPolicy, Recognition, Strip, Verdict } from '../decisions/policy.js'
import { checkOptions } from '../runtime/check.js'
import { answersOf, reasonOf, type Answers } from './client-answers.js'
import type { PolicyContext } from './context.js'
import { describeClientId } from './descriptions.js'
import { joinAdmissions } from './join-admissions.js'

export interface EnforceClientIdOptions {
  /** Where ID and secret may stand. All places are looked at; two that disagree are refused. @default [headers()] */
  readonly from?: readonly CredentialsSource[]
  /**
   * `optional`: an ID alone suffices for clients registered as public, and such an admission says
   * `authenticated: false`. A secret that is sent is always checked. @default 'required'
   */
  readonly secret?: 'required' | 'optional'
  /** What is taken out of the request that the handler sees. @default 'secret' */
  readonly strip?: 'secret' | 'all' | 'none'
}

const source = z.custom<CredentialsSource>(
  (value) => typeof value === 'object' && value !== null && 'read' in value,
  'expected a source: headers(), query(), basicAuth(), payload() or custom()',
)
const schema = z.strictObject({
  from: z
    .array(source, 'expected a list of sources, also of one: from: [payload()]')
    .min(1)
    .readonly()
    .default(() => [headers()]),
  secret: z.enum(['required', 'optional']).default('required'),
  strip: z.enum(['secret', 'all', 'none']).default('secret'),
})

type Found = Extract<ReadCredentials, { kind: 'presented' }>

/** Lets in who proves to be a registered client with an approved contract for this API. */
export function enforceClientId(context: PolicyContext, options: EnforceClientIdOptions = {}): IdentifyingPolicy {
  const checked = checkOptions('enforceClientId()', schema, options)
  const { from } = checked
  const enforcement: Enforcement = { ...context, ...checked, answers: answersOf(context.realm, from) }
  const looking: Enforcement = { ...enforcement, upgradeSecret: undefined }
  const enforcementFor = (request: HttpRequest): Enforcement => (isLook(request) ? looking : enforcement)
  return {
    name: 'enforceClientId',
    place: 'client',
    shapes: ['client'],
    absent: enforcement.answers.absent,
    description: describeClientId(from, checked.secret),
    strip: checked.strip === 'none' ? undefined : placesOf(from, checked.strip),
    recognise: (request) =>
      andThen(readCredentials(from, request), (found) => ({
        recognition: recognitionOf(found.kind),
        decide: (before) => identify(found, { enforcement: enforcementFor(request), before }),
      })),
    decide: (request, before) =>
      andThenWith(readCredentials(from, request), identify, { enforcement: enforcementFor(request), before }),
  }
}

function recognitionOf(kind: ReadCredentials['kind']): Recognition {
  if (kind === 'absent') return kind
  return kind === 'too_large' ? 'unread' : 'own'
}

interface Enforcement extends PolicyContext, Required<EnforceClientIdOptions> {
  readonly answers: Answers
}

interface Arrival {
  readonly enforcement: Enforcement
  readonly before: Admission | undefined
}

/** One request on its way through the steps below: each takes what the one before found, and this. */
interface Attempt extends Arrival {
  readonly found: Found
  readonly identity: Identity
  /** Set on the way, which spares a copy. */
  client: PreparedClient | undefined
}

function identify(found: ReadCredentials, { enforcement, before }: Arrival): MaybePromise<Verdict> {
  if (found.kind !== 'presented') return enforcement.answers.unread(found.kind)
  if (found.sealed === true && enforcement.strip !== 'none') return enforcement.answers.unread('malformed')
  // A generated secret with a wrong checksum is nobody's: no store is asked for what the text alone tells.
  if (found.readings.length > 0 && found.readings.every(isMistyped)) return enforcement.answers.invalid.secret_mistyped
  const identity = { issuer: localIssuer, clientId: found.clientId }
  const attempt: Attempt = { enforcement, before, found, identity, client: undefined }
  return andThenWith(enforcement.reader.findClient(identity), prove, attempt)
}

function prove(client: PreparedClient | undefined, attempt: Attempt): MaybePromise<Verdict> {
  attempt.client = client
  return andThenWith(proves(client, attempt.found.readings, attempt.enforcement.secret), meetTerms, attempt)
}

function meetTerms(proved: boolean, attempt: Attempt): MaybePromise<Verdict> {
  const { client, enforcement } = attempt
  if (!proved || client?.record.state !== 'active') {
    return enforcement.answers.invalid[reasonOf(client, proved, attempt.found.readings)]
  }
  if (client.secrets.hasImported) enforcement.upgradeSecret?.(client.record, attempt.found.readings)
  return andThenWith(resolveTerms(enforcement.reader, enforcement.api, client.record.id), admit, attempt)
}

function admit(terms: Terms, { enforcement, before, found, identity, client }: Attempt): Verdict {
  const { answers, api, strip } = enforcement
  const authenticated = found.readings.length > 0
  // A stranger who only knows an ID learns nothing of its contracts.
  if (terms.kind === 'refused') return authenticated ? answers.refuse(terms.code) : answers.invalid[terms.code]
  const { contract, tier } = terms
  const joined = joinAdmissions(before, { api, authenticated, client: client?.admitted(identity), contract, tier })
  return 'code' in joined ? { kind: 'refused', refusal: joined } : admitted(joined, found.sources, strip)
}

function isMistyped(secret: string): boolean {
  return secretForm(secret) === 'mistyped'
}

/** The same work for unknown, wrong and disabled: whoever sends a secret has it checked against something. */
function proves(
  client: PreparedClient | undefined,
  readings: readonly string[],
  secret: 'required' | 'optional',
): MaybePromise<boolean> {
  if (readings.length === 0) return secret === 'optional' && client?.record.type === 'public'
  return verifySecret(client?.secrets, readings, Date.now())
}

function admitted(
  admission: Admission,
  sources: readonly CredentialsSource[],
  strip: 'secret' | 'all' | 'none',
): Admitted {
  return {
    kind: 'admitted',
    admission,
    strip: strip === 'none' ? undefined : placesOf(sources, strip),
    vary: varyOf(sources),
  }
}

function placesOf(sources: readonly CredentialsSource[], what: 'secret' | 'all'): Strip | undefined {
  const [first] = sources
  if (sources.length === 1) return first?.strip[what]
  return {
    headers: sources.flatMap((each) => each.strip[what].headers),
    query: sources.flatMap((each) => each.strip[what].query),
    body: sources.flatMap((each) => each.strip[what].body ?? []),
  }
}

function varyOf(sources: readonly CredentialsSource[]): readonly string[] | undefined {
  const [first] = sources
  if (sources.length === 1) return first?.vary
  return sources.some((each) => each.vary !== undefined) ? sources.flatMap((each) => each.vary ?? []) : undefined
}
