import type { Client } from '../contracts/model.js'
import type { CheckedReader } from '../contracts/reader.js'
import type { RevocationList } from '../contracts/revocation-list.js'
import type { ProxyOptions } from '../http/trusted-proxies.js'
import type { TokenEngines } from '../tokens/engines.js'

/** What every identifying policy of one `clientele()` shares. */
export interface PolicyContext {
  readonly api: string
  /** Named in challenges. Visible ASCII. */
  readonly realm: string
  readonly reader: CheckedReader
  readonly tokens: TokenEngines
  /** Where the store can be written to: makes scrypt of an imported hash whose secret has just been shown. */
  readonly upgradeSecret?: ((client: Client, readings: readonly string[]) => void) | undefined
  /** Who may say what certificate a caller has. */
  readonly trustedProxies?: ProxyOptions['trustedProxies']
  /** Tokens that the store says are not to work any more. */
  readonly revocations?: RevocationList | undefined
  /** Where the metadata of this API stand (RFC 9728), for challenges. */
  readonly resourceMetadata?: string | undefined
}
