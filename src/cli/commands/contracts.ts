import type { Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import {
  approveContract,
  rejectContract,
  restoreContract,
  revokeContract,
} from '../../contracts/lifecycle/contract-decisions.js'
import { changeTier, requestContract } from '../../contracts/lifecycle/contract-requests.js'
import type { Contract } from '../../contracts/model.js'
import type { ContractStore } from '../../contracts/store.js'
import type { Column } from '../print.js'
import { clientIdsOf, clientNamed, filterOf } from '../records.js'
import { onStore, type Session } from '../session.js'
import { oneOf, parseCount } from '../units.js'

interface ContractOptions {
  readonly api: string
  readonly tier?: string
  readonly reason?: string
  /** The version that was seen. */
  readonly seen?: number
  readonly ownRequest?: boolean
}

interface Move {
  readonly description: string
  readonly options: readonly (keyof typeof optionTexts)[]
  readonly run: (store: ContractStore, key: Key, options: ContractOptions) => Promise<Contract>
}

interface Key {
  readonly client: string
  readonly api: string
  readonly actor: string
  readonly version?: number
}

const optionTexts = {
  tier: ['--tier <tier>', 'the tier'],
  reason: ['--reason <text>', 'why, for the other side'],
  ownRequest: ['--own-request', 'although you have asked for it, or the client is yours'],
} as const

/** What can be done to a contract, by the name of the command. */
const moves: Readonly<Record<string, Move>> = {
  request: {
    description: 'ask for access to an API',
    options: ['tier', 'reason'],
    run: (store, key, options) => requestContract(store, { ...key, ...filterOf(options, 'tier', 'reason') }),
  },
  approve: {
    description: 'grant what is asked for, or another tier',
    options: ['tier', 'ownRequest'],
    run: (store, key, options) =>
      approveContract(store, { ...key, ...filterOf(options, 'tier'), ownRequest: options.ownRequest === true }),
  },
  reject: {
    description: 'turn a request down',
    options: ['reason'],
    run: (store, key, options) => rejectContract(store, { ...key, ...filterOf(options, 'reason') }),
  },
  revoke: {
    description: 'end a contract',
    options: ['reason'],
    run: (store, key, options) => revokeContract(store, { ...key, ...filterOf(options, 'reason') }),
  },
  restore: {
    description: 'put a revoked contract back in force',
    options: ['tier'],
    run: (store, key, options) => restoreContract(store, { ...key, ...filterOf(options, 'tier') }),
  },
  'change-tier': {
    description: 'ask for another tier under a contract',
    options: ['tier'],
    run: (store, key, { tier = '' }) => changeTier(store, { ...key, tier }),
  },
}

export function addContracts(program: Command): void {
  const contracts = program.command('contracts').description('who may use which API, and on which tier')
  onStore(
    contracts
      .command('list')
      .description('all contracts')
      .option('--api <api>', 'of this API')
      .option('--client <client>', 'of this client')
      .option(
        '--state <state>',
        'pending, approved, rejected or revoked',
        oneOf('pending', 'approved', 'rejected', 'revoked'),
      ),
    list,
  )
  for (const [name, move] of Object.entries(moves)) addMove(contracts, name, move)
}

function addMove(contracts: Command, name: string, { description, options, run }: Move): void {
  const command = contracts.command(`${name} <client>`).description(description)
  command.requiredOption('--api <api>', 'the API')
  for (const option of options) {
    const [flags, text] = optionTexts[option]
    command.option(flags, text)
  }
  command.option('--seen <version>', 'only if the contract still has this version', parseCount)
  onStore<ContractOptions>(command, async ({ store, actor, print }, given, client = '') => {
    const { id } = await clientNamed(store, client)
    const { api, seen } = given
    const key = { client: id, api, actor, ...(seen === undefined ? {} : { version: seen }) }
    print.record({ ...(await run(store, key, given)) })
  })
}

interface ListOptions {
  readonly api?: string
  readonly client?: string
  readonly state?: string
}

async function list({ store, print }: Session, options: ListOptions): Promise<void> {
  const client = options.client === undefined ? {} : { client: (await clientNamed(store, options.client)).id }
  const contracts = await listAll(store, { kind: 'contract', ...filterOf(options, 'api', 'state'), ...client })
  const clients = await clientsOf(store, contracts)
  const columns: readonly Column<Contract>[] = [
    ['CLIENT', (contract) => contract.client],
    ['CLIENT IDS', (contract) => clients.get(contract.client)?.ids],
    ['NAME', (contract) => clients.get(contract.client)?.name],
    ['API', ({ api }) => api],
    ['STATE', ({ state }) => state],
    ['TIER', ({ tier }) => tier],
    ['WANTS', ({ requestedTier }) => requestedTier],
    ['ASKED BY', ({ requestedBy }) => requestedBy],
    ['REASON', ({ reason }) => reason],
    ['VERSION', ({ version }) => version],
  ]
  print.list(contracts, columns, (contract) => ({ ...contract, clientName: clients.get(contract.client)?.name }))
}

interface Named {
  readonly ids: string
  readonly name: string
}

async function clientsOf(store: ContractStore, contracts: readonly Contract[]): Promise<ReadonlyMap<string, Named>> {
  const named = new Map<string, Named>()
  for (const id of new Set(contracts.map(({ client }) => client))) {
    const client = await store.find('client', { id })
    if (client !== undefined) named.set(id, { ids: clientIdsOf(client), name: client.name })
  }
  return named
}
