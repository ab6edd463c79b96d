import type { ClientProvider } from '../../providers/client-provider.js'
import type { RegistrationAuthorization } from '../../providers/oidc/options.js'
import { wrongInput } from '../exit-codes.js'
import type { CodedProvider } from './code-schema.js'

/** A provider as a file describes it, with the secrets of the environment. */
export async function providerOf(coded: CodedProvider): Promise<ClientProvider> {
  const { name, kind = 'oidc', tenant = '', clientId = '', issuer } = coded
  const at = `providers: ${name}: `
  if (kind === 'local') return (await import('../../providers/local-provider.js')).localProvider()
  if (kind === 'entra') {
    const { entraProvider } = await import('../../providers/entra/entra-provider.js')
    const clientSecret = secretFrom(coded.clientSecretFrom, `${at}clientSecretFrom`)
    return entraProvider({ name, tenant, clientId, clientSecret, ...(issuer !== undefined && { issuer }) })
  }
  const { oidcProvider } = await import('../../providers/oidc/oidc-provider.js')
  const { profile, registrationEndpoint, allowInsecureRequests } = coded
  return oidcProvider({
    name,
    issuer: issuer ?? '',
    authorization: authorizationOf(coded, at),
    ...(profile !== undefined && { profile }),
    ...(registrationEndpoint !== undefined && { registrationEndpoint }),
    ...(allowInsecureRequests !== undefined && { allowInsecureRequests }),
  })
}

/** None of the three: an open registration. */
function authorizationOf(coded: CodedProvider, at: string): RegistrationAuthorization | null {
  const { tokenFrom, scheme, clientId, clientSecretFrom, privateKeyFrom, scopes, tokenEndpoint } = coded
  if (tokenFrom !== undefined) {
    return { token: secretFrom(tokenFrom, `${at}tokenFrom`), ...(scheme !== undefined && { scheme }) }
  }
  if (clientId === undefined) return null
  const asked = { clientId, ...(scopes && { scopes }), ...(tokenEndpoint !== undefined && { tokenEndpoint }) }
  if (privateKeyFrom !== undefined) {
    const privateKey = secretFrom(privateKeyFrom, `${at}privateKeyFrom`)
    return { ...asked, method: 'private_key_jwt', privateKey }
  }
  return { ...asked, clientSecret: secretFrom(clientSecretFrom, `${at}clientSecretFrom`) }
}

function secretFrom(variable: string | undefined, place: string): string {
  if (variable === undefined) throw wrongInput(`${place}: name the variable of the environment that holds it`)
  const value = process.env[variable]
  if (value === undefined || value === '') throw wrongInput(`${place}: the variable ${variable} is not set`)
  return value
}
