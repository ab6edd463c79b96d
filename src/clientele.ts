import { clienteleSchema, type ClienteleOptions, type DecisionEvent } from './clientele-options.js'
import { checkedReader, type CheckedReader } from './contracts/reader.js'
import { RevocationList } from './contracts/revocation-list.js'
import type { ContractReader, ContractStore } from './contracts/store.js'
import type { Choice, IdentifyingPolicy, Policy } from './decisions/policy.js'
import { SecretPlaces } from './decisions/secret-places.js'
import { ForwardingWatch } from './http/forwarding-watch.js'
import { resourceMetadata, type ResourceMetadata } from './http/resource-metadata.js'
import type { ProxyOptions } from './http/trusted-proxies.js'
import type { Counter } from './limits/counter.js'
import type { GuardedCounter } from './limits/guarded-take.js'
import { memoryCounter } from './limits/memory-counter.js'
import { WaitingLines } from './limits/waiting-lines.js'
import { anyOf } from './policies/any-of.js'
import { anyTokenOptions, type AnyTokenOptions } from './policies/any-token-options.js'
import { usageDesk, type ClientUsage, type UsageDesk, type UsageQuestion } from './policies/client-usage.js'
import type { PolicyContext } from './policies/context.js'
import { controlSpikes, type ControlSpikesOptions } from './policies/control-spikes.js'
import { enforceClientId, type EnforceClientIdOptions } from './policies/enforce-client-id.js'
import { introspectToken } from './policies/introspect-token.js'
import type { IntrospectTokenOptions } from './policies/introspection-options.js'
import { limitBySla, type LimitBySlaOptions } from './policies/limit-by-sla.js'
import { requireAuthentication, type RequireAuthenticationOptions } from './policies/require-authentication.js'
import { requireClaims } from './policies/require-claims.js'
import { requireScopes } from './policies/require-scopes.js'
import { throttleBySla, type ThrottleBySlaOptions } from './policies/throttle-by-sla.js'
import { validateJwt, type ValidateJwtOfIssuersOptions, type ValidateJwtOptions } from './policies/validate-jwt.js'
import { checkOptions } from './runtime/check.js'
import { contain } from './runtime/contain.js'
import { warn } from './runtime/warn.js'
import { tokenEngines } from './tokens/engines.js'
import type { ClaimCheck } from './tokens/claim-rules.js'
import type { IssuerEvent } from './tokens/issuer-event.js'
import type { Issuers } from './tokens/keys/issuer-keys.js'
import type { Scopes } from './tokens/scopes.js'

export type {
  AnyTokenOptions,
  ClaimCheck,
  ClienteleOptions,
  ClientUsage,
  ControlSpikesOptions,
  DecisionEvent,
  EnforceClientIdOptions,
  IntrospectTokenOptions,
  Issuers,
  LimitBySlaOptions,
  RequireAuthenticationOptions,
  ResourceMetadata,
  Scopes,
  ThrottleBySlaOptions,
  UsageDesk,
  UsageQuestion,
  ValidateJwtOfIssuersOptions,
  ValidateJwtOptions,
}

/** How verdicts become answers, for the run loop of the adapters. */
export interface Conduct extends Pick<
  ClienteleOptions,
  'api' | 'skip' | 'answer' | 'onRefusal' | 'faults' | 'onDecision'
> {
  /** Where the policies of this API look: taken out of what any of them turns away, the ones in front too. */
  readonly secretPlaces: SecretPlaces
}

/** The policies of one API, not yet bound to a framework. */
export interface Policies {
  readonly conduct: Conduct
  readonly issuers: Issuers
  readonly usage: UsageDesk
  enforceClientId(options?: EnforceClientIdOptions): IdentifyingPolicy
  validateJwt(options: ValidateJwtOptions | ValidateJwtOfIssuersOptions): IdentifyingPolicy
  introspectToken(options: IntrospectTokenOptions): IdentifyingPolicy
  anyToken(options: AnyTokenOptions): Choice
  anyOf(branches: readonly (IdentifyingPolicy | Choice)[]): Choice
  limitBySla(options?: LimitBySlaOptions): Policy
  throttleBySla(options?: ThrottleBySlaOptions): Policy
  controlSpikes(options: ControlSpikesOptions): Policy
  /** All requests that wait for their turn are answered, and none waits from now on. */
  endWaiting(): void
  requireScopes(scopes: Scopes): Policy
  requireClaims(claims: Readonly<Record<string, ClaimCheck>>): Policy
  requireAuthentication(options: RequireAuthenticationOptions): Policy
  /** Where `resource` says what stands in them. */
  readonly resourceMetadata: ResourceMetadata | undefined
}

