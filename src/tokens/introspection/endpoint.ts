import type { IssuerMetadata } from '../discovery.js'
import { issuerFault } from '../issuer-fault.js'
import { hostOf, type IssuerSettings } from '../issuer-settings.js'
import type { Refreshed } from '../refreshed.js'

/** The endpoint that discovery names, if our secret may be sent there without anybody having written it down. */
export async function discoveredEndpoint(
  settings: IssuerSettings,
  metadata: Refreshed<IssuerMetadata>,
): Promise<string> {
  const { introspectionEndpoint } = await metadata.current()
  const where = hostOf(settings.issuer)
  const remedy = 'write the address as the option "endpoint".'
  if (introspectionEndpoint === undefined) {
    throw issuerFault(where, 'metadata', `its metadata names no introspection endpoint; ${remedy}`)
  }
  if (new URL(introspectionEndpoint).origin !== new URL(settings.issuer).origin) {
    throw issuerFault(
      where,
      'metadata',
      `its metadata sends introspections to another origin; if that is meant, ${remedy}`,
    )
  }
  return introspectionEndpoint
}
