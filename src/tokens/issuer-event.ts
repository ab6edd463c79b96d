import type { ClienteleFault } from '../decisions/faults.js'

/**
 * What happens between us and an issuer beside any request, for logs and alarms. Holds names and reasons, no token,
 * no secret and no URL.
 */
export interface IssuerEvent {
  /**
   * `key_ignored`: a published key is not used, and `reason` says why. `fetch_failed`: metadata or keys could not be
   * had. `introspection_failed`: a token could not be asked about. `cache_failed`: the shared cache of answers does not
   * answer, or holds what we did not write; the issuer is asked instead. `key_distrusted`: `distrust()` was called.
   */
  readonly kind: 'key_ignored' | 'fetch_failed' | 'introspection_failed' | 'cache_failed' | 'key_distrusted'
  readonly issuer: string
  /** Of the key, as the issuer publishes it, if it has one of visible ASCII. */
  readonly kid?: string | undefined
  readonly reason?: string | undefined
  readonly fault?: ClienteleFault | undefined
  /** For how long the old metadata or keys are still taken; 0 where there are none. */
  readonly usableSeconds?: number | undefined
}

export type TellIssuerEvent = (event: IssuerEvent) => void
