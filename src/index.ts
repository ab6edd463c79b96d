// Where credentials stand
export { basicAuth } from './credentials/basic-auth.js'
export { custom, type CustomOptions, type CustomRead } from './credentials/custom.js'
export { headers, type HeadersOptions } from './credentials/headers.js'
export { payload, type PayloadOptions } from './credentials/payload.js'
export { query, type QueryOptions } from './credentials/query.js'
export type { CredentialsSource, Presented } from './credentials/source.js'

// Contracts: records, store port, lifecycle
export * from './contracts/index.js'
export type {
  CalendarLimit,
  CalendarUnit,
  ConcurrentLimit,
  FixedLimit,
  GcraLimit,
  Limit,
  LimitAlgorithm,
  SlidingLimit,
} from './decisions/limit.js'
// For a store of one's own: the checks that the published suite asks for
export { recordKey } from './contracts/keys.js'
export { checkChanges, type CheckedChange } from './stores/check-changes.js'
export { checkQuery, type CheckedQuery } from './stores/check-query.js'

export { cachedStore, type CachedStoreOptions } from './stores/cached.js'
export { memoryStore, type MemoryStore } from './stores/memory.js'

// Limits
export type { Counter, CounterLimit, Reading, Take } from './limits/counter.js'
export type { WhenCounterFails } from './limits/when-counter-fails.js'
export { memoryCounter, type MemoryCounter, type MemoryCounterOptions } from './limits/memory-counter.js'
export type { Clock } from './runtime/clock.js'
export type { RateLimitFieldSet } from './http/rate-limit-fields.js'

// Tokens
export type { AsymmetricAlgorithm, SecretAlgorithm } from './tokens/jwt/algorithms.js'
export type { IssuerEvent } from './tokens/issuer-event.js'
export type { Issuers } from './tokens/keys/issuer-keys.js'
export type { ClaimCheck, ClaimSchema } from './tokens/claim-rules.js'
export type { IsRevoked, RevocableToken } from './tokens/revocation.js'
export type { Scopes } from './tokens/scopes.js'
export type { TokenPlaceName } from './tokens/token-places.js'
export type { ProofFlaw, TokenReason } from './tokens/token-engine.js'
export { memoryReplays, type MemoryReplaysOptions } from './tokens/proof/memory-replays.js'
export type { ReplayMemory } from './decisions/replay-memory.js'
export type { CertificateFormat } from './http/client-certificate.js'
export type { ClientCertificateOption, DpopOptions, ProofOptions } from './policies/proof-options.js'
export type { KeyvLike } from './tokens/introspection/shared-answers.js'
export type { IntrospectionAs, SignedAnswersOptions } from './policies/introspection-options.js'
export type { JwtIssuerOptions } from './policies/validate-jwt.js'

// What policies say, and how it is answered
export type {
  Admission,
  AdmittedClient,
  AdmittedContract,
  AdmittedTier,
  LimitUsage,
  Usage,
} from './decisions/admission.js'
export type { Challenge } from './decisions/challenge.js'
export { ClienteleFault, faults, type FaultCode, type FaultDetails } from './decisions/faults.js'
export type { Body, BodyContent, BodyPath, HeaderFields, HttpRequest, Peer } from './decisions/http-request.js'
export type { MaybePromise } from './decisions/maybe-promise.js'
export type {
  Absent,
  Admitted,
  Choice,
  Identification,
  IdentifyingPolicy,
  Outcome,
  Passage,
  Passed,
  Policy,
  Recognised,
  Recognition,
  Refused,
  Remarks,
  Strip,
  Verdict,
} from './decisions/policy.js'
export { refusals, type Refusal, type RefusalCode } from './decisions/refusals.js'
export { RefusalError } from './adapters/refusal-error.js'
export type { SetActualCost } from './adapters/actual-cost.js'
export type { AdmissionOf, AdmissionWith } from './adapters/admission-of.js'
export type { ResourceOptions } from './http/resource-metadata.js'
export type { HttpReply } from './http/reply.js'

export type { SpikeQueueOptions } from './policies/spikes/options.js'

// Options of `clientele()`, which stands in `clientele/express` and `clientele/koa`
export type {
  AnyTokenOptions,
  ClienteleOptions,
  ClientUsage,
  ControlSpikesOptions,
  DecisionEvent,
  EnforceClientIdOptions,
  IntrospectTokenOptions,
  LimitBySlaOptions,
  RequireAuthenticationOptions,
  ThrottleBySlaOptions,
  UsageQuestion,
  ValidateJwtOfIssuersOptions,
  ValidateJwtOptions,
} from './clientele.js'
