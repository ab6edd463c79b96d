import type { FaultCode } from './faults.js'
import type { RefusalCode } from './refusals.js'

/** One value, or one scheme, by which a caller shows who he is. */
export type CredentialsPart =
  | {
      readonly kind: 'header' | 'query' | 'body'
      /** Of the field or parameter; of a body the names on the way to it, joined by dots. */
      readonly name: string
      readonly holds: 'client ID' | 'client secret' | 'access token'
    }
  | { readonly kind: 'basic' | 'bearer' | 'dpop' | 'certificate' }
  /** A place of somebody's own, of which nothing can be said. */
  | { readonly kind: 'custom' }

/** Who issues the tokens of a way in. */
export interface DescribedIssuer {
  readonly issuer: string
  /** Whether its metadata are asked for where the keys or the endpoint stand. */
  readonly discovery: boolean
  /** Whether all of its tokens are JWTs. */
  readonly jwt: boolean
  /** Whether `http:` is allowed. */
  readonly allowInsecureRequests: boolean
}

/** All that has to come together for one way in. */
export interface CredentialsWay {
  readonly parts: readonly CredentialsPart[]
  readonly issuer?: DescribedIssuer
  /** There where the scopes of a policy are not the same for all of its ways. */
  readonly scopes?: readonly (readonly string[])[]
}

/**
 * What clients have to know of a policy before they call: for descriptions of an API (OpenAPI, RAML) and for looking
 * at a configuration. Made at construction, and never looked at while a request is decided on.
 */
export interface PolicyDescription {
  /** Any one of them suffices; none where the policy identifies nobody. */
  readonly ways: readonly CredentialsWay[]
  /** The scopes that are asked for: any one of the lists suffices, each as a whole. */
  readonly scopes: readonly (readonly string[])[]
  /** With what it may turn a request away. */
  readonly refusals: readonly RefusalCode[]
  /** With what it may fail. */
  readonly faults: readonly FaultCode[]
  /** Fields that it adds to the answers to requests that it has admitted or charged. */
  readonly fields: readonly string[]
  /** Whether it counts in the memory of one process: another one sees nothing of that. */
  readonly countsAlone?: boolean
}
