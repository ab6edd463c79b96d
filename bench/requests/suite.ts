import { clientele } from 'clientele/express'
import {
  captureServer,
  chain,
  rawExchange,
  throughMiddleware,
  type Middleware,
  type RequestTemplate,
} from '../raw-requests.js'
import { measure, type Contender, type Row } from '../rounds.js'
import { api, issuer, makeFixtures, type Fixtures } from './fixtures.js'
import {
  bareJose,
  expressRateLimit,
  fastJwt,
  keyvAndDigest,
  keyvAndDigestWithThreeLimits,
  oauth2JwtBearer,
} from './peers.js'

/** Enough rounds before they count that the optimizing compiler is done with every contender. */
const cheap = { operations: 100, rounds: 300, warmUpRounds: 200 }
const signatures = { operations: 250, rounds: 60, warmUpRounds: 20 }

/** What a policy adds to a request, beside what people write today. */
export async function requests(): Promise<Row[]> {
  const fixtures = await makeFixtures()
  const server = await captureServer()
  try {
    const credentials = await server.capture([
      `client_id: ${fixtures.clientId}`,
      `client_secret: ${fixtures.clientSecret}`,
    ])
    const tokens = await fixtures.tokens(signatures.operations)
    const bearers = await Promise.all(tokens.slice(0, 1).map((token) => server.capture([bearerLine(token)])))
    const [bearer] = bearers
    if (bearer === undefined) throw new Error('no token was made')
    const firstSeen = tokens.map((token) => withToken(bearer, token))
    // Peers take turns with their likes: a signature takes a hundred times what the cheap ones do, and leaves the
    // machine in another state.
    return [
      ...(await measure(await clientIdRows(fixtures, credentials), cheap)),
      ...(await measure(tokenRows(fixtures, bearer), cheap)),
      ...(await measure(firstSeenRows(fixtures, firstSeen), signatures)),
    ]
  } finally {
    server.close()
    fixtures.close()
  }
}

async function clientIdRows(fixtures: Fixtures, template: RequestTemplate): Promise<Contender[]> {
  const { enforceClientId, limitBySla } = clientele({ api, store: fixtures.store })
  const byHand = 'Keyv look-up + SHA-256 + express-rate-limit'
  const byHandWithThree = 'the same with three express-rate-limits'
  const limitAlone = 'express-rate-limit alone'
  return [
    repeated('ours: client ID + secret + contract + three limits', chain(enforceClientId(), limitBySla()), template, [
      byHand,
      byHandWithThree,
      limitAlone,
    ]),
    repeated(byHand, await keyvAndDigest(fixtures), template),
    repeated(byHandWithThree, await keyvAndDigestWithThreeLimits(fixtures), template),
    repeated(limitAlone, expressRateLimit(), template),
  ]
}

function tokenRows(fixtures: Fixtures, template: RequestTemplate): Contender[] {
  const { validateJwt, introspectToken } = clientele({ api, store: fixtures.store })
  const { jwksUri, introspectionUri, clientId, clientSecret } = fixtures
  const common = { issuer, audience: api, allowInsecureRequests: true }
  const introspect = introspectToken({
    ...common,
    endpoint: introspectionUri,
    as: { clientId, clientSecret },
    maxAgeSeconds: 3600,
  })
  const usual = 'express-oauth2-jwt-bearer'
  const cached = 'fast-jwt with its cache'
  return [
    repeated('ours: repeated JWT', validateJwt({ ...common, jwksUri }), template, [usual, cached]),
    repeated('ours: cached introspection', introspect, template),
    repeated(usual, oauth2JwtBearer(fixtures), template),
    repeated(cached, fastJwt(fixtures), template),
  ]
}

function firstSeenRows(fixtures: Fixtures, templates: readonly RequestTemplate[]): Contender[] {
  const { store, jwksUri } = fixtures
  const bare = 'bare jose.jwtVerify'
  // Remembers fewer tokens than there are: when one comes round again, it has long been forgotten.
  const remember = { entries: 100 }
  const { validateJwt } = clientele({ api, store })
  const policy = validateJwt({ issuer, audience: api, jwksUri, remember, allowInsecureRequests: true })
  return [
    {
      name: 'ours: first-seen JWT',
      comparedTo: [bare],
      prepare: (count) => batch(policy, templates.slice(0, count)),
    },
    { name: bare, prepare: (count) => batch(bareJose(fixtures), templates.slice(0, count)) },
  ]
}

function repeated(
  name: string,
  middleware: Middleware,
  template: RequestTemplate,
  comparedTo?: readonly string[],
): Contender {
  return {
    name,
    ...(comparedTo && { comparedTo }),
    prepare: (count) =>
      batch(
        middleware,
        Array.from({ length: count }, () => template),
      ),
  }
}

/** Requests and responses are made before the clock runs. */
function batch(middleware: Middleware, templates: readonly RequestTemplate[]): () => Promise<void> {
  const exchanges = templates.map(rawExchange)
  return () => throughMiddleware(middleware, exchanges)
}

function bearerLine(token: string): string {
  return `Authorization: Bearer ${token}`
}

function withToken(template: RequestTemplate, token: string): RequestTemplate {
  const rawHeaders = template.rawHeaders.map((value) => (value.startsWith('Bearer ') ? `Bearer ${token}` : value))
  return { ...template, rawHeaders }
}
