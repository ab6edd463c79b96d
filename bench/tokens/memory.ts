import { createHmac, randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { clientele } from 'clientele/express'
import { rawExchange, throughMiddleware, type RequestTemplate } from '../raw-requests.js'
import { api, issuer } from '../requests/fixtures.js'
import type { TokenFixtures } from './fixtures.js'

const count = 100_000
const secret = 'the secret of an issuer that signs quickly'

/** What a hundred thousand remembered tokens take, with claims as access tokens have them. */
export async function rememberedMebibytes(
  { store, clientId }: TokenFixtures,
  template: RequestTemplate,
): Promise<number> {
  const remember = { entries: count, bytes: 2 ** 30 }
  const policy = clientele({ api, store }).validateJwt({ issuer, audience: api, secret, remember })
  const before = heapBytes()
  for (let made = 0; made < count; made += 1000) {
    const tokens = Array.from({ length: 1000 }, () => signed(clientId))
    const exchanges = tokens.map((token) => rawExchange(withToken(template, token)))
    await throughMiddleware(policy, exchanges)
  }
  const bytes = heapBytes() - before
  // Alive until here.
  if (policy.policy.name === '') throw new Error('there is no policy')
  return bytes / 2 ** 20
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function signed(clientId: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, aud: api, sub: clientId, client_id: clientId, scope: 'orders:read orders:write' }
  const input = [
    { alg: 'HS256', typ: 'at+jwt' },
    { ...claims, iat: now, exp: now + 7200, jti: randomUUID() },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

export function withToken(template: RequestTemplate, token: string): RequestTemplate {
  return withField(template, 'authorization', (value) => `${value.slice(0, value.indexOf(' '))} ${token}`)
}

export function withField(template: RequestTemplate, name: string, change: (value: string) => string): RequestTemplate {
  const rawHeaders = template.rawHeaders.map((value, at, all) =>
    at % 2 === 1 && all[at - 1]?.toLowerCase() === name ? change(value) : value,
  )
  return { ...template, rawHeaders }
}
