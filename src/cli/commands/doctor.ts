import type { Command } from 'commander'
import { everyRecord } from '../../contracts/every-record.js'
import { readAuditLog } from '../../contracts/lifecycle/audit-chain.js'
import type { ContractStore } from '../../contracts/store.js'
import { ClienteleFault } from '../../decisions/faults.js'
import { CliError } from '../exit-codes.js'
import { onStore, type Session } from '../session.js'

/** `undefined`: all is well. Otherwise what is not, and what to do. */
type Check = (store: ContractStore) => Promise<string | undefined>

const clockToleranceMs = 60_000

const checks: Readonly<Record<string, Check>> = {
  'the store answers': async (store) => {
    await store.list({ kind: 'client', pageSize: 1 })
    return undefined
  },
  'commits are atomic': (store) =>
    Promise.resolve(store.capabilities.atomicCommits ? undefined : 'only one process may write to this store'),
  'the audit log is whole': async (store) => {
    for await (const { at } of readAuditLog(store)) {
      if (Date.parse(at) > Date.now() + clockToleranceMs) return `its last entries are of ${at}: a clock is wrong`
    }
    return undefined
  },
  'contracts have their clients and tiers': async (store) => {
    for await (const { client, api, tier } of everyRecord<'contract'>(store, { kind: 'contract' })) {
      if ((await store.find('client', { id: client })) === undefined) return `the client ${client} is not there`
      if (tier !== undefined && (await store.findTier(api, tier)) === undefined) {
        return `the contract of ${client} for ${api} has a tier that is not there: ${tier}`
      }
    }
    return undefined
  },
  'clients are found by their identities': async (store) => {
    for await (const { id, identities } of everyRecord<'client'>(store, { kind: 'client' })) {
      for (const identity of identities) {
        if ((await store.findClient(identity))?.id !== id)
          return `the client ${id} is not found by one of its identities`
      }
    }
    return undefined
  },
}

export function addDoctor(program: Command): void {
  onStore(program.command('doctor').description('whether the store answers and what is in it fits together'), examine)
}

async function examine({ store, print }: Session): Promise<void> {
  const results: { readonly check: string; readonly ok: boolean; readonly found: string }[] = []
  for (const [check, run] of Object.entries(checks)) {
    const found = (await run(store).catch(whatFailed)) ?? ''
    results.push({ check, ok: found === '', found })
  }
  print.list(results, [
    ['CHECK', ({ check }) => check],
    ['OK', ({ ok }) => (ok ? 'yes' : 'NO')],
    ['FOUND', ({ found }) => found],
  ])
  if (results.some(({ ok }) => !ok)) throw new CliError('different', 'something is not as it should be')
}

function whatFailed(error: unknown): string {
  return error instanceof ClienteleFault ? `${error.code}: ${error.message}` : 'it failed'
}
