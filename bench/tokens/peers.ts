import type { IncomingMessage } from 'node:http'
import { JwtVerifier } from 'aws-jwt-verify'
import { auth } from 'express-oauth2-jwt-bearer'
import { createVerifier } from 'fast-jwt'
import { EmbeddedJWK, jwtVerify } from 'jose'
import type { Middleware } from '../raw-requests.js'
import { api, issuer } from '../requests/fixtures.js'
import type { Algorithm, TokenFixtures } from './fixtures.js'

type Peer = (fixtures: TokenFixtures, algorithm: Algorithm) => Middleware

export const oauth2JwtBearer: Peer = ({ jwksUri }, algorithm) =>
  auth({ issuer, audience: api, jwksUri, tokenSigningAlg: algorithm }) as unknown as Middleware

export const bareJose: Peer = ({ keys }, algorithm) => {
  const options = { issuer, audience: api, algorithms: [algorithm] }
  return verifying((token) => jwtVerify(token, keys[algorithm], options))
}

export const fastJwt =
  (cache: boolean): Peer =>
  ({ keys }, algorithm) => {
    const key = keys[algorithm].export({ type: 'spki', format: 'pem' }).toString()
    const verify = createVerifier({ key, cache, algorithms: [algorithm], allowedIss: issuer, allowedAud: api })
    return (request, _response, next) => {
      verify(tokenOf(request))
      next()
    }
  }

/** `undefined`: it knows no such algorithm. */
export function awsJwtVerify({ jwks, jwksUri }: TokenFixtures, algorithm: Algorithm): Middleware | undefined {
  if (algorithm === 'PS256') return undefined
  const verifier = JwtVerifier.create({ issuer, audience: api, jwksUri })
  verifier.cacheJwks(jwks as Parameters<typeof verifier.cacheJwks>[0])
  return verifying((token) => verifier.verify(token))
}

/** Of a proof its signature alone: no address, no token, no memory. */
export const bareProof: Middleware = (request, _response, next) => {
  jwtVerify(String(request.headers['dpop']), EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] }).then(() => {
    next()
  }, next)
}

function verifying(verify: (token: string) => Promise<unknown>): Middleware {
  return (request, _response, next) => {
    verify(tokenOf(request)).then(() => {
      next()
    }, next)
  }
}

function tokenOf({ headers: { authorization = '' } }: IncomingMessage): string {
  return authorization.slice(authorization.indexOf(' ') + 1)
}
