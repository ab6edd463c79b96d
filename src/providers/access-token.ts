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

/** What a token is kept for at most, whatever is said of its life. */
const longestSeconds = 3600

export interface AccessTokens {
  /** The value of `Authorization`. */
  authorization(): Promise<string>
  /** It was answered with 401: if it is the one that is held, another is asked for next time. */
  readonly refused: (authorization: string) => void
}

/** Tokens by client_credentials (RFC 6749 §4.4), asked for again shortly before they end. */
export function accessTokens(settings: AccessTokenSettings): AccessTokens {
  const authenticate = clientAuthentication(settings.as, settings.issuer)
  let held: HeldToken | undefined
  const authorization = (): Promise<string> => {
    if (held !== undefined && monotonicClock() < held.endsAtMs) return held.authorization
    const asked = askToken(settings, authenticate)
    const mine: HeldToken = { authorization: asked.then(({ token }) => `Bearer ${token}`), endsAtMs: Infinity }
    held = mine
    asked.then(
      ({ token, seconds }) => {
        mine.value = `Bearer ${token}`
        mine.endsAtMs = monotonicClock() + seconds * 1000
      },
      () => (held = held === mine ? undefined : held),
    )
    return mine.authorization
  }
  const refused = (value: string): void => {
    if (held?.value === value) held = undefined
  }
  return { authorization, refused }
}

interface HeldToken {
  readonly authorization: Promise<string>
  value?: string
  endsAtMs: number
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
    const proof = headers['authorization'] ?? ''
    const sent = [...secrets, proof, proof.replace(/^\S+ /, ''), body.get('client_assertion') ?? '']
    return givenToken(await readIssuerAnswer(response, sent), hostOf(url))
  } catch (cause) {
    throw issuerFault(hostOf(url), 'credentials', 'there is no token to manage clients with.', { cause })
  }
}

function givenToken({ status, json = {}, words }: IssuerAnswer, where: string): GivenToken {
  const { access_token: token, expires_in: expiresIn } = json
  if (status !== 200 || typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    const said = status === 200 ? '200 without a token that can be read' : `${String(status)} ${words}`
    throw issuerFault(where, 'credentials', `it gives no token to manage clients with: ${said}`)
  }
  const seconds = Number(expiresIn ?? defaultSeconds)
  const lifetime = Number.isFinite(seconds) ? seconds : defaultSeconds
  return { token, seconds: Math.min(longestSeconds, Math.max(shortestSeconds, lifetime - earlySeconds)) }
}
