import { everyRecord } from '../../contracts/every-record.js'
import { readAuditLog } from '../../contracts/lifecycle/audit-chain.js'
import { clockToleranceMs, type Check, type Patient } from './checks.js'

/** Whether the store answers, and what is in it fits together. */
export function storeChecks({ store }: Patient): readonly Check[] {
  return [
    {
      name: 'the store answers',
      run: async () => {
        await store.list({ kind: 'client', pageSize: 1 })
        return undefined
      },
    },
    {
      name: 'commits are atomic',
      run: () =>
        Promise.resolve(store.capabilities.atomicCommits ? undefined : 'only one process may write to this store'),
    },
    { name: 'the audit log is whole', run: () => auditLog(store) },
    { name: 'contracts have their clients and tiers', run: () => contracts(store) },
    { name: 'clients are found by their identities', run: () => identities(store) },
  ]
}

async function auditLog(store: Patient['store']): Promise<string | undefined> {
  for await (const { at } of readAuditLog(store)) {
    if (Date.parse(at) > Date.now() + clockToleranceMs) return `its last entries are of ${at}: a clock is wrong`
  }
  return undefined
}

async function contracts(store: Patient['store']): Promise<string | undefined> {
  for await (const { client, api, tier } of everyRecord<'contract'>(store, { kind: 'contract' })) {
    if ((await store.find('client', { id: client })) === undefined) return `the client ${client} is not there`
    if (tier !== undefined && (await store.findTier(api, tier)) === undefined) {
      return `the contract of ${client} for ${api} has a tier that is not there: ${tier}`
    }
  }
  return undefined
}

async function identities(store: Patient['store']): Promise<string | undefined> {
  for await (const { id, identities } of everyRecord<'client'>(store, { kind: 'client' })) {
    for (const identity of identities) {
      if ((await store.findClient(identity))?.id !== id) return `the client ${id} is not found by one of its identities`
    }
  }
  return undefined
}
