import { memoryReplays } from 'clientele'
import { clientele } from 'clientele/express'
import {
  captureServer,
  rawExchange,
  throughMiddleware,
  type Middleware,
  type RequestTemplate,
} from '../raw-requests.js'
import { api, issuer } from '../requests/fixtures.js'
import { measure, type Contender, type Row } from '../rounds.js'
import { algorithms, makeTokenFixtures, proofMaker, type Algorithm, type TokenFixtures } from './fixtures.js'
import { rememberedMebibytes, withField, withToken } from './memory.js'
import { awsJwtVerify, bareJose, bareProof, fastJwt, oauth2JwtBearer } from './peers.js'

const cheap = { operations: 100, rounds: 200, warmUpRounds: 150 }
const signatures = { operations: 200, rounds: 40, warmUpRounds: 15 }
const publicUrl = 'https://api.example.com'

/** What a token costs: seen for the first time and again, asked about, and with its proof. */
export async function tokens(): Promise<Row[]> {
  const fixtures = await makeTokenFixtures()
  const server = await captureServer()
  try {
    const bearer = await server.capture(['Authorization: Bearer x'])
    const dpop = await server.capture(['Authorization: DPoP x', 'DPoP: x'])
    const rows: Row[] = []
    for (const algorithm of algorithms) rows.push(...(await firstSeen(fixtures, algorithm, bearer)))
    rows.push(...(await measure(await repeated(fixtures, bearer), cheap)))
    rows.push(...(await measure(await proven(fixtures, dpop), signatures)))
    const mebibytes = await rememberedMebibytes(fixtures, bearer)
    console.log(`a hundred thousand remembered tokens: ${mebibytes.toFixed(0)} MiB`)
    return rows
  } finally {
    server.close()
    fixtures.close()
  }
}

async function firstSeen(fixtures: TokenFixtures, algorithm: Algorithm, template: RequestTemplate): Promise<Row[]> {
  const { store, jwksUri } = fixtures
  const made = await Promise.all(Array.from({ length: signatures.operations }, () => fixtures.token(algorithm)))
  const templates = made.map((token) => withToken(template, token))
  // Remembers fewer tokens than there are: when one comes round again, it has long been forgotten.
  const remember = { entries: 50 }
  const common = { issuer, audience: api, remember, allowInsecureRequests: true }
  const ours = clientele({ api, store }).validateJwt({ ...common, jwksUri })
  const peers: Readonly<Record<string, Middleware | undefined>> = {
    'bare jose.jwtVerify': bareJose(fixtures, algorithm),
    'express-oauth2-jwt-bearer': oauth2JwtBearer(fixtures, algorithm),
    'fast-jwt without cache': fastJwt(false)(fixtures, algorithm),
    'aws-jwt-verify': awsJwtVerify(fixtures, algorithm),
  }
  const others = Object.entries(peers).flatMap(([name, middleware]) =>
    middleware ? [[name, middleware] as const] : [],
  )
  const contenders = [
    contender(
      `ours: first-seen ${algorithm}`,
      ours,
      () => templates,
      others.map(([name]) => `${name}, ${algorithm}`),
    ),
    ...others.map(([name, middleware]) => contender(`${name}, ${algorithm}`, middleware, () => templates)),
  ]
  return measure(contenders, signatures)
}

async function repeated(fixtures: TokenFixtures, bearer: RequestTemplate): Promise<Contender[]> {
  const { store, jwksUri, introspectionUri, clientId, clientSecret } = fixtures
  const template = withToken(bearer, await fixtures.token('RS256'))
  const same = (count: number): RequestTemplate[] => Array.from({ length: count }, () => template)
  const { validateJwt, introspectToken } = clientele({ api, store })
  const common = { issuer, audience: api, allowInsecureRequests: true }
  const as = { clientId, clientSecret }
  const introspect = introspectToken({ ...common, endpoint: introspectionUri, as, maxAgeSeconds: 3600 })
  const aws = awsJwtVerify(fixtures, 'RS256')
  const peers = ['express-oauth2-jwt-bearer', 'fast-jwt with cache', ...(aws ? ['aws-jwt-verify'] : [])]
  const names = peers.map((name) => `${name}, repeated`)
  return [
    contender('ours: repeated JWT', validateJwt({ ...common, jwksUri }), same, names),
    contender('ours: cached introspection', introspect, same),
    contender('express-oauth2-jwt-bearer, repeated', oauth2JwtBearer(fixtures, 'RS256'), same),
    contender('fast-jwt with cache, repeated', fastJwt(true)(fixtures, 'RS256'), same),
    ...(aws ? [contender('aws-jwt-verify, repeated', aws, same)] : []),
  ]
}

async function proven(fixtures: TokenFixtures, template: RequestTemplate): Promise<Contender[]> {
  const { store, jwksUri } = fixtures
  const { jkt, proof } = proofMaker(`${publicUrl}/orders`)
  const token = await fixtures.token('RS256', { cnf: { jkt } })
  const bound = withToken(template, token)
  const fresh = (count: number): RequestTemplate[] =>
    Array.from({ length: count }, () => withField(bound, 'dpop', () => proof(token)))
  const dpop = { publicUrl, replays: memoryReplays({ entries: 1_000_000 }) }
  const ours = clientele({ api, store }).validateJwt({
    ...{ issuer, audience: api, jwksUri, dpop },
    allowInsecureRequests: true,
  })
  const bare = 'bare jose.jwtVerify of the proof'
  return [contender('ours: repeated JWT, new DPoP proof', ours, fresh, [bare]), contender(bare, bareProof, fresh)]
}

function contender(
  name: string,
  middleware: Middleware,
  templates: (this: void, count: number) => readonly RequestTemplate[],
  comparedTo?: readonly string[],
): Contender {
  return {
    name,
    ...(comparedTo && { comparedTo }),
    prepare: (count) => {
      const exchanges = templates(count).map(rawExchange)
      return () => throughMiddleware(middleware, exchanges)
    },
  }
}
