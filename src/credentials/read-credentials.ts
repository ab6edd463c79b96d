import type { HttpRequest } from '../decisions/http-request.js'
import { allOf, andThen, andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import type { CredentialsSource, Presented } from './source.js'

/** The one pair that a request presents, and the sources that hold it. */
export type ReadCredentials =
  | { readonly kind: 'absent' | 'malformed' | 'ambiguous' | 'too_large' }
  | {
      readonly kind: 'presented'
      readonly clientId: string
      readonly readings: readonly string[]
      readonly sources: readonly CredentialsSource[]
      readonly sealed: boolean | undefined
    }

/**
 * Looks in every source, so that adding a credential in another place can never help: all that are found must
 * be the same pair, and one unreadable place spoils the request.
 */
export function readCredentials(
  sources: readonly CredentialsSource[],
  request: HttpRequest,
): MaybePromise<ReadCredentials> {
  const [only] = sources
  if (only !== undefined && sources.length === 1) {
    return andThenWith(only.read(request), presentedBy, sources)
  }
  return andThen(
    allOf(sources, (source) => source.read(request)),
    (found) => agree(sources, found),
  )
}

function presentedBy(found: Presented, sources: readonly CredentialsSource[]): ReadCredentials {
  if (found.kind !== 'presented') return found
  return { kind: 'presented', clientId: found.clientId, readings: found.readings, sources, sealed: found.sealed }
}

const nothing: ReadCredentials = Object.freeze({ kind: 'absent' })

function agree(sources: readonly CredentialsSource[], found: readonly Presented[]): ReadCredentials {
  let agreed: Extract<ReadCredentials, { kind: 'presented' }> | undefined
  for (const [index, source] of sources.entries()) {
    const presented = found[index]
    if (presented === undefined || presented.kind === 'absent') continue
    if (presented.kind !== 'presented') return presented
    const { clientId, readings } = presented
    const common = agreed === undefined ? readings : sharedReadings(agreed.readings, readings)
    if (agreed !== undefined && (agreed.clientId !== clientId || common === undefined)) return { kind: 'ambiguous' }
    agreed = {
      kind: 'presented',
      clientId,
      readings: common ?? [],
      sources: [...(agreed?.sources ?? []), source],
      sealed: presented.sealed === true || agreed?.sealed,
    }
  }
  return agreed ?? nothing
}

/** The readings that two places share; `undefined` when they disagree. */
function sharedReadings(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0 && b.length === 0) return a
  const shared = a.filter((reading) => b.includes(reading))
  return shared.length === 0 ? undefined : shared
}
