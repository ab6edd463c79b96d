import type { Body, HttpRequest } from '../decisions/http-request.js'
import { allOf, andThen, andThenWith, type MaybePromise } from '../decisions/maybe-promise.js'
import { readAuthorization } from './authorization-field.js'
import {
  absent,
  ambiguous,
  malformed,
  onlyToken,
  tooLarge,
  type NoToken,
  type PresentedToken,
  type TokenPlace,
  type TokenScheme,
} from './token-place.js'

/** A place as options name it. */
export type TokenPlaceName =
  | 'bearer'
  | { readonly header: string }
  | { readonly query: string }
  | { readonly form: string; readonly maxBytes?: number }

export interface TokenHere {
  readonly kind: 'token'
  readonly token: string
  readonly scheme: TokenScheme
  readonly place: TokenPlace
}

export type FoundToken = TokenHere | NoToken

/** `dpop`: whether the scheme of RFC 9449 is taken there too. */
export function tokenPlace(name: TokenPlaceName, dpop: boolean): TokenPlace {
  if (name === 'bearer') return inAuthorization(dpop)
  if ('header' in name) return inHeader(name.header.toLowerCase())
  return 'query' in name ? inQuery(name.query) : inForm(name.form, name.maxBytes ?? 65_536)
}

/** The one token of a request (RFC 6750 §2): two, in whatever places, are refused, were they the same. */
export function readToken(
  places: readonly TokenPlace[],
  request: HttpRequest,
  maxTokenBytes: number,
): MaybePromise<FoundToken> {
  const [only] = places
  if (only !== undefined && places.length === 1) return andThenWith(only.read(request, maxTokenBytes), foundAt, only)
  return andThen(
    allOf(places, (place) => place.read(request, maxTokenBytes)),
    (presented) => oneOf(places, presented),
  )
}

function foundAt(presented: PresentedToken, place: TokenPlace): FoundToken {
  if (presented.kind !== 'token') return presented
  // Spelt out: a spread would cost more than the step.
  const { token, scheme } = presented
  return { kind: 'token', token, scheme, place }
}

function oneOf(places: readonly TokenPlace[], presented: readonly PresentedToken[]): FoundToken {
  let found: FoundToken = absent
  for (const [index, place] of places.entries()) {
    const here = presented[index]
    if (here === undefined || here.kind === 'absent') continue
    if (here.kind !== 'token') return here
    if (found.kind === 'token') return ambiguous
    found = foundAt(here, place)
  }
  return found
}

function inAuthorization(dpop: boolean): TokenPlace {
  return {
    read: (request, maxTokenBytes) => readAuthorization(request, maxTokenBytes, dpop),
    strip: { headers: ['authorization'], query: [] },
    vary: undefined,
    part: { kind: 'bearer' },
  }
}

function inHeader(name: string): TokenPlace {
  return {
    read: (request, maxTokenBytes) => onlyToken(request.headerValues(name), maxTokenBytes),
    strip: { headers: [name], query: [] },
    vary: [name],
    part: { kind: 'header', name, holds: 'access token' },
  }
}

function inQuery(name: string): TokenPlace {
  return {
    read: (request, maxTokenBytes) => onlyToken(request.query.getAll(name), maxTokenBytes),
    strip: { headers: [], query: [name] },
    vary: [],
    part: { kind: 'query', name, holds: 'access token' },
  }
}

/** A form and nothing else, in a request that may have one (RFC 6750 §2.2). */
function inForm(name: string, maxBytes: number): TokenPlace {
  const path = [name]
  const tokenIn = (body: Body, maxTokenBytes: number): PresentedToken => {
    if (body.kind !== 'content') return noToken[body.kind]
    const values = body.textAt(path)
    if (values === undefined) return malformed
    // A digest covers the body: the token could not be taken out of it.
    return body.sealed && values.length > 0 ? malformed : onlyToken(values, maxTokenBytes)
  }
  return {
    read: (request, maxTokenBytes) =>
      mayHoldForm(request) ? andThenWith(request.body(maxBytes), tokenIn, maxTokenBytes) : absent,
    strip: { headers: [], query: [], body: [path] },
    vary: [],
    part: { kind: 'body', name, holds: 'access token' },
  }
}

const noToken = { absent, too_large: tooLarge, unreadable: malformed }
const withoutForms: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const form = /^application\/x-www-form-urlencoded *(?:;|$)/i

/** What is called a form among other things is left to the reading of the body, which refuses what is unclear. */
function mayHoldForm(request: HttpRequest): boolean {
  if (withoutForms.has(request.method)) return false
  const types = request.headerValues('content-type')
  return types.length > 1 ? types.some((type) => /urlencoded/i.test(type)) : form.test(types[0] ?? '')
}
