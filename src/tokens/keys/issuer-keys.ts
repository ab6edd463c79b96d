import { z } from 'zod'
import { ClienteleFault } from '../../decisions/faults.js'
import { checkOptions } from '../../runtime/check.js'
import { discovery, type IssuerMetadata } from '../discovery.js'
import type { TellIssuerEvent } from '../issuer-event.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import type { Refreshed } from '../refreshed.js'
import type { Once } from '../registry.js'
import type { KeySet, KeySource } from './key-source.js'
import { localKeys } from './local-keys.js'
import { remoteKeys } from './remote-keys.js'
import { severalKeys } from './several-keys.js'
import { TrustedKeys } from './trusted-keys.js'

/** Where the keys of an issuer come from. Keys that were given in options are told apart by their `identity`. */
export type KeyOrigin =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'uris'; readonly uris: readonly string[] }
  | { readonly kind: 'local'; readonly keys: KeySet & { readonly identity: string } }

/** What people can do about an issuer while the process runs. */
export interface Issuers {
  /**
   * Fetches metadata and keys now, of one issuer or of all: for when a key was withdrawn and ten minutes are too
   * long. Asks even where it would be left alone after failures.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_ISSUER` when they cannot be had; then the old ones stay in force.
   * `ERR_CLIENTELE_NOT_FOUND` when no policy takes tokens of this issuer.
   */
  refresh(this: void, which?: { readonly issuer?: string }): Promise<void>
  /**
   * Believes a key no more, at once and until the process ends, whatever the issuer publishes: for when a private
   * key has come out. Asks nobody.
   *
   * @throws ClienteleFault `ERR_CLIENTELE_NOT_FOUND` when no policy takes tokens of this issuer.
   */
  distrust(this: void, key: { readonly issuer: string; readonly kid: string }): void
}

interface Known {
  readonly metadata: Set<Refreshed<IssuerMetadata>>
  readonly sources: Set<KeySource>
  readonly distrusted: Set<string>
}

const refreshed = z.strictObject({ issuer: z.string().optional() })
const distrusted = z.strictObject({ issuer: z.string(), kid: z.string().min(1) })

/** The metadata and keys of all issuers of one `clientele()`: one fetch and one memory for all routes. */
export class IssuerKeys {
  readonly #once: Once
  readonly #tell: TellIssuerEvent
  readonly #known = new Map<string, Known>()

  constructor(once: Once, tell: TellIssuerEvent) {
    this.#once = once
    this.#tell = tell
  }

  metadata(settings: IssuerSettings): Refreshed<IssuerMetadata> {
    const metadata = this.#once(['metadata', settings], () => discovery(settings, this.#tell))
    this.#of(settings.issuer).metadata.add(metadata)
    return metadata
  }

  source(settings: IssuerSettings, origin: KeyOrigin): TrustedKeys {
    return this.#once(['keys', settings, nameOf(origin)], () => {
      const { sources, distrusted } = this.#of(settings.issuer)
      const source = this.#make(settings, origin)
      sources.add(source)
      return new TrustedKeys(source, distrusted)
    })
  }

  readonly issuers: Issuers = {
    refresh: async (which = {}) => {
      const { issuer } = checkOptions('issuers.refresh()', refreshed, which)
      const known = issuer === undefined ? [...this.#known.values()] : [this.#named('issuers.refresh()', issuer)]
      // Metadata first: they may say that the keys stand elsewhere now.
      await Promise.all(known.flatMap(({ metadata }) => [...metadata].map((each) => each.refresh())))
      await Promise.all(known.flatMap(({ sources }) => [...sources].map((each) => each.refresh())))
    },
    distrust: (key) => {
      const { issuer, kid } = checkOptions('issuers.distrust()', distrusted, key)
      this.#named('issuers.distrust()', issuer).distrusted.add(kid)
      this.#tell({ kind: 'key_distrusted', issuer, kid })
    },
  }

  #of(issuer: string): Known {
    let known = this.#known.get(issuer)
    if (known === undefined) {
      known = { metadata: new Set(), sources: new Set(), distrusted: new Set() }
      this.#known.set(issuer, known)
    }
    return known
  }

  #named(where: string, issuer: string): Known {
    const known = this.#known.get(issuer)
    if (known !== undefined) return known
    throw new ClienteleFault('ERR_CLIENTELE_NOT_FOUND', `${where}: no policy takes tokens of this issuer`)
  }

  #make(settings: IssuerSettings, origin: KeyOrigin): KeySource {
    if (origin.kind === 'local') return localKeys(origin.keys)
    if (origin.kind === 'uris') {
      const sources = origin.uris.map((uri) => remoteKeys(settings, () => uri, this.#tell))
      const [only] = sources
      return sources.length === 1 && only !== undefined ? only : severalKeys(sources)
    }
    const metadata = this.metadata(settings)
    return remoteKeys(settings, () => publishedKeys(settings, metadata), this.#tell)
  }
}

async function publishedKeys(settings: IssuerSettings, metadata: Refreshed<IssuerMetadata>): Promise<string> {
  const { jwksUri } = await metadata.current()
  if (jwksUri !== undefined) return jwksUri
  const remedy = 'write the option "jwksUri" or "jwks".'
  throw issuerFault(hostOf(settings.issuer), 'metadata', `its metadata names no key set; ${remedy}`)
}

export function nameOf(origin: KeyOrigin): unknown {
  return origin.kind === 'local' ? [origin.kind, origin.keys.identity] : origin
}
