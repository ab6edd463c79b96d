import type { FetchLimits } from '../../runtime/bounded-fetch.js'
import { issuerDocument } from '../../tokens/discovery.js'
import type { IntrospectionClient } from '../../tokens/introspection/client-authentication.js'
import { issuerFault } from '../../tokens/issuer-fault.js'
import { hostOf } from '../../tokens/issuer-settings.js'
import { accessTokens } from '../access-token.js'
import { beforehand } from '../provider-faults.js'
import type { OidcProviderOptions, RegistrationAuthorization } from './options.js'
import type { IssuerProfile } from './profiles.js'

/** Where clients are registered, and what lets us. */
export interface IssuerSite {
  readonly limits: FetchLimits
  registrationEndpoint(): Promise<string>
  /** The value of `Authorization` for a registration; `undefined`: none. */
  authorization(): Promise<string | undefined>
  /** The issuer has answered it with 401. */
  readonly refused: (authorization: string) => void
}

const maxResponseBytes = 262_144
const defaultTimeoutMs = 10_000

export function issuerSite(options: OidcProviderOptions, profile: IssuerProfile): IssuerSite {
  const limits = { timeoutMs: options.timeoutMs ?? defaultTimeoutMs, maxResponseBytes }
  const address = (name: 'registration_endpoint' | 'token_endpoint'): Promise<string> =>
    beforehand(discovered(options, limits, name))
  return {
    limits,
    registrationEndpoint: async () => options.registrationEndpoint ?? (await address('registration_endpoint')),
    ...authorizationOf(options, profile, limits, () => address('token_endpoint')),
  }
}

function authorizationOf(
  { authorization, issuer }: OidcProviderOptions,
  profile: IssuerProfile,
  limits: FetchLimits,
  discoveredEndpoint: () => Promise<string>,
): Pick<IssuerSite, 'authorization' | 'refused'> {
  const always = (value: string | undefined) => ({
    authorization: () => Promise.resolve(value),
    refused: () => undefined,
  })
  if (authorization === null) return always(undefined)
  if ('token' in authorization) {
    return always(`${authorization.scheme ?? profile.scheme} ${authorization.token}`)
  }
  const { scopes, audience, tokenEndpoint } = authorization
  const tokens = accessTokens({
    ...limits,
    as: clientOf(authorization),
    issuer,
    tokenEndpoint: async () => tokenEndpoint ?? (await discoveredEndpoint()),
    form: { ...(scopes && { scope: scopes.join(' ') }), ...(audience !== undefined && { audience }) },
    secrets: 'clientSecret' in authorization ? [authorization.clientSecret] : [],
  })
  return { authorization: () => beforehand(tokens.authorization()), refused: tokens.refused }
}

function clientOf(authorization: Exclude<RegistrationAuthorization, { readonly token: string }>): IntrospectionClient {
  const { clientId } = authorization
  if ('privateKey' in authorization) {
    const { privateKey, kid, algorithm } = authorization
    return { method: 'private_key_jwt', clientId, privateKey, kid, algorithm }
  }
  return { method: authorization.method ?? 'basic', clientId, clientSecret: authorization.clientSecret }
}

/** Asked for anew each time: registrations are rare. Our token goes to the issuer's own origin alone, unless it is written. */
async function discovered(
  { issuer, allowInsecureRequests = false }: OidcProviderOptions,
  limits: FetchLimits,
  name: 'registration_endpoint' | 'token_endpoint',
): Promise<string> {
  const { [name]: address } = await issuerDocument({ issuer, allowInsecureRequests, ...limits })
  const option = name === 'token_endpoint' ? 'authorization.tokenEndpoint' : 'registrationEndpoint'
  const remedy = `write the address as the option "${option}".`
  if (typeof address !== 'string' || !URL.canParse(address)) {
    throw issuerFault(hostOf(issuer), 'metadata', `its metadata names no ${name}; ${remedy}`)
  }
  if (new URL(address).origin === new URL(issuer).origin) return address
  throw issuerFault(
    hostOf(issuer),
    'metadata',
    `its metadata has ${name} at another origin; if that is meant, ${remedy}`,
  )
}
