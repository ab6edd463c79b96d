import { z } from 'zod'
import { id } from '../../contracts/schema-words.js'
import { requireAddress } from '../../runtime/address.js'
import { checkOptions } from '../../runtime/check.js'
import { hostOf } from '../../tokens/issuer-settings.js'
import type { ClientProvider } from '../client-provider.js'
import { Applications } from './applications.js'
import { graph } from './graph.js'

export interface EntraProviderOptions {
  /** The directory (tenant) ID: a GUID. */
  readonly tenant: string
  /** Of an application with `Application.ReadWrite.OwnedBy`: it then manages what it has made, and no other. */
  readonly clientId: string
  readonly clientSecret: string
  /** @default 'entra' */
  readonly name?: string
  /** As its tokens have it in `iss`. @default `https://login.microsoftonline.com/{tenant}/v2.0` */
  readonly issuer?: string
  /** How long secrets are good, in days; 1 to 730. @default 180 */
  readonly secretDays?: number
  /** Of a national cloud. @default `https://login.microsoftonline.com` */
  readonly loginUrl?: string
  /** @default `https://graph.microsoft.com` */
  readonly graphUrl?: string
  /** For each request; 100 to 30,000. @default 10000 */
  readonly timeoutMs?: number
  /** Allows `http:`, which shows secrets to whoever is on the way. @default false */
  readonly allowInsecureRequests?: boolean
}

const url = z.url({ protocol: /^https?$/ }).refine((text) => !text.endsWith('/'), 'expected no / at the end')
const schema = z.strictObject({
  tenant: z.string().regex(/^[A-Za-z0-9.-]{1,255}$/, 'expected the ID of a directory'),
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  name: id.optional(),
  issuer: z.url().optional(),
  secretDays: z.number().min(1).max(730).optional(),
  loginUrl: url.optional(),
  graphUrl: url.optional(),
  timeoutMs: z.number().min(100).max(30_000).optional(),
  allowInsecureRequests: z.boolean().optional(),
})

/**
 * For Microsoft Entra ID, which has no Dynamic Client Registration: applications, their service principals and secrets
 * through Microsoft Graph v1.0, as learn.microsoft.com documents it. A rotation gives the new secret and ends the
 * others. Tested against a stand-in of these endpoints, not against the service itself.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function entraProvider(given: EntraProviderOptions): ClientProvider {
  const options = checkOptions('entraProvider()', schema, given) as EntraProviderOptions
  const { tenant, loginUrl = 'https://login.microsoftonline.com', graphUrl = 'https://graph.microsoft.com' } = options
  for (const [option, address] of Object.entries({ loginUrl, graphUrl })) {
    requireAddress('entraProvider()', option, address, options.allowInsecureRequests === true)
  }
  const { clientId, clientSecret, timeoutMs = 10_000, secretDays = 180, name = 'entra' } = options
  const ask = graph({ tenant, clientId, clientSecret, loginUrl, graphUrl, timeoutMs, maxResponseBytes: 1_048_576 })
  const applications = new Applications(ask, secretDays, hostOf(graphUrl))
  return {
    name,
    issuer: options.issuer ?? `${loginUrl}/${tenant}/v2.0`,
    givesTokens: false,
    rotation: 'in place',
    create: (wanted) => applications.create(wanted),
    update: (client, metadata) => applications.update(client.clientId, metadata),
    rotate: (client) => applications.rotate(client.clientId),
    delete: (client) => applications.delete(client.clientId),
    import: (client) => applications.read(client.clientId),
    find: (marker) => applications.find(marker),
  }
}
