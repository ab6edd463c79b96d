import { Circuit } from './introspection/circuit.js'
import type { IntrospectionClient } from './introspection/client-authentication.js'
import { discoveredEndpoint } from './introspection/endpoint.js'
import { introspection } from './introspection/ask.js'
import { Introspector, type IntrospectorConfig } from './introspection/introspector.js'
import { SharedAnswers, type KeyvLike } from './introspection/shared-answers.js'
import type { TokenInfo } from './introspection/token-info.js'
import type { TellIssuerEvent } from './issuer-event.js'
import type { IssuerSettings } from './issuer-settings.js'
import { JwtVerifier, type JwtVerifierConfig } from './jwt/jwt-verifier.js'
import { IssuerKeys, nameOf, type Issuers, type KeyOrigin } from './keys/issuer-keys.js'
import { numberOf, registry } from './registry.js'

export interface JwtEngineConfig extends Omit<JwtVerifierConfig, 'issuer'> {
  readonly settings: IssuerSettings
  readonly origin: KeyOrigin
}

export interface IntrospectionEngineConfig extends Omit<IntrospectorConfig, 'issuer'> {
  readonly settings: IssuerSettings
  readonly as: IntrospectionClient
  /** `undefined`: the one that discovery names. */
  readonly endpoint: string | undefined
  readonly signed:
    { readonly origin: KeyOrigin; readonly algorithms: readonly string[]; readonly audience: string } | undefined
  readonly tokenInfo: TokenInfo | undefined
  readonly sharedCache: { readonly store: KeyvLike; readonly secret: string } | undefined
}

/**
 * The engines of one `clientele()`. Policies of the same configuration have the same engine, and engines of the
 * same issuer the same keys and metadata: one fetch and one memory for all routes.
 */
export interface TokenEngines {
  readonly issuers: Issuers
  jwtVerifier(config: JwtEngineConfig): JwtVerifier
  introspector(config: IntrospectionEngineConfig): Introspector
}

export function tokenEngines(tell: TellIssuerEvent = nobodyListens): TokenEngines {
  const once = registry()
  const keys = new IssuerKeys(once, tell)
  return {
    issuers: keys.issuers,
    jwtVerifier: (config) =>
      once(['jwt', { ...config, origin: nameOf(config.origin) }], () => {
        const { settings, origin } = config
        return new JwtVerifier({ ...config, issuer: settings.issuer }, keys.source(settings, origin))
      }),
    introspector: (config) =>
      once(['introspection', introspectionName(config)], () => makeIntrospector(config, keys, tell)),
  }
}

function introspectionName({ signed, sharedCache, ...config }: IntrospectionEngineConfig): unknown {
  return {
    ...config,
    signed: signed && { ...signed, origin: nameOf(signed.origin) },
    sharedCache: sharedCache && [numberOf(sharedCache.store), sharedCache.secret],
  }
}

function makeIntrospector(config: IntrospectionEngineConfig, keys: IssuerKeys, tell: TellIssuerEvent): Introspector {
  const { settings, endpoint, signed } = config
  const { issuer } = settings
  const ask = introspection({
    ...config,
    signed: signed && { ...signed, keys: keys.source(settings, signed.origin) },
    locate: endpoint === undefined ? () => discoveredEndpoint(settings, keys.metadata(settings)) : () => endpoint,
  })
  const circuit = new Circuit(ask, (fault) => {
    tell({ kind: 'introspection_failed', issuer, reason: fault.reason, fault })
  })
  return new Introspector({ ...config, issuer }, (token) => circuit.ask(token), sharedAnswers(config, tell))
}

function sharedAnswers(
  { settings, as, endpoint, tokenInfo, sharedCache }: IntrospectionEngineConfig,
  tell: TellIssuerEvent,
): SharedAnswers | undefined {
  if (sharedCache === undefined) return undefined
  const { issuer } = settings
  const scope = JSON.stringify([issuer, endpoint, 'clientId' in as ? as.clientId : as, tokenInfo])
  return new SharedAnswers(sharedCache.store, sharedCache.secret, scope, (reason) => {
    tell({ kind: 'cache_failed', issuer, reason })
  })
}

function nobodyListens(): void {
  // For who has no hook.
}