/**
 * The one place where policies, store and counter are wired.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function wirePolicies(options: ClienteleOptions): Policies {
  const checked: ClienteleOptions = checkOptions('clientele()', clienteleSchema, options)
  const { api, store, counter = counterOf(store), counterTimeoutMs = 1000 } = checked
  const { skip, answer, onRefusal, faults, onDecision, trustedProxies, forwardingHeader } = checked
  const metadata = checked.resource && resourceMetadata(checked.resource)
  const context = policyContext(checked, metadata)
  return {
    conduct: { api, skip, answer, onRefusal, faults, onDecision, secretPlaces: new SecretPlaces() },
    issuers: context.tokens.issuers,
    ...byCredentials(context),
    anyOf,
    ...limitPolicies({ api, reader: context.reader, counter, counterTimeoutMs, trustedProxies, forwardingHeader }),
    resourceMetadata: metadata,
  }
}

interface LimitPolicyContext extends GuardedCounter, ProxyOptions {
  readonly api: string
  readonly reader: CheckedReader
}

type LimitPolicies = Pick<Policies, 'limitBySla' | 'throttleBySla' | 'controlSpikes' | 'endWaiting' | 'usage'>

function limitPolicies(context: LimitPolicyContext): LimitPolicies {
  const { api, trustedProxies } = context
  const lines = new WaitingLines()
  const allLines = [lines]
  const newLines = (): WaitingLines => {
    const more = new WaitingLines()
    allLines.push(more)
    return more
  }
  const spikes = { ...context, forwardingWatch: new ForwardingWatch(api, trustedProxies), newLines }
  const throttling = { ...context, lines }
  return {
    limitBySla: (own) => limitBySla(context, own),
    throttleBySla: (own) => throttleBySla(throttling, own),
    controlSpikes: (own) => controlSpikes(spikes, own),
    endWaiting: () => {
      for (const each of allLines) each.close()
    },
    usage: usageDesk(context),
  }
}

function policyContext(options: ClienteleOptions, metadata: ResourceMetadata | undefined): PolicyContext {
  const { api, store, realm = api, storeTimeoutMs = 5000, revocations = 'none', trustedProxies } = options
  const { onIssuerEvent = warnOfIssuer } = options
  return {
    api,
    realm,
    reader: checkedReader(store, { timeoutMs: storeTimeoutMs }),
    tokens: tokenEngines((event) => contain(onIssuerEvent, event)),
    trustedProxies,
    revocations: revocations === 'store' ? revocationsOf(store, storeTimeoutMs) : undefined,
    resourceMetadata: metadata?.url,
  }
}

/** Who is calling, and what his token has to say besides. */
function byCredentials(context: PolicyContext) {
  return {
    enforceClientId: (own) => enforceClientId(context, own),
    validateJwt: (own) => validateJwt(context, own),
    introspectToken: (own) => introspectToken(context, own),
    anyToken: (own) => {
      const { jwt, opaque } = anyTokenOptions(own)
      return anyOf([validateJwt(context, jwt), introspectToken(context, opaque)])
    },
    requireScopes: (scopes) => requireScopes(context, scopes),
    requireClaims: (claims) => requireClaims(context, claims),
    requireAuthentication: (own) => requireAuthentication(context, own),
  } satisfies Partial<Policies>
}

const revocationLists = new WeakMap<ContractReader, RevocationList>()

/** One for each store: every `clientele()` over it goes by the same list. The options were checked for `list`. */
function revocationsOf(store: ContractReader, timeoutMs: number): RevocationList {
  let list = revocationLists.get(store)
  if (list === undefined) {
    list = new RevocationList(store as ContractStore, timeoutMs)
    revocationLists.set(store, list)
  }
  return list
}

function warnOfIssuer({ kind, issuer, kid = 'without kid', reason = '', fault }: IssuerEvent): void {
  if (fault !== undefined) warn(`${fault.code}: ${fault.message}`)
  else if (kind === 'key_ignored') warn(`A key of ${new URL(issuer).host} is not used (${kid}): ${reason}.`)
}

const defaultCounters = new WeakMap<ContractReader, Counter>()

/** One for each store: two `clientele()` of one API must not admit twice the limit. */
function counterOf(store: ContractReader): Counter {
  let counter = defaultCounters.get(store)
  if (counter === undefined) {
    counter = memoryCounter()
    defaultCounters.set(store, counter)
  }
  return counter
}
