import { isId } from '../../contracts/schema-words.js'
import { clientMetadata } from '../../contracts/registration-schema.js'
import { clientAuthMethods, type ClientMetadata } from '../../contracts/registration.js'
import type { JsonObject } from '../../tokens/json-object.js'
import type { IssuedClient, Management } from '../client-provider.js'

/**
 * An answer of a registration endpoint (RFC 7591 §3.2.1), as servers give it: numbers as texts, and
 * `client_id_expires_at` for `client_secret_expires_at` (LemonLDAP::NG). `undefined`: it names no client.
 * `askedAt`: a client is managed at the origin of this address, or at what is found by its ID.
 */
export function readRegistration(answer: JsonObject, askedAt: string): IssuedClient | undefined {
  const { client_id: clientId, client_secret: secret } = answer
  if (!isId(clientId)) return undefined
  const clientSecret = typeof secret === 'string' && secret !== '' ? secret : undefined
  const secretEndsAt = instantOf(answer['client_secret_expires_at'] ?? answer['client_id_expires_at'])
  const management = managementOf(answer, new URL(askedAt).origin)
  return {
    clientId,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(secretEndsAt !== undefined && { secretEndsAt }),
    ...(management !== undefined && { management }),
    metadata: metadataOf(answer),
  }
}

/** The end of the year 9999. What is beyond was meant as milliseconds, or as "never". */
const lastSecond = 253_402_300_799

/** 0 is "never". What is no number says nothing. */
function instantOf(value: unknown): string | undefined {
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0 || seconds > lastSecond) return undefined
  return new Date(seconds * 1000).toISOString()
}

function managementOf(answer: JsonObject, origin: string): Management | undefined {
  const { registration_client_uri: uri, registration_access_token: token } = answer
  const given = {
    ...(typeof uri === 'string' && uri.length <= 2000 && isAt(origin, uri) && { uri }),
    ...(typeof token === 'string' && token !== '' && { token }),
  }
  return Object.keys(given).length === 0 ? undefined : given
}

function isAt(origin: string, uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).origin === origin
}

/** Each member for itself: one that cannot be read, or would be refused here, says nothing. */
function metadataOf(answer: JsonObject): Partial<ClientMetadata> {
  const { scope, token_endpoint_auth_method: method } = answer
  const said: Readonly<Record<string, unknown>> = {
    name: answer['client_name'],
    redirectUris: answer['redirect_uris'],
    grantTypes: answer['grant_types'],
    responseTypes: answer['response_types'],
    scopes: typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : undefined,
    authMethod: clientAuthMethods.find((each) => each === method),
    contacts: answer['contacts'],
  }
  const parts = Object.entries(said).map(([name, value]) => clientMetadata.partial().safeParse({ [name]: value }))
  const read = parts.flatMap((part) => (part.success ? Object.entries(part.data) : []))
  return Object.fromEntries(read.filter(([, value]) => (value as unknown) !== undefined))
}
