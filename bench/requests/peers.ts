import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { auth } from 'express-oauth2-jwt-bearer'
import { rateLimit } from 'express-rate-limit'
import { createVerifier } from 'fast-jwt'
import { jwtVerify } from 'jose'
import { Keyv } from 'keyv'
import { chain, type Middleware } from '../raw-requests.js'
import { api, issuer, type Fixtures } from './fixtures.js'

const limit = { windowMs: 60_000, limit: 1_000_000_000, standardHeaders: 'draft-8', legacyHeaders: false } as const

/** As its README has it: by address. */
export function expressRateLimit(): Middleware {
  return rateLimit(limit) as unknown as Middleware
}

function expressRateLimitByClient(windowMs: number = limit.windowMs): Middleware {
  const keyGenerator = (request: IncomingMessage): string => String(request.headers['client_id'])
  return rateLimit({ ...limit, windowMs, keyGenerator }) as unknown as Middleware
}

/** What is written by hand today: a record by ID, a digest compared, then a limit for everybody. */
export async function keyvAndDigest({ clientId, clientSecret }: Fixtures): Promise<Middleware> {
  const clients = new Keyv<{ digest: string }>()
  await clients.set(clientId, { digest: digestOf(clientSecret).toString('base64') })
  const authenticate: Middleware = (request, response, next) => {
    const check = async (): Promise<void> => {
      const { client_id: id, client_secret: secret } = request.headers
      const client = await clients.get(String(id))
      if (client !== undefined && timingSafeEqual(digestOf(String(secret)), Buffer.from(client.digest, 'base64')))
        next()
      else response.writeHead(401).end()
    }
    check().catch(next)
  }
  return chain(authenticate, expressRateLimitByClient())
}

/** The same with as many limits as ours: a limiter for each window, none of which knows of the others. */
export async function keyvAndDigestWithThreeLimits(fixtures: Fixtures): Promise<Middleware> {
  const [hour, day] = [expressRateLimitByClient(3_600_000), expressRateLimitByClient(86_400_000)]
  return chain(await keyvAndDigest(fixtures), chain(hour, day))
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

export function oauth2JwtBearer({ jwksUri }: Fixtures): Middleware {
  return auth({ issuer, audience: api, jwksUri, tokenSigningAlg: 'RS256' }) as unknown as Middleware
}

export function fastJwt({ publicKey }: Fixtures): Middleware {
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const verify = createVerifier({ key, cache: true, algorithms: ['RS256'], allowedIss: issuer, allowedAud: api })
  return (request, _response, next) => {
    verify(bearerOf(request.headers.authorization))
    next()
  }
}

export function bareJose({ publicKey }: Fixtures): Middleware {
  const options = { issuer, audience: api, algorithms: ['RS256'] }
  return (request, _response, next) => {
    jwtVerify(bearerOf(request.headers.authorization), publicKey, options).then(() => {
      next()
    }, next)
  }
}

function bearerOf(authorization: string | undefined): string {
  return authorization?.slice('Bearer '.length) ?? ''
}
