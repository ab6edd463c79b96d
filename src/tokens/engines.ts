import { fingerprint } from '../runtime/fingerprint.js'
import { discovery, type IssuerMetadata } from './discovery.js'
import { discoveredEndpoint, introspection, type IntrospectionClient } from './introspection/ask.js'
import { Introspector, type IntrospectorConfig } from './introspection/introspector.js'
import { issuerFault } from './issuer-fault.js'
import { hostOf, type IssuerSettings } from './issuer-settings.js'
import { JwtVerifier, type JwtVerifierConfig } from './jwt/jwt-verifier.js'
import type { KeySet, KeySource } from './keys/key-source.js'
import { localKeys, secretKeys } from './keys/local-keys.js'
import { remoteKeys } from './keys/remote-keys.js'
import type { Refreshed } from './refreshed.js'
import type { TokenEngine } from './token-engine.js'

/** Where the keys of an issuer come from. A local set is told apart by its `identity`, a secret by its bytes. */
export type KeyOrigin =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uri'; readonly uri: string }
  | { readonly kind: 'local'; readonly keys: KeySet & { readonly identity: string } }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }

export interface JwtEngineConfig extends Omit<JwtVerifierConfig, 'issuer'> {
  readonly settings: IssuerSettings
  readonly origin: KeyOrigin
}

export interface IntrospectionEngineConfig extends Omit<IntrospectorConfig, 'issuer'> {
  readonly settings: IssuerSettings
  readonly as: IntrospectionClient
  /** `undefined`: the one that discovery names. */
  readonly endpoint: string | undefined
}

/**
 * The engines of one `clientele()`. Policies of the same configuration have the same engine, and engines of the
 * same issuer the same keys and metadata: one fetch and one memory for all routes.
 */
export interface TokenEngines {
  jwtVerifier(config: JwtEngineConfig): TokenEngine
  introspector(config: IntrospectionEngineConfig): TokenEngine
}

export function tokenEngines(): TokenEngines {
  const once = registry()
  const metadata = (settings: IssuerSettings): Refreshed<IssuerMetadata> =>
    once(['metadata', settings], () => discovery(settings))

  const keys = (settings: IssuerSettings, origin: KeyOrigin): KeySource => {
    if (origin.kind === 'local') return localKeys(origin.keys)
    if (origin.kind === 'secret') return secretKeys(origin.secret)
    const locate = origin.kind === 'uri' ? () => origin.uri : () => publishedKeys(settings, metadata(settings))
    return once(['keys', settings, origin], () => remoteKeys(settings, locate))
  }

  return {
    jwtVerifier: (config) =>
      once(['jwt', { ...config, origin: nameOf(config.origin) }], () => {
        const { settings, origin } = config
        return new JwtVerifier({ ...config, issuer: settings.issuer }, keys(settings, origin))
      }),
    introspector: (config) =>
      once(['introspection', config], () => {
        const { settings, endpoint } = config
        const locate = endpoint === undefined ? () => discoveredEndpoint(settings, metadata(settings)) : () => endpoint
        return new Introspector({ ...config, issuer: settings.issuer }, introspection(settings, config.as, locate))
      }),
  }
}

async function publishedKeys(settings: IssuerSettings, metadata: Refreshed<IssuerMetadata>): Promise<string> {
  const { jwksUri } = await metadata.current()
  if (jwksUri !== undefined) return jwksUri
  throw issuerFault(hostOf(settings.issuer), 'its metadata names no key set; write the option "jwksUri" or "jwks".')
}

function nameOf(origin: KeyOrigin): unknown {
  if (origin.kind === 'local') return [origin.kind, origin.keys.identity]
  return origin.kind === 'secret' ? [origin.kind, Buffer.from(origin.secret).toString('base64')] : origin
}

/** Makes one thing per configuration. The configurations hold secrets, so they are kept as fingerprints. */
function registry(): <T>(configuration: readonly unknown[], make: () => T) => T {
  const made = new Map<string, unknown>()
  return <T>(configuration: readonly unknown[], make: () => T): T => {
    const name = fingerprint(JSON.stringify(configuration))
    if (!made.has(name)) made.set(name, make())
    return made.get(name) as T
  }
}
