import { z } from 'zod'
import { localIssuer } from '../contracts/model.js'
import type { PreparedClient } from '../contracts/prepared-client.js'
import { verifySecret } from '../contracts/secrets.js'
import { resolveTerms } from '../contracts/terms.js'
import { headers } from '../credentials/headers.js'
import { readCredentials, type ReadCredentials } from '../credentials/read-credentials.js'
import type { CredentialsSource } from '../credentials/source.js'
import type { Admission } from '../decisions/admission.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Absent, Admitted, IdentifyingPolicy, Refused, Strip, Verdict } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import { checkOptions } from '../runtime/check-options.js'
import type { PolicyContext } from './context.js'
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
  'expected a source: headers(), query(), basicAuth() or custom()',
)
const schema = z.strictObject({
  from: z.array(source).min(1).readonly().optional(),
  secret: z.enum(['required', 'optional']).optional(),
  strip: z.enum(['secret', 'all', 'none']).optional(),
})

type Found = Extract<ReadCredentials, { kind: 'presented' }>

/** Lets in who proves to be a registered client with an approved contract for this API. */
export function enforceClientId(context: PolicyContext, options: EnforceClientIdOptions = {}): IdentifyingPolicy {
  const {
    from = [headers()],
    secret = 'required',
    strip = 'secret',
  } = checkOptions('enforceClientId()', schema, options)
  const { api, reader } = context
  const answers = answersOf(context.realm, from)

  const admit = (client: PreparedClient, found: Found, before: Admission | undefined): MaybePromise<Verdict> => {
    const authenticated = found.readings.length > 0
    return andThen(resolveTerms(reader, api, client.record.id), (terms) => {
      // A stranger who only knows an ID learns nothing of its contracts.
      if (terms.kind === 'refused') return authenticated ? answers.refuse(terms.code) : answers.invalid
      const { contract, tier } = terms
      const identity = client.admitted({ issuer: localIssuer, clientId: found.clientId })
      const joined = joinAdmissions(before, { api, authenticated, client: identity, contract, ...(tier && { tier }) })
      return 'code' in joined ? { kind: 'refused', refusal: joined } : admitted(joined, found.sources, strip)
    })
  }

  return {
    name: 'enforceClientId',
    place: 'client',
    shapes: ['client'],
    absent: answers.absent,
    recognise: (request) =>
      andThen(readCredentials(from, request), (found) => (found.kind === 'absent' ? 'absent' : 'own')),
    decide: (request, before) =>
      andThen(readCredentials(from, request), (found) => {
        if (found.kind !== 'presented') return answers.unread(found.kind)
        return andThen(reader.findClient({ issuer: localIssuer, clientId: found.clientId }), (client) =>
          andThen(proves(client, found.readings, secret), (proved) =>
            proved && client?.record.state === 'active' ? admit(client, found, before) : answers.invalid,
          ),
        )
      }),
  }
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
  }
}

function varyOf(sources: readonly CredentialsSource[]): readonly string[] | undefined {
  const [first] = sources
  if (sources.length === 1) return first?.vary
  return sources.some((each) => each.vary !== undefined) ? sources.flatMap((each) => each.vary ?? []) : undefined
}

/** Every "no" that needs no facts of the request, made once. */
function answersOf(realm: string, from: readonly CredentialsSource[]) {
  const byScheme = new Map(from.map((each) => [each.challenge(realm).scheme, each.challenge(realm)]))
  const challenges = [...byScheme.values()]
  const absent: Absent = { kind: 'absent', code: 'credentials_missing', challenges }
  const refuse = (code: RefusalCode): Refused => ({ kind: 'refused', refusal: { code } })
  const invalid: Refused = { kind: 'refused', refusal: { code: 'client_invalid', challenges } }
  const unread = (kind: 'absent' | 'malformed' | 'ambiguous'): Absent | Refused =>
    kind === 'absent' ? absent : refuse(`credentials_${kind}`)
  return { absent, invalid, refuse, unread }
}
