import { ClienteleFault } from '../decisions/faults.js'
import type { HttpRequest } from '../decisions/http-request.js'
import { allOf, andThen, type MaybePromise } from '../decisions/maybe-promise.js'
import type { Absent, IdentifyingPolicy, Recognition, Refused } from '../decisions/policy.js'

/**
 * For routes that several kinds of caller share. Whoever's credentials stand in the request decides alone:
 * nothing rescues his refusal or his fault. Credentials for two branches at once are refused, since otherwise
 * adding one could undo the "no" to the other.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` for fewer than two branches, and for two that cannot be told
 * apart by the place or shape of their credentials.
 */
export function anyOf(policies: readonly IdentifyingPolicy[]): IdentifyingPolicy {
  const branches = policies.flatMap((policy) => policy.branches ?? [policy])
  requireDistinct(branches)
  const [first] = branches
  if (first === undefined) throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'anyOf(): expected policies')
  const absent: Absent = {
    kind: 'absent',
    code: branches.every((branch) => branch.place === 'bearer') ? 'token_missing' : 'credentials_missing',
    challenges: branches.flatMap((branch) => branch.absent.challenges),
  }
  const ambiguous: Refused = { kind: 'refused', refusal: { code: 'credentials_ambiguous' } }
  return {
    name: `anyOf(${branches.map((branch) => branch.name).join(', ')})`,
    branches,
    place: first.place,
    shapes: branches.flatMap((branch) => branch.shapes),
    absent,
    recognise: (request) => andThen(recogniseAll(branches, request), strongest),
    decide: (request, admission) =>
      andThen(recogniseAll(branches, request), (recognitions) => {
        const speaker = speakerOf(branches, recognitions)
        if (speaker === undefined) return absent
        return speaker === 'several' ? ambiguous : speaker.decide(request, admission)
      }),
  }
}

function recogniseAll(
  branches: readonly IdentifyingPolicy[],
  request: HttpRequest,
): MaybePromise<readonly Recognition[]> {
  return allOf(branches.map((branch) => branch.recognise(request)))
}

/** The branch that the request speaks to. A place in use counts even where its branch does not know the shape. */
function speakerOf(
  branches: readonly IdentifyingPolicy[],
  recognitions: readonly Recognition[],
): IdentifyingPolicy | 'several' | undefined {
  const used = branches.filter((_, index) => recognitions[index] !== 'absent')
  const [first] = used
  if (first === undefined) return undefined
  if (used.some((branch) => branch.place !== first.place)) return 'several'
  const own = branches.filter((_, index) => recognitions[index] === 'own')
  return own.length > 1 ? 'several' : (own[0] ?? first)
}

function strongest(recognitions: readonly Recognition[]): Recognition {
  if (recognitions.includes('own')) return 'own'
  return recognitions.includes('place') ? 'place' : 'absent'
}

function requireDistinct(branches: readonly IdentifyingPolicy[]): void {
  if (branches.length < 2) {
    throw new ClienteleFault('ERR_CLIENTELE_OPTIONS', 'anyOf(): expected at least two identifying policies')
  }
  for (const [index, branch] of branches.entries()) {
    const twin = branches.slice(0, index).find((other) => overlaps(branch, other))
    if (twin === undefined) continue
    throw new ClienteleFault(
      'ERR_CLIENTELE_OPTIONS',
      `anyOf(): ${twin.name} and ${branch.name} cannot be told apart by the place or shape of their credentials; ${remedies[branch.place]}`,
    )
  }
}

const remedies = {
  client: 'list all sources in the option "from" of one enforceClientId()',
  bearer: 'give token policies different issuers, or write introspectToken({ tokens: "opaque" }) beside validateJwt()',
}

/** `jwt` takes every JWT, `jwt:<issuer>` those of one issuer. */
function overlaps(a: IdentifyingPolicy, b: IdentifyingPolicy): boolean {
  if (a.place !== b.place) return false
  return a.shapes.some((shape) =>
    b.shapes.some((other) => shape === other || within(shape, other) || within(other, shape)),
  )
}

function within(shape: string, wider: string): boolean {
  return shape.startsWith(`${wider}:`)
}
