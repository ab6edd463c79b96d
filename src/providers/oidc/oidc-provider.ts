import type { ClientMetadata } from '../../contracts/registration.js'
import { issuerFault } from '../../tokens/issuer-fault.js'
import { hostOf } from '../../tokens/issuer-settings.js'
import type { JsonObject } from '../../tokens/json-object.js'
import { askIssuer, objectOf, type IssuerQuestion } from '../ask-issuer.js'
import type { IssuerAnswer } from '../issuer-text.js'
import type { ClientProvider, IssuedClient, ManagedClient } from '../client-provider.js'
import { beforehand, refusedByProvider } from '../provider-faults.js'
import { issuerSite, type IssuerSite } from './issuer-site.js'
import { managementOf, type Managing } from './managing.js'
import { checkedOptions, type OidcProviderOptions } from './options.js'
import { issuerProfiles, type IssuerProfile } from './profiles.js'
import { readRegistration } from './read-registration.js'
import { writeMetadata } from './write-metadata.js'

/**
 * For an issuer with Dynamic Client Registration (RFC 7591), and its management (RFC 7592) or what it has in its place.
 * Asks nothing until it is used.
 *
 * @throws ClienteleFault `ERR_CLIENTELE_OPTIONS`
 */
export function oidcProvider(given: OidcProviderOptions): ClientProvider {
  const options = checkedOptions(given)
  const own: IssuerProfile = issuerProfiles[options.profile ?? 'rfc']
  const profile = { ...own, management: options.management ?? own.management }
  const issuer = new Registrar(options, profile, issuerSite(options, profile))
  return {
    name: options.name,
    issuer: options.issuer,
    givesTokens: profile.management === 'registration token',
    rotation: profile.newSecretPath === undefined ? 'replacement' : 'in place',
    create: ({ metadata }) => issuer.create(metadata),
    update: (client, metadata) => issuer.update(client, metadata),
    rotate: (client) => issuer.rotate(client),
    delete: (client) => issuer.delete(client),
    import: (client) => issuer.import(client),
  }
}

interface Read {
  readonly present: JsonObject
  readonly issued: IssuedClient
  /** Another than it was asked with. */
  readonly token: string | undefined
}

class Registrar {
  readonly #options: OidcProviderOptions
  readonly #profile: IssuerProfile
  readonly #site: IssuerSite
  readonly #managing: (client: ManagedClient) => Promise<Managing>
  readonly #ask: (question: IssuerQuestion) => Promise<IssuerAnswer>

  constructor(options: OidcProviderOptions, profile: IssuerProfile, site: IssuerSite) {
    this.#options = options
    this.#profile = profile
    this.#site = site
    this.#managing = (client) => beforehand(managementOf(profile, site, client))
    this.#ask = (question) => askIssuer(question, site.limits, site.refused)
  }

  async create(metadata: ClientMetadata): Promise<IssuedClient> {
    if (this.#profile.needsRedirectUris === true && (metadata.redirectUris ?? []).length === 0) {
      throw refusedByProvider('redirectUris: this issuer registers no client without one.')
    }
    const url = await this.#site.registrationEndpoint()
    return this.#asked({
      method: 'POST',
      url,
      authorization: await this.#site.authorization(),
      body: this.#written(metadata),
      doing: 'to register a client',
      ...(this.#profile.refusesByPage && { refusesByPage: true }),
    })
  }

  /** PUT replaces everything (RFC 7592 §2.2), so what the issuer has beside is read first and sent back. */
  async update(client: ManagedClient, metadata: ClientMetadata): Promise<IssuedClient> {
    const { present, token } = await this.#read(client)
    const body = { ...withoutForbidden(present), ...this.#written(metadata), client_id: client.clientId }
    const next = token === undefined ? client : { ...client, management: { ...client.management, token } }
    const managing = await this.#managing(next)
    const question = { method: 'PUT', ...managing, body, doing: 'to change a client' } as const
    const issued = await this.#asked({ ...question, secrets: secretsOf(present) })
    const isSame = issued.clientSecret === present['client_secret']
    const { clientSecret, ...rest } = issued
    // RFC 7592 §2.2: a server may change the secret with an update. Then whoever asked has to know it.
    return clientSecret === undefined || isSame ? rest : { ...rest, clientSecret }
  }

  async rotate(client: ManagedClient): Promise<IssuedClient> {
    const { url, authorization } = await this.#managing(client)
    const path = this.#profile.newSecretPath ?? ''
    const issued = await this.#asked({ method: 'POST', url: url + path, authorization, doing: 'for a new secret' })
    if (issued.clientSecret !== undefined) return issued
    throw issuerFault(hostOf(url), 'answer', 'asked for a new secret, it gives none.')
  }

  async delete(client: ManagedClient): Promise<void> {
    const managing = await this.#managing(client)
    const question = { method: 'DELETE', ...managing, doing: 'to remove a client', goneIsDone: true } as const
    await this.#ask(question)
  }

  async import(client: ManagedClient): Promise<IssuedClient> {
    if (this.#profile.management === 'none' || this.#lacksToken(client)) return { clientId: client.clientId }
    return (await this.#read(client)).issued
  }

  #lacksToken({ management }: ManagedClient): boolean {
    return this.#profile.management === 'registration token' && management.token === undefined
  }

  #written(metadata: ClientMetadata): Record<string, unknown> {
    return writeMetadata(metadata, this.#profile, this.#options.members ?? {})
  }

  /** A token that nobody is to use is not kept. */
  #kept({ management, ...issued }: IssuedClient): IssuedClient {
    const isUsed = this.#profile.management === 'registration token' && management !== undefined
    return isUsed ? { ...issued, management } : issued
  }

  /** Keycloak gives another token with each answer, and forgets the one that was used. */
  async #read(client: ManagedClient): Promise<Read> {
    const managing = await this.#managing(client)
    const question = { method: 'GET', ...managing, doing: 'for a client' } as const
    const present = objectOf(await this.#ask(question), question)
    const read = readRegistration(present, question.url)
    // Whatever is no answer about this client is not written back to it.
    if (read?.clientId !== client.clientId) throw foreign(question.url)
    const issued = this.#kept(read)
    const token = issued.management?.token
    const isNew = token !== undefined && token !== client.management.token
    if (isNew) await client.keep({ token })
    return { present, issued, token: isNew ? token : undefined }
  }

  async #asked(question: IssuerQuestion): Promise<IssuedClient> {
    const answer = objectOf(await this.#ask(question), question)
    const issued = readRegistration(answer, question.url)
    if (issued !== undefined) return this.#kept(issued)
    throw issuerFault(hostOf(question.url), 'answer', `asked ${question.doing}, it names no client ID that can be one.`)
  }
}

/** RFC 7592 §2.2: an update must not have them. */
const forbidden = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
  'client_id_expires_at',
]

function withoutForbidden(present: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(present).filter(([name]) => !forbidden.includes(name)))
}

function secretsOf({ client_secret: secret }: JsonObject): readonly string[] {
  return typeof secret === 'string' ? [secret] : []
}

function foreign(url: string): Error {
  return issuerFault(hostOf(url), 'answer', 'it does not name the client that it was asked about.')
}
