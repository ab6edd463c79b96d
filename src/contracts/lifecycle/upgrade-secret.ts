import { LRUCache } from 'lru-cache'
import { inTurn, matchesImported } from '../chosen-secrets.js'
import type { Client, ImportedSecret, StoredSecret } from '../model.js'
import { isImported, storeChosenSecret } from '../secrets.js'
import type { ContractStore } from '../store.js'
import { edited, replace } from './common.js'

/** Who makes scrypt of an imported hash. */
const actor = 'clientele'
const pauseMs = 60_000

/**
 * For the moment in which the secret of an imported hash is at hand: stores it as scrypt, beside the request. What
 * fails is tried again with a later use, and not with each, since that is a slow hash every time.
 */
export function secretUpgrader(store: ContractStore): (client: Client, readings: readonly string[]) => void {
  const tried = new LRUCache<string, true>({ max: 10_000, ttl: pauseMs })
  return ({ id }, readings) => {
    if (tried.has(id)) return
    tried.set(id, true)
    upgrade(store, id, readings).catch(() => undefined)
  }
}

async function upgrade(store: ContractStore, id: string, readings: readonly string[]): Promise<void> {
  const before = await store.find('client', { id })
  if (before === undefined) return
  for (const secret of before.secrets.filter(isImported)) {
    const upgraded = await upgradedSecret(secret, readings)
    if (upgraded === undefined) continue
    const secrets = before.secrets.map((each) => (each.id === secret.id ? upgraded : each))
    const after = edited('client', before, { actor }, { secrets })
    await replace(store, 'client', before, after, { step: 'upgradeSecret', details: { secret: secret.id } })
    return
  }
}

async function upgradedSecret(secret: ImportedSecret, readings: readonly string[]): Promise<StoredSecret | undefined> {
  for (const text of readings) {
    if (!(await matchesImported(secret, text))) continue
    const { id, createdAt, endsAt } = secret
    const stored = await inTurn(() => storeChosenSecret(text, new Date()))
    return { ...stored, id, createdAt, ...(endsAt === undefined ? {} : { endsAt }) }
  }
  return undefined
}
