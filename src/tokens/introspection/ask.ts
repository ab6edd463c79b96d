import type { ClientAuth, Configuration, CustomFetch } from 'openid-client'
import type { MaybePromise } from '../../decisions/maybe-promise.js'
import { boundedFetch } from '../bounded-fetch.js'
import type { IssuerMetadata } from '../discovery.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import type { JsonObject } from '../json-object.js'
import type { Refreshed } from '../refreshed.js'

/** Who we are to the authorization server that is asked. */
export interface IntrospectionClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly method: 'basic' | 'post'
}

/** Asks what a token is worth. `undefined`: the server does not introspect tokens of this kind. */
export type Ask = (token: string) => Promise<JsonObject | undefined>

/** RFC 7662 §2.1. `locate` says where, each time anew. Rejects with a `ClienteleFault` alone. */
export function introspection(
  settings: IssuerSettings,
  as: IntrospectionClient,
  locate: () => MaybePromise<string>,
): Ask {
  let configured: { readonly endpoint: string; readonly configuration: Configuration } | undefined

  return async (token) => {
    const client = await import('openid-client')
    const endpoint = await locate()
    if (configured?.endpoint !== endpoint) {
      configured = { endpoint, configuration: await configure(settings, as, endpoint) }
    }
    try {
      return await client.tokenIntrospection(configured.configuration, token, { token_type_hint: 'access_token' })
    } catch (error) {
      if (error instanceof client.ResponseBodyError && error.error === 'unsupported_token_type') return undefined
      throw issuerFault(hostOf(endpoint), 'its answer to a token introspection is none.', error)
    }
  }
}

async function configure(settings: IssuerSettings, as: IntrospectionClient, endpoint: string): Promise<Configuration> {
  const client = await import('openid-client')
  const server = { issuer: settings.issuer, introspection_endpoint: endpoint }
  const authentication = as.method === 'post' ? client.ClientSecretPost(as.clientSecret) : basic(as)
  const configuration = new client.Configuration(server, as.clientId, undefined, authentication)
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so only to stand out, as our option does
  if (settings.allowInsecureRequests) client.allowInsecureRequests(configuration)
  configuration[client.customFetch] = fetchAnswer(settings)
  return configuration
}

/**
 * RFC 6749 §2.3.1 with as little form encoding as it allows: openid-client escapes `-`, `_` and `.` too, and
 * servers that do not decode at all would then know no client with such an ID.
 */
function basic({ clientId, clientSecret }: IntrospectionClient): ClientAuth {
  const encoded = Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString('base64')
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${encoded}`)
  }
}

function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}

function fetchAnswer(settings: IssuerSettings): CustomFetch {
  return async (url, { method, headers, body }) => {
    const response = await boundedFetch(url, { method, headers, body }, settings)
    const { status } = response
    // RFC 7662 §2.3: it is we who are turned away, not the caller.
    if (status === 401 || status === 403) {
      throw issuerFault(hostOf(url), 'it refuses us; check clientId, clientSecret and method of the option "as".')
    }
    // openid-client looks at the content type only where the content is not JSON; and an answer that is signed
    // (RFC 9701) was not asked for, nor would its signature be checked.
    if (status === 200 && !isJson(response)) throw issuerFault(hostOf(url), 'it answers an introspection without JSON.')
    if (status !== 200 && status !== 400) throw issuerFault(hostOf(url), `it answers an introspection with ${status}.`)
    return response
  }
}

function isJson(response: Response): boolean {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase() === 'application/json'
}

/** The endpoint that discovery names, if our secret may be sent there without anybody having written it down. */
export async function discoveredEndpoint(
  settings: IssuerSettings,
  metadata: Refreshed<IssuerMetadata>,
): Promise<string> {
  const { introspectionEndpoint } = await metadata.current()
  const where = hostOf(settings.issuer)
  const remedy = 'write the address as the option "endpoint".'
  if (introspectionEndpoint === undefined) {
    throw issuerFault(where, `its metadata names no introspection endpoint; ${remedy}`)
  }
  if (new URL(introspectionEndpoint).origin !== new URL(settings.issuer).origin) {
    throw issuerFault(where, `its metadata sends introspections to another origin; if that is meant, ${remedy}`)
  }
  return introspectionEndpoint
}
