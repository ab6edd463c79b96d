import { z } from 'zod'
import { localIssuer } from '../contracts/model.js'
import type { PreparedClient } from '../contracts/prepared-client.js'
import { secretForm, verifySecret } from '../contracts/secrets.js'
import { resolveTerms } from '../contracts/terms.js'
import { headers } from '../credentials/headers.js'
import { readCredentials, type ReadCredentials } from '../credentials/read-credentials.js'
import type { CredentialsSource } from '../credentials/source.js'
import type { Admission, Identity } from '../decisions/admission.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Absent, Admitted, IdentifyingPolicy, Recognition, Refused, Strip, Verdict } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import { checkOptions } from '../runtime/check.js'
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
  from: z
    .array(source)
    .min(1)
    .readonly()
    .default(() => [headers()]),
  secret: z.enum(['required', 'optional']).default('required'),
  strip: z.enum(['secret', 'all', 'none']).default('secret'),
})

type Found = Extract<ReadCredentials, { kind: 'presented' }>

/** Lets in who proves to be a registered client with an approved contract for this API. */
export function enforceClientId(context: PolicyContext, options: EnforceClientIdOptions = {}): IdentifyingPolicy {
  return new ClientIdEnforcement(context, checkOptions('enforceClientId()', schema, options))
}

class ClientIdEnforcement implements IdentifyingPolicy {
  readonly name = 'enforceClientId'
  readonly place = 'client'
  readonly shapes = ['client']
  readonly absent: Absent
  readonly #context: PolicyContext
  readonly #options: Required<EnforceClientIdOptions>
  readonly #answers: Answers

  constructor(context: PolicyContext, options: Required<EnforceClientIdOptions>) {
    this.#context = context
    this.#options = options
    this.#answers = answersOf(context.realm, options.from)
    this.absent = this.#answers.absent
  }

  recognise(request: HttpRequest): MaybePromise<Recognition> {
    return andThen(readCredentials(this.#options.from, request), ({ kind }) => (kind === 'absent' ? kind : 'own'))
  }

  decide(request: HttpRequest, before: Admission | undefined): MaybePromise<Verdict> {
    return andThen(readCredentials(this.#options.from, request), (found) =>
      found.kind === 'presented' ? this.#identify(found, before) : this.#answers.unread(found.kind),
    )
  }

  #identify(found: Found, before: Admission | undefined): MaybePromise<Verdict> {
    // A generated secret with a wrong checksum is nobody's: no store is asked for what the text alone tells.
    if (found.readings.length > 0 && found.readings.every(isMistyped)) return this.#answers.invalid
    const identity = { issuer: localIssuer, clientId: found.clientId }
    return andThen(this.#context.reader.findClient(identity), (client) =>
      andThen(proves(client, found.readings, this.#options.secret), (proved) =>
        proved && client?.record.state === 'active'
          ? this.#meetTerms(client, identity, found, before)
          : this.#answers.invalid,
      ),
    )
  }

  #meetTerms(
    client: PreparedClient,
    identity: Identity,
    { readings, sources }: Found,
    before: Admission | undefined,
  ): MaybePromise<Verdict> {
    const { api, reader } = this.#context
    const authenticated = readings.length > 0
    return andThen(resolveTerms(reader, api, client.record.id), (terms) => {
      // A stranger who only knows an ID learns nothing of its contracts.
      if (terms.kind === 'refused') return authenticated ? this.#answers.refuse(terms.code) : this.#answers.invalid
      const { contract, tier } = terms
      const next = { api, authenticated, client: client.admitted(identity), contract, tier }
      const joined = joinAdmissions(before, next)
      return 'code' in joined ? { kind: 'refused', refusal: joined } : admitted(joined, sources, this.#options.strip)
    })
  }
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
  }
}

function varyOf(sources: readonly CredentialsSource[]): readonly string[] | undefined {
  const [first] = sources
  if (sources.length === 1) return first?.vary
  return sources.some((each) => each.vary !== undefined) ? sources.flatMap((each) => each.vary ?? []) : undefined
}

type Answers = ReturnType<typeof answersOf>

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
