import { allOf, andThen } from '../decisions/maybe-promise.js'
import type { Absent, Choice, IdentifyingPolicy, Recognised, Refused } from '../decisions/policy.js'
import { SecretPlaces } from '../decisions/secret-places.js'
import { optionsFault } from '../runtime/check.js'
import { describeChoice } from './descriptions.js'

/**
 * For routes that several kinds of caller share. Whoever's credentials stand in the request decides alone:
 * nothing rescues his refusal or his fault. Credentials for two branches at once are refused, since otherwise
 * adding one could undo the "no" to the other.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS` for fewer than two branches, and for two that cannot be told
 * apart by the place or shape of their credentials.
 */
export function anyOf(policies: readonly (IdentifyingPolicy | Choice)[]): Choice {
  const branches = policies.flatMap((policy) => ('branches' in policy ? policy.branches : [policy]))
  requireDistinct(branches)
  const candidates = branches.map((branch) => ({ branch, byShape: sharesPlace(branch, branches) }))
  const absent: Absent = {
    kind: 'absent',
    code: branches.every((branch) => branch.place === 'bearer') ? 'token_missing' : 'credentials_missing',
    challenges: branches.flatMap((branch) => branch.absent.challenges),
  }
  return {
    name: `anyOf(${branches.map((branch) => branch.name).join(', ')})`,
    branches,
    strip: placesOf(branches),
    description: describeChoice(branches, absent.code),
    decide: (request, admission) => {
      const recognitions = allOf(candidates, ({ branch, byShape }) => branch.recognise(request, byShape))
      return andThen(recognitions, (found) => {
        const speaker = speakerOf(branches, found)
        if (speaker === undefined) return absent
        return speaker === 'several' ? ambiguous : speaker.decide(admission)
      })
    },
  }
}

/** Whose refusal it was does not matter: nobody's credentials are left to see. */
function placesOf(branches: readonly IdentifyingPolicy[]): SecretPlaces {
  const places = new SecretPlaces()
  for (const { strip } of branches) places.add(strip)
  return places
}

const ambiguous: Refused = { kind: 'refused', refusal: { code: 'credentials_ambiguous' } }

/** Only there is it worth looking at the shape, which may mean to parse a token. */
function sharesPlace(branch: IdentifyingPolicy, branches: readonly IdentifyingPolicy[]): boolean {
  return branches.some((other) => other !== branch && other.place === branch.place)
}

/**
 * Who decides. A place in use counts even where its branch does not know the shape. A place that is too large to
 * look into may hold credentials beside all others: what its branch says of that is the answer.
 */
function speakerOf(
  branches: readonly IdentifyingPolicy[],
  found: readonly Recognised[],
): Recognised | 'several' | undefined {
  const unread = found.find(({ recognition }) => recognition === 'unread')
  if (unread !== undefined) return unread
  const used = found.filter(({ recognition }) => recognition !== 'absent')
  const places = new Set(
    branches.filter((_, index) => found[index]?.recognition !== 'absent').map(({ place }) => place),
  )
  if (places.size > 1) return 'several'
  const own = used.filter(({ recognition }) => recognition === 'own')
  return own.length > 1 ? 'several' : (own[0] ?? used[0])
}

function requireDistinct(branches: readonly IdentifyingPolicy[]): void {
  if (branches.length < 2) {
    throw optionsFault('anyOf()', 'expected at least two identifying policies')
  }
  for (const [index, branch] of branches.entries()) {
    const twin = branches.slice(0, index).find((other) => overlaps(branch, other))
    if (twin === undefined) continue
    const what = `${twin.name} and ${branch.name} cannot be told apart by the place or shape of their credentials`
    throw optionsFault('anyOf()', `${what}; ${remedies[branch.place]}`)
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
