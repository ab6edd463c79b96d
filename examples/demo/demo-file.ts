import { join } from 'node:path'
import type { ContractState } from 'clientele'
import { readJson, writePrivateJson } from './private-file.js'
import type { DescribedRoute } from './routes.js'
import type { Settings } from './settings.js'

export interface DemoClient {
  readonly name: string
  readonly clientId: string
  /** `null` for a public client, which has none. */
  readonly clientSecret: string | null
  readonly tier: string
  /** Of its contract; `disabled` where the client itself is. */
  readonly state: ContractState | 'disabled'
}

/** Secrets by client ID. */
export type KnownSecrets = ReadonlyMap<string, string>

const pathIn = (dataFolder: string): string => join(dataFolder, 'demo.json')

/** What scripts need to call the demo: `demo.json`, which its owner alone can read. */
export async function writeDemoFile(
  { dataFolder, url, issuer }: Settings,
  routes: readonly Pick<DescribedRoute, 'method' | 'path' | 'policies'>[],
  clients: readonly DemoClient[],
): Promise<void> {
  const described = routes.map(({ method, path, policies }) => ({ method, path, policies }))
  await writePrivateJson(pathIn(dataFolder), { url, issuer, tokenUrl: `${issuer}/token`, routes: described, clients })
}

/** The secrets that an earlier start has seen. A file that is lost or spoilt knows none. */
export async function knownSecrets(dataFolder: string): Promise<KnownSecrets> {
  const file = await readJson(pathIn(dataFolder))
  const clients = typeof file === 'object' && file !== null && 'clients' in file ? file.clients : undefined
  const entries: unknown[] = Array.isArray(clients) ? clients : []
  return new Map(entries.filter(isCredentials).map(({ clientId, clientSecret }) => [clientId, clientSecret]))
}

function isCredentials(entry: unknown): entry is { clientId: string; clientSecret: string } {
  if (typeof entry !== 'object' || entry === null || !('clientId' in entry && 'clientSecret' in entry)) return false
  return typeof entry.clientId === 'string' && typeof entry.clientSecret === 'string'
}
