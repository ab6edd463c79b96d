import type { IdentifyingPolicy } from '../decisions/policy.js'
import type { DescribedIssuer } from '../decisions/policy-description.js'
import { requireAddress } from '../runtime/address.js'
import { checkOptions, optionsFault } from '../runtime/check.js'
import type { ClaimTerms } from '../tokens/claim-terms.js'
import type { IntrospectionEngineConfig } from '../tokens/engines.js'
import {
  algorithmFor,
  readPrivateKey,
  type IntrospectionClient,
} from '../tokens/introspection/client-authentication.js'
import type { Introspector } from '../tokens/introspection/introspector.js'
import { keyKindFor, secretBytesOf } from '../tokens/jwt/algorithms.js'
import { looksLikeJwt } from '../tokens/jwt/compact-jwt.js'
import { tlsFetch } from '../tokens/tls-fetch.js'
import { badToken, type TokenEngine } from '../tokens/token-engine.js'
import { bearerPolicy } from './bearer-policy.js'
import type { PolicyContext } from './context.js'
import { introspectionSchema, type IntrospectionAs, type IntrospectTokenOptions } from './introspection-options.js'
import { keySettings } from './key-options.js'
import { claimTerms, issuerSettings, routeSettings } from './token-settings.js'

const where = 'introspectToken()'

/**
 * Lets in who bears a token that the issuer vouches for when asked (RFC 7662), of a registered client with an
 * approved contract for this API.
 */
export function introspectToken(context: PolicyContext, options: IntrospectTokenOptions): IdentifyingPolicy {
  const checked: IntrospectTokenOptions = checkOptions(where, introspectionSchema, options)
  const { remember, ...route } = routeSettings(where, context, checked)
  const { tokens = 'any' } = checked
  const introspector = context.tokens.introspector({ ...asking(checked), remember })
  return bearerPolicy(context, {
    name: 'introspectToken',
    issuers: [describedIssuer(checked)],
    shapes: tokens === 'any' ? ['jwt', 'opaque'] : ['opaque'],
    isOwn: tokens === 'any' ? () => true : isOpaque,
    engine: engineFor(introspector, claimTerms(where, checked, checked), tokens),
    ...route,
  })
}

function describedIssuer({ issuer, endpoint, allowInsecureRequests = false }: IntrospectTokenOptions): DescribedIssuer {
  return { issuer, discovery: endpoint === undefined, jwt: false, allowInsecureRequests }
}

function asking(options: IntrospectTokenOptions): Omit<IntrospectionEngineConfig, 'remember'> {
  const { issuer, endpoint, tokenInfo, sharedCache, clientIdClaim, maxAgeSeconds = 60 } = options
  const { minAgeSeconds = maxAgeSeconds, inactiveMaxAgeSeconds = 10, staleAnswerSeconds = 0, budget } = options
  const settings = issuerSettings(where, issuer, options)
  if (endpoint !== undefined) requireAddress(where, 'endpoint', endpoint, settings.allowInsecureRequests)
  if (minAgeSeconds > maxAgeSeconds) throw optionsFault(where, 'minAgeSeconds: expected no more than maxAgeSeconds')
  const as = clientOf(options)
  return {
    settings,
    endpoint,
    clientIdClaim,
    as,
    signed: signedOf(options, as, settings.allowInsecureRequests),
    tokenInfo: tokenInfo && { method: tokenInfo.method ?? 'POST', parameter: tokenInfo.parameter ?? 'access_token' },
    sharedCache,
    maxAgeSeconds,
    minAgeSeconds,
    inactiveMaxAgeSeconds,
    staleAnswerSeconds,
    concurrent: budget?.concurrent ?? 100,
    inactivePerSecond: budget?.inactivePerSecond ?? 50,
  }
}

/** What a request would otherwise find out. */
function clientOf({ as, tokenInfo, endpoint }: IntrospectTokenOptions): IntrospectionClient {
  if (as.method === 'header') return as
  if (as.method === 'none') {
    if (tokenInfo !== undefined) return as
    throw optionsFault(where, 'as: method "none" goes with tokenInfo alone; RFC 7662 §2.1 wants to know who asks')
  }
  if (as.method === 'mutual_tls') {
    return withCertificate(as, endpoint)
  }
  if (as.method === 'private_key_jwt') return withPrivateKey(as)
  const { clientId, clientSecret, method = 'basic' } = as
  if (method === 'client_secret_jwt' && Buffer.byteLength(clientSecret) < secretBytesOf.HS256) {
    throw optionsFault(where, `as.clientSecret: client_secret_jwt needs ${secretBytesOf.HS256} bytes at least`)
  }
  return { clientId, clientSecret, method }
}

function withCertificate(
  as: Extract<IntrospectionAs, { method: 'mutual_tls' }>,
  endpoint: string | undefined,
): IntrospectionClient {
  if (endpoint?.startsWith('http:') === true) throw optionsFault(where, 'endpoint: mutual_tls needs https')
  const client = { ...as, ca: as.ca }
  try {
    tlsFetch(client)
    return client
  } catch {
    throw optionsFault(where, 'as: expected certificate and privateKey as PEM, and the one of the other')
  }
}

function withPrivateKey(as: Extract<IntrospectionAs, { method: 'private_key_jwt' }>): IntrospectionClient {
  const { clientId, method, privateKey, kid, algorithm } = as
  try {
    const usual = algorithmFor(readPrivateKey(privateKey))
    const fits = usual !== undefined && keyKindFor(algorithm ?? usual) === keyKindFor(usual)
    if (fits) return { clientId, method, privateKey, kid, algorithm }
  } catch {
    // Said below, without what the key holds.
  }
  throw optionsFault(where, 'as.privateKey: expected a private key as PEM or JWK, of the kind that the algorithm takes')
}

function signedOf(
  { signedAnswers = false }: IntrospectTokenOptions,
  as: IntrospectionClient,
  allowInsecure: boolean,
): IntrospectionEngineConfig['signed'] {
  if (signedAnswers === false) return undefined
  const { audience, ...keys } = signedAnswers === true ? {} : signedAnswers
  const name = audience ?? ('clientId' in as ? as.clientId : undefined)
  if (name === undefined) throw optionsFault(where, 'signedAnswers: expected audience, since "as" has no clientId')
  return { ...keySettings(where, keys, allowInsecure), audience: name }
}

function isOpaque(token: string): boolean {
  return !looksLikeJwt(token)
}

function engineFor(introspector: Introspector, terms: ClaimTerms, tokens: 'any' | 'opaque'): TokenEngine {
  if (tokens === 'any') return { verify: (token) => introspector.verify(token, terms) }
  return { verify: (token) => (isOpaque(token) ? introspector.verify(token, terms) : badToken('format')) }
}
