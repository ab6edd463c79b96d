import type { StoredSecret } from '../contracts/model.js'
import type { ClientMetadata } from '../contracts/registration.js'

/** A client that is to be made. */
export interface WantedClient {
  readonly metadata: ClientMetadata
  /** Of this attempt alone: where the issuer can keep it, `find` tells what became of an attempt that broke off. */
  readonly marker: string
}

/** What manages one registration: RFC 7592 §3. */
export interface Management {
  readonly uri?: string
  readonly token?: string
}

/** A client that the issuer knows. */
export interface ManagedClient {
  readonly clientId: string
  readonly metadata: ClientMetadata
  readonly management: Management
  /** For an issuer that changes the token with its use: to be waited for, before anything else is asked. */
  keep(management: Management): Promise<void>
}

/** What the issuer says of a client. */
export interface IssuedClient {
  readonly clientId: string
  /** Shown once to whoever asked, and not kept. */
  readonly clientSecret?: string
  /** ISO 8601. */
  readonly secretEndsAt?: string
  /** What is stored of the secret, where client ID enforcement here is to know it. */
  readonly stored?: StoredSecret
  /** As the issuer has it; what is left out was not said. */
  readonly metadata?: Partial<ClientMetadata>
  readonly management?: Management
}

/**
 * Who gives out client IDs. `clientRegistrations()` does the rest: records, contracts and what breaks off.
 *
 * One rule of failure: a `ClienteleFault` with `ERR_CLIENTELE_PROVIDER` means that the issuer has refused and that nothing
 * was made or changed there. Everything else means "I do not know", and leaves a registration that is listed until
 * somebody repairs it.
 */
export interface ClientProvider {
  /** In records and on the command line: `okta`. */
  readonly name: string
  /** The `iss` of the tokens that its clients get; `local` for client IDs given out here. */
  readonly issuer: string
  /** Whether its answers hold tokens that manage a registration. Then keys are needed to seal them. */
  readonly givesTokens: boolean
  /** `replacement`: a client has one secret for good, so a new client comes in its place. */
  readonly rotation: 'in place' | 'replacement'
  create(wanted: WantedClient): Promise<IssuedClient>
  /** Makes the client as `metadata` has it. */
  update(client: ManagedClient, metadata: ClientMetadata): Promise<IssuedClient>
  /** Gives it a new secret. Asked only with rotation `in place`. */
  rotate(client: ManagedClient): Promise<IssuedClient>
  /** Resolves too where there is no such client any more. */
  delete(client: ManagedClient): Promise<void>
  /** Looks at a client that was made by other hands. */
  import(client: ManagedClient): Promise<IssuedClient>
  /** Where it can tell: the client that was made under this marker. */
  find?(marker: string): Promise<IssuedClient | undefined>
}
