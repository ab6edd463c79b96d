import { randomBytes } from 'node:crypto'
import { memoryStore, type Change, type ContractStore } from 'clientele'
import {
  clientRegistrations,
  oidcProvider,
  type ClientProvider,
  type ClientRegistrations,
  type ClientRegistrationsOptions,
  type OidcProviderOptions,
} from 'clientele/providers'
import { json, startKeyServer, type KeyServer } from '../support/key-server.js'

export const actor = 'ann'
export const sealingKeys = randomBytes(32).toString('base64url')

export interface World {
  readonly store: ContractStore
  readonly registrations: ClientRegistrations
}

/** Attempts of these tests end before they are looked at. */
export function worldOf(provider: ClientProvider, options: Partial<ClientRegistrationsOptions> = {}): World {
  const store = options.store ?? memoryStore()
  return { store, registrations: clientRegistrations({ provider, sealingKeys, underWaySeconds: 0, ...options, store }) }
}

export const initialToken = 'the-initial-access-token'

/** A registration endpoint that answers as it is told, below `/register`. */
export async function standIn(): Promise<KeyServer> {
  return startKeyServer()
}

export function providerAt(server: KeyServer, options: Partial<OidcProviderOptions> = {}): ClientProvider {
  return oidcProvider({
    name: 'idp',
    issuer: server.url,
    registrationEndpoint: `${server.url}/register`,
    authorization: { token: initialToken },
    allowInsecureRequests: true,
    timeoutMs: 2000,
    ...options,
  })
}

export const issuedBy = (server: KeyServer, changes: object = {}): object => ({
  client_id: 'app-1',
  client_secret: 'the-secret-of-app-1',
  client_secret_expires_at: 0,
  registration_client_uri: `${server.url}/register/app-1`,
  registration_access_token: 'the-registration-token',
  ...changes,
})

export function registers(server: KeyServer, changes: object = {}, code = 201): void {
  server.on('/register', json(issuedBy(server, changes), code))
}

/** The same store, whose commits go through this first. */
export function through(
  store: ContractStore,
  commit: (changes: readonly Change[], real: () => Promise<void>) => Promise<void>,
): ContractStore {
  return {
    capabilities: store.capabilities,
    findClient: (identity) => store.findClient(identity),
    findContract: (client, api) => store.findContract(client, api),
    findTier: (api, name) => store.findTier(api, name),
    find: (kind, key) => store.find(kind, key),
    list: (query) => store.list(query),
    commit: (changes) => commit(changes, () => store.commit(changes)),
  }
}
