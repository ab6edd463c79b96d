import type { Challenge } from '../decisions/challenge.js'
import type { HeaderFields } from '../decisions/http-request.js'
import type { Refused } from '../decisions/policy.js'
import type { RefusalCode } from '../decisions/refusals.js'
import type { TokenScheme } from '../tokens/token-place.js'
import type { PolicyContext } from './context.js'

/** The schemes by which a route takes tokens. */
export interface TakenSchemes {
  readonly bearer: boolean
  /** What proofs may be signed with (RFC 9449 §5.1), where they are taken; none, where somebody else says so. */
  readonly dpopAlgorithms: readonly string[] | undefined
}

export type ChallengeParameters = Readonly<Record<string, string>>

export interface TokenChallenges {
  /** For who has sent no token: without an error (RFC 6750 §3.1), and one for each scheme (RFC 9449 §7.2). */
  readonly bare: readonly Challenge[]
  /**
   * For who has sent one by a scheme. Whoever can make proofs is told of nothing else: clients know what to do with a
   * challenge that stands alone.
   */
  refusing(scheme: TokenScheme, parameters: ChallengeParameters): readonly Challenge[]
}

export function tokenChallenges(
  { realm, resourceMetadata }: Pick<PolicyContext, 'realm' | 'resourceMetadata'>,
  { bearer, dpopAlgorithms }: TakenSchemes,
): TokenChallenges {
  // RFC 9728 §5.1
  const common = { realm, ...(resourceMetadata !== undefined && { resource_metadata: resourceMetadata }) }
  const inBearer = (parameters: ChallengeParameters): Challenge[] =>
    bearer ? [{ scheme: 'Bearer', parameters: { ...common, ...parameters } }] : []
  const inDpop = (parameters: ChallengeParameters): Challenge[] => {
    if (dpopAlgorithms === undefined) return []
    const algs = dpopAlgorithms.length > 0 && { algs: dpopAlgorithms.join(' ') }
    return [{ scheme: 'DPoP', parameters: { ...common, ...parameters, ...algs } }]
  }
  return {
    bare: [...inBearer({}), ...inDpop({})],
    refusing: (scheme, parameters) => {
      if (scheme === 'dpop' || !bearer) return inDpop(parameters)
      return [...inBearer(parameters), ...inDpop({})]
    },
  }
}

/** A "no" to a token. A 403 for what another token could not change goes without a challenge. */
export function tokenRefusal(
  code: RefusalCode,
  challenges?: readonly Challenge[],
  details: { readonly reason?: string; readonly fields?: HeaderFields | undefined } = {},
): Refused {
  const { reason, fields } = details
  return {
    kind: 'refused',
    refusal: {
      code,
      ...(challenges !== undefined && { challenges }),
      ...(reason !== undefined && { reason }),
      ...(fields !== undefined && { fields }),
    },
  }
}
