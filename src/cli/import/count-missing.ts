import { localIssuer } from '../../contracts/model.js'
import type { DefineTierInput } from '../../contracts/lifecycle/tiers.js'
import type { ContractStore } from '../../contracts/store.js'
import type { ImportRow } from './import-row.js'

export interface ImportCounts {
  readonly clients: number
  readonly secrets: number
  readonly contracts: number
  readonly tiers: number
}

/** What an import would write now, by the rules of `importClients`: what is there already stays as it is. */
export async function countMissing(
  store: ContractStore,
  rows: readonly ImportRow[],
  tiers: readonly Omit<DefineTierInput, 'actor'>[],
): Promise<ImportCounts> {
  const counts = { clients: 0, secrets: 0, contracts: 0, tiers: 0 }
  for (const { client } of rows) {
    const { clientId, secret, type = 'confidential', contracts = [] } = client
    const known = await store.findClient({ issuer: localIssuer, clientId })
    if (known === undefined) counts.clients++
    const takesSecret = (known?.type ?? type) === 'confidential' && (known?.secrets.length ?? 0) === 0
    if (secret !== undefined && takesSecret) counts.secrets++
    for (const { api } of contracts) {
      if (known === undefined || (await store.findContract(known.id, api)) === undefined) counts.contracts++
    }
  }
  for (const { api, name } of tiers) if ((await store.findTier(api, name)) === undefined) counts.tiers++
  return counts
}
