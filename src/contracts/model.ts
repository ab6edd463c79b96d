import type { Identity } from '../decisions/admission.js'
import type { Limit } from '../decisions/limit.js'

/** The issuer of client IDs that are given out here. */
export const localIssuer = 'local'

/** How a secret is kept: SHA-256 for generated ones, scrypt for those that a person chose. base64url throughout. */
export type StoredSecret = GeneratedSecret | ChosenSecret

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
  /** A deprecated tier takes no new contracts and serves the old ones. */
  readonly state: 'active' | 'deprecated'
  readonly limits: readonly Limit[]
  readonly updatedAt: string
  readonly updatedBy: string
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
