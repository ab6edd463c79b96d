import { isId } from '../../contracts/schema-words.js'
import type { ClientMetadata } from '../../contracts/registration.js'
import { isObject, type JsonObject } from '../../tokens/json-object.js'
import { issuerFault } from '../../tokens/issuer-fault.js'
import type { IssuedClient, WantedClient } from '../client-provider.js'
import { refusedByProvider } from '../provider-faults.js'
import type { AskGraph } from './graph.js'

/** By the client ID, which Graph calls `appId`, so that no object ID has to be kept. */
function at(appId: string): string {
  return `/applications(appId='${encodeURIComponent(appId)}')`
}

/** Applications of a tenant, each a client. */
export class Applications {
  readonly #ask: AskGraph
  readonly #secretDays: number
  readonly #host: string

  constructor(ask: AskGraph, secretDays: number, host: string) {
    this.#ask = ask
    this.#secretDays = secretDays
    this.#host = host
  }

  /** Three requests, so the first leaves a tag by which the rest is found if one of the others fails. */
  async create({ metadata, marker }: WantedClient): Promise<IssuedClient> {
    const body = {
      ...written(metadata),
      signInAudience: 'AzureADMyOrg',
      tags: [tagOf(marker)],
      api: { requestedAccessTokenVersion: 2 },
    }
    const { clientId } = this.#read(await this.#ask('POST', '/applications', 'to register a client', { body }))
    try {
      // Without one it gets no token in this tenant.
      await this.#ask('POST', '/servicePrincipals', 'to let a client in', { body: { appId: clientId } })
      return metadata.authMethod === 'none' ? { clientId } : { clientId, ...(await this.#newSecret(clientId)) }
    } catch (error) {
      await this.delete(clientId).catch(() => undefined)
      throw unsure(error, this.#host)
    }
  }

  async update(clientId: string, metadata: ClientMetadata): Promise<IssuedClient> {
    await this.#ask('PATCH', at(clientId), 'to change a client', { body: written(metadata) })
    return { clientId }
  }

  /** The new one first: if the old ones cannot be ended, the client still has one that is good. */
  async rotate(clientId: string): Promise<IssuedClient> {
    const before = await this.#ask(
      'GET',
      `${at(clientId)}?$select=appId,displayName,passwordCredentials`,
      'for a client',
    )
    const fresh = await this.#newSecret(clientId)
    for (const keyId of keyIdsOf(before)) {
      const doing = 'to end the old secret of a client, which has a new one'
      await this.#ask('POST', `${at(clientId)}/removePassword`, doing, { body: { keyId } }).catch((error: unknown) => {
        throw unsure(error, this.#host)
      })
    }
    return { clientId, ...fresh }
  }

  async delete(clientId: string): Promise<void> {
    await this.#ask('DELETE', at(clientId), 'to remove a client', { goneIsDone: true })
  }

  async read(clientId: string): Promise<IssuedClient> {
    return this.#read(await this.#ask('GET', `${at(clientId)}?$select=appId,displayName,web`, 'for a client'))
  }

  async find(marker: string): Promise<IssuedClient | undefined> {
    const filter = encodeURIComponent(`tags/any(tag:tag eq '${tagOf(marker)}')`)
    const { value } = await this.#ask(
      'GET',
      `/applications?$select=appId,displayName,web&$filter=${filter}`,
      'for clients',
    )
    const [first] = Array.isArray(value) ? (value as readonly unknown[]) : []
    return isObject(first) ? this.#read(first) : undefined
  }

  async #newSecret(clientId: string): Promise<Pick<IssuedClient, 'clientSecret' | 'secretEndsAt'>> {
    const endDateTime = new Date(Date.now() + this.#secretDays * 86_400_000).toISOString()
    const body = { passwordCredential: { displayName: 'clientele', endDateTime } }
    const answer = await this.#ask('POST', `${at(clientId)}/addPassword`, 'for a secret', { body })
    const { secretText, endDateTime: said } = answer
    if (typeof secretText !== 'string') throw issuerFault(this.#host, 'answer', 'asked for a secret, it gives none.')
    const endsAt = typeof said === 'string' && !Number.isNaN(Date.parse(said)) ? said : endDateTime
    return { clientSecret: secretText, secretEndsAt: new Date(endsAt).toISOString() }
  }

  #read({ appId, displayName, web }: JsonObject): IssuedClient {
    if (!isId(appId)) throw issuerFault(this.#host, 'answer', 'asked for a client, it names none.')
    const { redirectUris } = isObject(web) ? web : {}
    const uris = Array.isArray(redirectUris) ? redirectUris.filter((uri): uri is string => typeof uri === 'string') : []
    return {
      clientId: appId,
      metadata: {
        ...(typeof displayName === 'string' && displayName !== '' && { name: displayName }),
        ...(uris.length > 0 && { redirectUris: uris }),
      },
    }
  }
}

function written({ name, redirectUris, jwks, authMethod }: ClientMetadata): object {
  if (jwks !== undefined)
    throw refusedByProvider('jwks: Entra takes certificates, which this provider does not pass on.')
  const kind = authMethod === 'none' ? 'publicClient' : 'web'
  return { displayName: name, ...(redirectUris !== undefined && { [kind]: { redirectUris } }) }
}

function tagOf(marker: string): string {
  return `clientele-${marker}`
}

function keyIdsOf({ passwordCredentials: held }: JsonObject): readonly string[] {
  const list = Array.isArray(held) ? (held as readonly unknown[]) : []
  return list.flatMap((each) => (isObject(each) && typeof each['keyId'] === 'string' ? [each['keyId']] : []))
}

/** A refusal in the midst of several requests is none of the whole: something was done before it. */
function unsure(error: unknown, host: string): Error {
  const said = error instanceof Error ? error.message : ''
  return issuerFault(host, 'status', `it has done half of what was asked: ${said}`)
}
