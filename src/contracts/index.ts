// Records, secrets, lifecycle: what is public of this room
export type {
  AuditEntry,
  AuditHead,
  ChosenSecret,
  Client,
  Contract,
  ContractState,
  GeneratedSecret,
  Identity,
  IdentityLink,
  ImportedBcryptSecret,
  ImportedSecret,
  ImportedSha256Secret,
  LifecycleStep,
  Revocation,
  StepDetails,
  StoredSecret,
  Tier,
} from './model.js'
export type { ClientAuthMethod, ClientMetadata, Registration, RegistrationState } from './registration.js'
export type { FailedDelivery, Follower, Retrying, Webhook, WebhookKey } from './notification-model.js'
export { localIssuer } from './model.js'
export { isGeneratedSecret } from './secrets.js'
export type {
  Change,
  ContractReader,
  ContractStore,
  Freshness,
  ListQuery,
  Page,
  RecordKey,
  RecordKind,
  Records,
  StoreCapabilities,
} from './store.js'
export { readAuditLog, type ReadAuditLogInput } from './lifecycle/audit-chain.js'
export {
  importClients,
  type ImportClientsInput,
  type ImportedClient,
  type ImportedContract,
  type ImportedCounts,
} from './lifecycle/import-clients.js'
export { onLifecycle, type LifecycleEvent } from './lifecycle/audit-log.js'
export { disableClient, enableClient, removeClient, type ClientInput } from './lifecycle/client-state.js'
export { endSecret, rotateSecret } from './lifecycle/client-secrets.js'
export type { EndSecretInput, RotatedSecret, RotateSecretInput } from './lifecycle/client-secrets.js'
export { registerClient, type RegisterClientInput, type RegisteredClient } from './lifecycle/clients.js'
export type { LifecycleInput } from './lifecycle/common.js'
export {
  approveContract,
  rejectContract,
  restoreContract,
  revokeContract,
  type ApproveContractInput,
  type RefuseContractInput,
  type RestoreContractInput,
} from './lifecycle/contract-decisions.js'
export {
  changeTier,
  requestContract,
  type ChangeTierInput,
  type RequestContractInput,
} from './lifecycle/contract-requests.js'
export { overrideLimits, type OverrideLimitsInput } from './lifecycle/override-limits.js'
export { editClient, type EditClientInput } from './lifecycle/edit-client.js'
export { allowTokens, forgetRevocations, revokeTokens } from './lifecycle/revocations.js'
export type { AllowTokensInput, RevokedTokens, RevokeTokensInput } from './lifecycle/revocations.js'
export { linkIdentity, type LinkIdentityInput } from './lifecycle/identities.js'
export { defineTier, deprecateTier } from './lifecycle/tiers.js'
export type { DefinedTier, DefineTierInput, TierInput } from './lifecycle/tiers.js'
export type { LimitInput } from './limit-schemas.js'
