import type { Limit } from './limit.js'

/** The name of a client: who issued the ID, and the ID. `local` is the issuer of IDs given out here. */
export interface Identity {
  readonly issuer: string
  readonly clientId: string
}

/** The client of a request, without its secrets. */
export interface AdmittedClient {
  readonly id: string
  readonly name: string
  readonly owner?: string
  readonly type: 'confidential' | 'public'
  /** The identity under which it called. */
  readonly identity: Identity
}

export interface AdmittedContract {
  readonly client: string
  readonly api: string
  readonly version: number
  readonly tier?: string
}

export interface AdmittedTier {
  readonly api: string
  readonly name: string
  readonly version: number
  readonly limits: readonly Limit[]
}

/** Where a client stands with one limit, after this request. */
export interface LimitUsage {
  readonly limit: Limit
  readonly used: number
  readonly remaining: number
  /** Until nothing of it counts any more; 0 when nothing does, and for `concurrent`, which no clock ends. */
  readonly resetSeconds: number
  /** Until another request of this cost has room if nobody else comes; 0 where it has now. */
  readonly waitSeconds: number
}

/** Where a client stands with its tier: the scarcest limit in front, all of them in `limits`. */
export interface Usage extends LimitUsage {
  readonly limits: readonly LimitUsage[]
}

/**
 * What has been established about a request for one API. Frozen; holds no secret, no hash and no token.
 * Which members are there depends on the policies that ran.
 */
export interface Admission {
  readonly api: string
  /** False where an ID alone sufficed (`secret: 'optional'` and a client registered as public). */
  readonly authenticated: boolean
  readonly client?: AdmittedClient | undefined
  readonly contract?: AdmittedContract | undefined
  readonly tier?: AdmittedTier | undefined
  /** The verified claims of the token, or the members of the introspection answer. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly scopes?: readonly string[] | undefined
  readonly usage?: Usage | undefined
}
