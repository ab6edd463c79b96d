import { monotonicClock } from '../runtime/clock.js'
import { boundedFetch, type FetchLimits } from '../runtime/bounded-fetch.js'
import { clientAuthentication, type IntrospectionClient } from '../tokens/introspection/client-authentication.js'
import { issuerFault } from '../tokens/issuer-fault.js'
import { hostOf } from '../tokens/issuer-settings.js'
import { readIssuerAnswer, type IssuerAnswer } from './issuer-text.js'

export interface AccessTokenSettings extends FetchLimits {
  readonly as: IntrospectionClient
  readonly tokenEndpoint: () => Promise<string>
  /** The audience of what we sign: the issuer. */
  readonly issuer: string
  readonly form: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

const earlySeconds = 30
const shortestSeconds = 1
const defaultSeconds = 60

/** A token by client_credentials (RFC 6749 §4.4), asked for again shortly before it ends. */
export function accessTokens(settings: AccessTokenSettings): () => Promise<string> {
  const authenticate = clientAuthentication(settings.as, settings.issuer)
  let held: { readonly token: Promise<string>; endsAtMs: number } | undefined
  return () => {
    if (held !== undefined && monotonicClock() < held.endsAtMs) return held.token
    const asked = askToken(settings, authenticate)
    const mine = { token: asked.then(({ token }) => token), endsAtMs: Infinity }
    held = mine
    asked.then(
      ({ seconds }) => (mine.endsAtMs = monotonicClock() + seconds * 1000),
      () => (held = held === mine ? undefined : held),
    )
    return mine.token
  }
}

interface GivenToken {
  readonly token: string
  readonly seconds: number
}

async function askToken(
  { tokenEndpoint, form, secrets, ...limits }: AccessTokenSettings,
  authenticate: ReturnType<typeof clientAuthentication>,
): Promise<GivenToken> {
  const url = await tokenEndpoint()
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...form })
  try {
    await authenticate({ headers, form: body })
    const response = await boundedFetch(url, { method: 'POST', headers, body: body.toString() }, limits)
    const sent = [...secrets, headers['authorization'] ?? '', body.get('client_assertion') ?? '']
    return givenToken(await readIssuerAnswer(response, sent), hostOf(url))
  } catch (cause) {
    throw issuerFault(hostOf(url), 'credentials', 'there is no token to manage clients with.', { cause })
  }
}

function givenToken({ status, json = {}, words }: IssuerAnswer, where: string): GivenToken {
  const { access_token: token, expires_in: expiresIn } = json
  if (status !== 200 || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const said = `${String(status)} ${words}`
    throw issuerFault(where, 'credentials', `it gives no token to manage clients with: ${said}`)
  }
  const seconds = Number(expiresIn ?? defaultSeconds)
  const lifetime = Number.isFinite(seconds) ? seconds : defaultSeconds
  return { token, seconds: Math.max(shortestSeconds, lifetime - earlySeconds) }
}
