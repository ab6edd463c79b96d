import { limitPolicies, type LimitPolicies } from './clientele-limits.js'
import { clienteleSchema, type ClienteleOptions, type DecisionEvent } from './clientele-options.js'
import { secretUpgrader } from './contracts/lifecycle/upgrade-secret.js'
import { checkedReader } from './contracts/reader.js'
import { isContractStore } from './contracts/is-store.js'
import { RevocationList } from './contracts/revocation-list.js'
import type { ContractReader, ContractStore } from './contracts/store.js'
import type { Choice, IdentifyingPolicy, Policy } from './decisions/policy.js'
import { SecretPlaces } from './decisions/secret-places.js'
import { resourceMetadata, type ResourceMetadata } from './http/resource-metadata.js'
import { anyOf } from './policies/any-of.js'
import { anyTokenOptions, type AnyTokenOptions } from './policies/any-token-options.js'
import type { ClientUsage, UsageDesk, UsageQuestion } from './policies/client-usage.js'
import type { PolicyContext } from './policies/context.js'
import type { ControlSpikesOptions } from './policies/control-spikes.js'
import { enforceClientId, type EnforceClientIdOptions } from './policies/enforce-client-id.js'
import { introspectToken } from './policies/introspect-token.js'
import type { IntrospectTokenOptions } from './policies/introspection-options.js'
import type { LimitBySlaOptions } from './policies/limit-by-sla.js'
import { requireAuthentication, type RequireAuthenticationOptions } from './policies/require-authentication.js'
import { requireClaims } from './policies/require-claims.js'
import { requireScopes } from './policies/require-scopes.js'
import type { ThrottleBySlaOptions } from './policies/throttle-by-sla.js'
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
export interface Policies extends LimitPolicies {
  readonly conduct: Conduct
  readonly issuers: Issuers
  enforceClientId(options?: EnforceClientIdOptions): IdentifyingPolicy
  validateJwt(options: ValidateJwtOptions | ValidateJwtOfIssuersOptions): IdentifyingPolicy
  introspectToken(options: IntrospectTokenOptions): IdentifyingPolicy
  anyToken(options: AnyTokenOptions): Choice
  anyOf(branches: readonly (IdentifyingPolicy | Choice)[]): Choice
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
  const { api, skip, answer, onRefusal, faults, onDecision } = checked
  const metadata = checked.resource && resourceMetadata(checked.resource)
  const context = policyContext(checked, metadata)
  return {
    conduct: { api, skip, answer, onRefusal, faults, onDecision, secretPlaces: new SecretPlaces() },
    issuers: context.tokens.issuers,
    ...byCredentials(context),
    anyOf,
    ...limitPolicies(checked, context.reader),
    resourceMetadata: metadata,
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
    upgradeSecret: isContractStore(store) ? secretUpgrader(store) : undefined,
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
