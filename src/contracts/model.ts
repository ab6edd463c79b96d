import type { Identity } from '../decisions/admission.js'
import type { Limit } from '../decisions/limit.js'

/** The issuer of client IDs that are given out here. */
export const localIssuer = 'local'

/**
 * How a secret is kept: SHA-256 for generated ones, scrypt for those that a person chose, base64url throughout; and
 * what was imported, as it came, until it is used for the first time.
 */
export type StoredSecret = GeneratedSecret | ChosenSecret | ImportedSecret

interface SecretBase {
  readonly id: string
  readonly hash: string
  readonly createdAt: string
  /** From here on it is no longer good. */
  readonly endsAt?: string
}

export interface GeneratedSecret extends SecretBase {
  readonly algorithm: 'sha256'
}

export interface ChosenSecret extends SecretBase {
  readonly algorithm: 'scrypt'
  readonly salt: string
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
}

/** A hash that somebody else has made. With the first use it becomes scrypt. */
export type ImportedSecret = ImportedSha256Secret | ImportedBcryptSecret

export interface ImportedSha256Secret extends SecretBase {
  readonly algorithm: 'imported-sha256'
  /** A text that stood before the secret when it was hashed. */
  readonly salt?: string
}

export interface ImportedBcryptSecret extends SecretBase {
  /** `hash` is bcrypt's own text: `$2b$10$` and 53 characters. */
  readonly algorithm: 'imported-bcrypt'
}

/** A registered consumer. Times are ISO 8601 in UTC; versions are whole and only ever grow. */
export interface Client {
  readonly id: string
  readonly version: number
  readonly name: string
  readonly owner?: string
  /** `public`: cannot keep a secret (RFC 6749 §2.1); an ID alone suffices where a policy says so. */
  readonly type: 'confidential' | 'public'
  readonly state: 'active' | 'disabled'
  readonly identities: readonly Identity[]
  readonly secrets: readonly StoredSecret[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy: string
}

/**
 * Who holds an identity: what makes it unique. It outlives its client (`client: null`), so that a name
 * once given out is not silently given to somebody else.
 */
export interface IdentityLink extends Identity {
  readonly version: number
  readonly client: string | null
  /** APIs on which the former holder was rejected or revoked. */
  readonly barredApis?: readonly string[]
}

export type ContractState = 'pending' | 'approved' | 'rejected' | 'revoked'

export interface Contract {
  readonly client: string
  readonly api: string
  readonly version: number
  readonly state: ContractState
  /** The tier in force, or asked for while pending. An API without tiers has contracts without one. */
  readonly tier?: string
  /** Another tier that an approved contract waits for. */
  readonly requestedTier?: string
  /** Who asked for what waits: somebody else has to approve it. */
  readonly requestedBy?: string
  /** In place of those of the tier, whichever that is, until an actor takes them back. */
  readonly limits?: readonly Limit[]
  readonly reason?: string
  /** Was rejected or revoked once: no automatic approval, by whatever path, until a named actor lifts it. */
  readonly barred: boolean
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy: string
}

export interface Tier {
  readonly api: string
  readonly name: string
  readonly version: number
  readonly description?: string
  readonly approval: 'automatic' | 'manual'
  /** How many contracts of one owner are approved at once. What comes after, and clients without an owner, wait. */
  readonly automaticPerOwner?: number
  /** A deprecated tier takes no new contracts and serves the old ones. */
  readonly state: 'active' | 'deprecated'
  readonly limits: readonly Limit[]
  readonly updatedAt: string
  readonly updatedBy: string
}

/**
 * What can be done to contracts, clients and tiers, by the name of the function that does it; and what
 * `clientRegistrations()` does with an issuer, which is two entries: one before the issuer is asked, one after.
 */
export const lifecycleSteps = [
  'registerClient',
  'editClient',
  'importClient',
  'importContract',
  'rotateSecret',
  'endSecret',
  'upgradeSecret',
  'disableClient',
  'enableClient',
  'removeClient',
  'linkIdentity',
  'defineTier',
  'deprecateTier',
  'requestContract',
  'approveContract',
  'rejectContract',
  'revokeContract',
  'restoreContract',
  'changeTier',
  'overrideLimits',
  'revokeTokens',
  'allowTokens',
  'forgetRevocations',
  'registerAtProvider',
  'updateAtProvider',
  'rotateAtProvider',
  'removeAtProvider',
  'importFromProvider',
  'repairRegistration',
  'addWebhook',
  'rotateWebhookKey',
  'disableWebhook',
  'enableWebhook',
  'removeWebhook',
] as const

export type LifecycleStep = (typeof lifecycleSteps)[number]

/** What a step was about, as it stood afterwards. Never a secret, nor what is stored of one. */
export interface StepDetails {
  /** The internal ID. */
  readonly client?: string
  readonly api?: string
  readonly tier?: string
  readonly requestedTier?: string
  readonly state?: string
  readonly issuer?: string
  readonly clientId?: string
  /** The `id` of a secret. */
  readonly secret?: string
  /** Of a revocation: which tokens. */
  readonly target?: string
  /** The `id` of a webhook. Never its address, which may be a secret of its receiver. */
  readonly webhook?: string
  readonly reason?: string
}

/** One step of the lifecycle in the audit log: who did what, chained to the step before it. */
export interface AuditEntry extends StepDetails {
  /** Its place in the log, from `000000000001` on: twelve digits, so that texts and numbers have one order. */
  readonly entry: string
  /** Always 1: an entry is never edited. */
  readonly version: number
  readonly at: string
  readonly actor: string
  readonly step: LifecycleStep
  /** The hash of the entry before it; of the first, 43 times `A`. */
  readonly previous: string
  /** SHA-256 over all other members, in base64url. */
  readonly hash: string
}

/** Where the audit log ends. Each step changes it, so no two can take the same place. */
export interface AuditHead {
  readonly log: 'lifecycle'
  /** The number of the last entry. */
  readonly version: number
  /** The hash of the last entry. */
  readonly hash: string
}

/** Tokens that are not to work any more, whatever their issuer says of them. */
export interface Revocation {
  readonly issuer: string
  /** One token by its `jti`, or all of a user (`sub`) or a client that were issued before a moment. */
  readonly target: `token:${string}` | `subject:${string}` | `client:${string}`
  readonly version: number
  /** There for users and clients. */
  readonly issuedBefore?: string
  /** From here on it may be forgotten: no such token lives that long. */
  readonly endsAt?: string
  readonly reason?: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly updatedBy: string
}

export type { Identity }
