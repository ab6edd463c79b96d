// Client providers: who gives out client IDs, and what is registered there
export type { Adopted } from './adopt.js'
export type { Rotated, Rotating, Updating } from './change.js'
export type { ClientProvider, IssuedClient, ManagedClient, Management, WantedClient } from './client-provider.js'
export { entraProvider, type EntraProviderOptions } from './entra/entra-provider.js'
export { localProvider } from './local-provider.js'
export { oidcProvider } from './oidc/oidc-provider.js'
export type { OidcProviderOptions, RegistrationAuthorization } from './oidc/options.js'
export type { IssuerProfile, IssuerProfileName } from './oidc/profiles.js'
export {
  clientRegistrations,
  type ClientRegistrations,
  type ClientRegistrationsOptions,
  type RegisterAtProviderInput,
} from './registrations.js'
export type { Registered } from './register.js'
export type { Which } from './registry.js'
export type { Removing } from './remove.js'
export type { Repairing } from './repair.js'
export type { Importing } from './take-over.js'
