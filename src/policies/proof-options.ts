import { z } from 'zod'
import { fieldName } from '../credentials/field-name.js'
import type { ReplayMemory } from '../decisions/replay-memory.js'
import { proxiedCertificate, tlsCertificate, type CertificateFormat } from '../http/client-certificate.js'
import { hasFunctions, optionsFault } from '../runtime/check.js'
import { asymmetricAlgorithms, type AsymmetricAlgorithm } from '../tokens/jwt/algorithms.js'
import type { DpopSettings } from '../tokens/proof/dpop.js'
import { Nonces } from '../tokens/proof/nonces.js'
import type { CertificateOf, ProofSettings } from '../tokens/proof/possession.js'
import { normalAddress } from '../tokens/proof/proof-address.js'
import { replayGuard } from '../tokens/proof/replays.js'
import type { PolicyContext } from './context.js'

/** How proofs of possession by DPoP (RFC 9449) have to be. */
export interface DpopOptions {
  /**
   * Where callers find `/` of this process: `https://api.example.com`, with a path behind it where a proxy takes one
   * away; several, if it has several names. A proof is made for one address, and no `Host` or forwarding header is
   * believed to say which.
   */
  readonly publicUrl: string | readonly string[]
  /**
   * Where it is remembered which proofs were used: `memoryReplays()` for one process, `redisReplays()` for several.
   * What fails there is 503.
   */
  readonly replays: ReplayMemory
  /** What proofs may be signed with. @default all of RS, PS and ES, EdDSA and Ed25519 */
  readonly algorithms?: readonly AsymmetricAlgorithm[]
  /** How old a proof may be, by its `iat`; 1 to 600. @default 60 */
  readonly maxAgeSeconds?: number
  /**
   * Asks callers for a nonce of ours in each proof, so that none can be made ahead of time. The secret is 32 characters
   * and more, the same in all processes; a nonce is good for one to two lifetimes of 10 to 3600 seconds.
   * @default none; `lifetimeSeconds` 300
   */
  readonly nonces?: { readonly secret: string; readonly lifetimeSeconds?: number }
}

/** Where the certificate of a caller is found. */
export type ClientCertificateOption = 'tls' | { readonly header: string; readonly format?: CertificateFormat }

/** Tokens that are bound to a key or to a certificate, and what has to come with them. */
export interface ProofOptions {
  /** Takes tokens that are bound to a key, with their proofs (RFC 9449). @default they are refused */
  readonly dpop?: DpopOptions
  /**
   * Takes tokens that are bound to a client certificate (RFC 8705): that of the TLS connection, or the one that a proxy
   * names in a header, which is read only from an address among the `trustedProxies` of `clientele()`. `rfc9440` is
   * `Client-Cert: :base64:`, `pem` a whole PEM, percent-encoded or not, `base64` what stands in one.
   * @default they are refused; `format` 'rfc9440'
   */
  readonly clientCertificate?: ClientCertificateOption
  /** `required` refuses tokens that whoever bears them may use. @default 'optional' */
  readonly senderConstrained?: 'optional' | 'required'
}

const publicUrl = z.string().refine(isPublicUrl, 'expected https://host or https://host/path')

export const proofOptionsShape = {
  dpop: z
    .strictObject({
      publicUrl: z.union([publicUrl, z.array(publicUrl).min(1).readonly()], {
        error: 'expected where callers find this API, as https://host or https://host/path, or a list of such',
      }),
      replays: z.custom<ReplayMemory>(hasFunctions('remember'), 'expected memoryReplays() or redisReplays()'),
      algorithms: z.array(z.enum(asymmetricAlgorithms)).min(1).readonly().optional(),
      maxAgeSeconds: z.number().min(1).max(600).optional(),
      nonces: z
        .strictObject({ secret: z.string().min(32), lifetimeSeconds: z.number().min(10).max(3600).optional() })
        .optional(),
    })
    .optional(),
  clientCertificate: z
    .union([
      z.literal('tls'),
      z.strictObject({ header: fieldName, format: z.enum(['rfc9440', 'pem', 'base64']).optional() }),
    ])
    .optional(),
  senderConstrained: z.enum(['optional', 'required']).optional(),
}

interface RouteTimes {
  readonly clockToleranceSeconds: number
  readonly timeoutMs: number
}

export function proofSettings(
  where: string,
  { trustedProxies }: Pick<PolicyContext, 'trustedProxies'>,
  { dpop, clientCertificate, senderConstrained }: ProofOptions,
  times: RouteTimes,
): { readonly proofs: ProofSettings; readonly boundOnly: boolean } {
  const boundOnly = senderConstrained === 'required'
  if (boundOnly && dpop === undefined && clientCertificate === undefined) {
    throw optionsFault(where, 'senderConstrained: "required" needs dpop or clientCertificate, or nobody gets in')
  }
  const certificateOf = clientCertificate && certificateReader(where, clientCertificate, trustedProxies)
  return { proofs: { dpop: dpop && dpopSettings(dpop, times), certificateOf }, boundOnly }
}

function dpopSettings(options: DpopOptions, { clockToleranceSeconds, timeoutMs }: RouteTimes): DpopSettings {
  const { algorithms = asymmetricAlgorithms, maxAgeSeconds = 60, nonces } = options
  const urls = typeof options.publicUrl === 'string' ? [options.publicUrl] : options.publicUrl
  // From the first moment at which a proof could be taken to the last.
  const forMs = (maxAgeSeconds + clockToleranceSeconds) * 1000
  return {
    publicUrls: urls.map((url) => (normalAddress(url) ?? '').replace(/\/$/, '')),
    algorithms,
    maxAgeSeconds,
    clockToleranceSeconds,
    nonces: nonces && new Nonces(nonces.secret, nonces.lifetimeSeconds ?? 300),
    isFirstUse: replayGuard(options.replays, forMs, timeoutMs),
  }
}

/** How many proxies there are would say of anybody who is connected that he is one. */
function certificateReader(
  where: string,
  option: ClientCertificateOption,
  trustedProxies: PolicyContext['trustedProxies'],
): CertificateOf {
  if (option === 'tls') return tlsCertificate()
  if (typeof trustedProxies === 'object') {
    return proxiedCertificate(option.header, option.format ?? 'rfc9440', trustedProxies)
  }
  throw optionsFault(
    where,
    'clientCertificate: a header needs trustedProxies of clientele() as a list of addresses: others could write it too',
  )
}

function isPublicUrl(text: string): boolean {
  return normalAddress(text) !== undefined && !/[?#]/.test(text)
}
