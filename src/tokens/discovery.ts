import { boundedFetch } from '../runtime/bounded-fetch.js'
import type { TellIssuerEvent } from './issuer-event.js'
import { issuerFault } from './issuer-fault.js'
import { hostOf, type IssuerSettings } from './issuer-settings.js'
import { Refreshed, type Lifetimes } from './refreshed.js'

/** What is taken from an issuer's metadata. Each address has been checked for its protocol. */
export interface IssuerMetadata {
  readonly jwksUri: string | undefined
  readonly introspectionEndpoint: string | undefined
}

type DocumentSettings = Omit<IssuerSettings, keyof Lifetimes>

/** The metadata of an issuer: OpenID Connect Discovery first, RFC 8414 where there is none. */
export function discovery(settings: IssuerSettings, tell: TellIssuerEvent): Refreshed<IssuerMetadata> {
  const { issuer } = settings
  return new Refreshed({
    ...settings,
    load: () => discover(settings),
    equal: (a, b) => a.jwksUri === b.jwksUri && a.introspectionEndpoint === b.introspectionEndpoint,
    onFailure: (fault, usableSeconds) => {
      tell({ kind: 'fetch_failed', issuer, reason: fault.reason, fault, usableSeconds })
    },
  })
}

async function discover(settings: IssuerSettings): Promise<IssuerMetadata> {
  const metadata = await issuerDocument(settings)
  return {
    jwksUri: addressOf(metadata['jwks_uri'], settings),
    introspectionEndpoint: addressOf(metadata['introspection_endpoint'], settings),
  }
}

/** What an issuer says of itself, held to its own name. No address in it has been looked at. */
export async function issuerDocument(settings: DocumentSettings): Promise<Readonly<Record<string, unknown>>> {
  const where = hostOf(settings.issuer)
  let metadata: Readonly<Record<string, unknown>>
  try {
    metadata = (await read(settings, 'oidc')) ?? (await read(settings, 'oauth2')) ?? {}
  } catch (error) {
    throw issuerFault(where, 'metadata', 'its metadata cannot be read.', { cause: error })
  }
  // openid-client compares URLs; RFC 8414 §3.3 wants the very same string, which is also what tokens are held to.
  if (metadata['issuer'] !== settings.issuer) {
    throw issuerFault(
      where,
      'metadata',
      'its metadata names another issuer than the option "issuer" does, or there is none.',
    )
  }
  return metadata
}

/** `undefined` where the location does not exist, so that the other one is worth a try. */
async function read(
  settings: DocumentSettings,
  algorithm: 'oidc' | 'oauth2',
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const client = await import('openid-client')
  const last = { missing: false }
  const found = client.discovery(new URL(settings.issuer), 'none', undefined, client.None(), {
    algorithm,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so only to stand out, as our option does
    ...(settings.allowInsecureRequests && { execute: [client.allowInsecureRequests] }),
    [client.customFetch]: async (url, { method, headers }) => {
      const response = await boundedFetch(url, { method, headers }, settings)
      last.missing = response.status >= 400 && response.status < 500 && response.status !== 429
      return response
    },
  })
  try {
    return { ...(await found).serverMetadata() }
  } catch (error) {
    if (last.missing) return undefined
    throw error
  }
}

function addressOf(value: unknown, settings: IssuerSettings): string | undefined {
  if (value === undefined) return undefined
  const protocols = settings.allowInsecureRequests ? ['https:', 'http:'] : ['https:']
  if (typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value
  throw issuerFault(hostOf(settings.issuer), 'metadata', 'its metadata holds an address that is not an https URL.')
}
