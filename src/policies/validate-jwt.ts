import { z } from 'zod'
import type { IdentifyingPolicy } from '../decisions/policy.js'
import type { DescribedIssuer } from '../decisions/policy-description.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import { unverifiedIssuer } from '../tokens/jwt/compact-jwt.js'
import { jwtEngine, type JwtBranch } from '../tokens/jwt/jwt-engine.js'
import type { JwtProfile } from '../tokens/jwt/profiles.js'
import { bearerPolicy } from './bearer-policy.js'
import type { PolicyContext } from './context.js'
import { keyOptionsShape, keySettings, type KeyOptions } from './key-options.js'
import {
  issuerOptionsShape,
  routeOptionsShape,
  type TokenIssuerOptions,
  type TokenRouteOptions,
} from './token-options.js'
import { claimTerms, issuerSettings, routeSettings } from './token-settings.js'

/** One issuer of JWTs: what its tokens look like, and where its keys come from. */
export interface JwtIssuerOptions extends TokenIssuerOptions, KeyOptions {
  /**
   * `rfc9068` asks for all that RFC 9068 does: `typ: at+jwt`, and the claims `exp`, `aud`, `sub`, `client_id`, `iat`
   * and `jti`. @default 'usual', since many issuers follow only part of it
   */
  readonly profile?: 'usual' | 'rfc9068'
}

export interface ValidateJwtOptions extends JwtIssuerOptions, TokenRouteOptions {}

/** Several issuers on one route. Which of them has to vouch for a token is chosen by its `iss`, and by nothing else. */
export interface ValidateJwtOfIssuersOptions extends TokenRouteOptions {
  readonly issuers: readonly JwtIssuerOptions[]
}

const where = 'validateJwt()'
const jwtIssuerShape = {
  ...issuerOptionsShape,
  ...keyOptionsShape,
  profile: z.enum(['usual', 'rfc9068']).optional(),
}
const ofOne = z.strictObject({ ...routeOptionsShape, ...jwtIssuerShape })
const ofSeveral = z.strictObject({
  ...routeOptionsShape,
  issuers: z.array(z.strictObject(jwtIssuerShape)).min(1).readonly(),
})

/** Lets in who bears a JWT access token of an issuer, of a registered client with an approved contract for this API. */
export function validateJwt(
  context: PolicyContext,
  options: ValidateJwtOptions | ValidateJwtOfIssuersOptions,
): IdentifyingPolicy {
  const { route, issuers } = checked(options)
  const { remember, ...settings } = routeSettings(where, context, route)
  const branches = issuers.map((issuer): JwtBranch => {
    const address = issuerSettings(where, issuer.issuer, route)
    return {
      issuer: issuer.issuer,
      terms: claimTerms(where, issuer, route),
      verifier: context.tokens.jwtVerifier({
        ...keySettings(where, issuer, address.allowInsecureRequests),
        settings: address,
        profile: issuer.profile ?? 'usual',
        clientIdClaim: issuer.clientIdClaim ?? profileClaims[issuer.profile ?? 'usual'],
        remember,
      }),
    }
  })
  const names = namesOf(branches)
  return bearerPolicy(context, {
    name: 'validateJwt',
    issuers: issuers.map((each) => describedIssuer(each, route)),
    shapes: branches.map(({ issuer }) => `jwt:${issuer}`),
    isOwn: (token) => names.has(unverifiedIssuer(token)),
    engine: jwtEngine(branches),
    ...settings,
  })
}

function namesOf(branches: readonly JwtBranch[]): ReadonlySet<unknown> {
  const names = new Set(branches.map(({ issuer }) => issuer))
  if (names.size < branches.length) throw optionsFault(where, 'issuers: expected each issuer once')
  return names
}

function describedIssuer(
  { issuer, jwks, jwksUri, pem, secret }: JwtIssuerOptions,
  route: TokenRouteOptions,
): DescribedIssuer {
  const discovery = [jwks, jwksUri, pem, secret].every((each) => each === undefined)
  return { issuer, discovery, jwt: true, allowInsecureRequests: route.allowInsecureRequests === true }
}

/** RFC 9068 §2.2: no other claim is looked at for the client. */
const profileClaims: Readonly<Record<JwtProfile, string | undefined>> = { usual: undefined, rfc9068: 'client_id' }

interface Checked {
  readonly route: TokenRouteOptions
  readonly issuers: readonly JwtIssuerOptions[]
}

function checked(options: ValidateJwtOptions | ValidateJwtOfIssuersOptions): Checked {
  if ('issuers' in options) {
    const several: ValidateJwtOfIssuersOptions = checkOptions(where, ofSeveral, options)
    return { route: several, issuers: several.issuers }
  }
  const one: ValidateJwtOptions = checkOptions(where, ofOne, options)
  return { route: one, issuers: [one] }
}
