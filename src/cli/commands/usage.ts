import type { Command } from 'commander'
import { wirePolicies, type ClientUsage, type UsageDesk } from '../../clientele.js'
import { listAll } from '../../contracts/every-record.js'
import type { Client, Contract } from '../../contracts/model.js'
import { limitText } from '../limit-text.js'
import { missingCounter, openCounter } from '../open-counter.js'
import { progressOn } from '../progress.js'
import { clientIdsOf, clientNamed, filterOf } from '../records.js'
import { onStore, type Session } from '../session.js'

const counter = ['--counter <counter>', 'a directory or redis:// URL of the counter; CLIENTELE_COUNTER'] as const
const unauthenticated = ['--unauthenticated', 'of those who gave the ID alone, which counts apart'] as const

export function addUsage(program: Command): void {
  const usage = program.command('usage').description('who has used how much of which limit')
  onStore(
    usage
      .command('list')
      .description('where clients stand with the limits of their contracts, the scarcest first; charges nothing')
      .option(...counter)
      .option('--api <api>', 'of this API')
      .option('--client <client>', 'of this client')
      .option('--used', 'only those who have used something')
      .option(...unauthenticated),
    list,
  )
  onStore(
    usage
      .command('reset <client>')
      .description('forget what a client has used of an API')
      .requiredOption('--api <api>', 'the API')
      .option(...counter)
      .option(...unauthenticated),
    reset,
  )
}

interface UsageOptions {
  readonly counter?: string
  readonly api?: string
  readonly client?: string
  readonly used?: boolean
  readonly unauthenticated?: boolean
}

interface Standing extends ClientUsage {
  readonly contract: Contract
  readonly client: Client | undefined
}

async function list(session: Session, options: UsageOptions): Promise<void> {
  const standings = await withDesks(session, options, async (deskOf) => {
    const contracts = await contractsFor(session, options)
    const progress = progressOn(process.stderr, 'Reading', contracts.length)
    const found: Standing[] = []
    for (const [index, contract] of contracts.entries()) {
      const authenticated = options.unauthenticated !== true
      const standing = await deskOf(contract.api).usageOf({ client: contract.client, authenticated })
      if (options.used !== true || standing.usage.limits.some(({ used }) => used > 0)) {
        found.push({ ...standing, contract, client: await session.store.find('client', { id: contract.client }) })
      }
      progress.at(index + 1)
    }
    progress.end()
    return found
  })
  standings.sort((one, other) => shareLeft(one) - shareLeft(other))
  show(session, standings)
}

function shareLeft({ usage }: Standing): number {
  return Math.min(...usage.limits.map(({ remaining, limit }) => remaining / limit.requests))
}

/** Without a tier there is nothing to stand with. */
async function contractsFor({ store }: Session, options: UsageOptions): Promise<readonly Contract[]> {
  const client = options.client === undefined ? {} : { client: (await clientNamed(store, options.client)).id }
  const approved = { kind: 'contract', state: 'approved' } as const
  const contracts = await listAll<'contract'>(store, { ...approved, ...filterOf(options, 'api'), ...client })
  return contracts.filter(({ tier }) => tier !== undefined)
}

function show({ print }: Session, standings: readonly Standing[]): void {
  if (print.json) {
    print.list(standings, [], ({ contract: { client, api }, client: known, tier, usage }) => ({
      client,
      clientIds: known?.identities.map(({ clientId }) => clientId) ?? [],
      name: known?.name,
      api,
      tier: tier.name,
      limits: usage.limits,
    }))
    return
  }
  const rows = standings.flatMap((standing) => standing.usage.limits.map((use) => ({ ...standing, use })))
  print.list(rows, [
    ['CLIENT IDS', ({ client }) => client && clientIdsOf(client)],
    ['NAME', ({ client }) => client?.name],
    ['API', ({ contract }) => contract.api],
    ['TIER', ({ tier }) => tier.name],
    ['LIMIT', ({ use: { limit } }) => limitText(limit)],
    ['USED', ({ use }) => use.used],
    ['LEFT', ({ use }) => use.remaining],
    ['UNTIL, S', ({ use }) => Math.ceil(use.resetSeconds)],
  ])
}

async function reset(session: Session, options: UsageOptions, name = ''): Promise<void> {
  const { api = '', unauthenticated = false } = options
  const { id } = await clientNamed(session.store, name)
  await withDesks(session, options, (deskOf) => deskOf(api).resetUsage({ client: id, authenticated: !unauthenticated }))
  session.print.record({ client: id, api, done: 'reset' })
}

/** One desk for each API, all over the same counter. */
async function withDesks<T>(
  { store, config }: Session,
  options: UsageOptions,
  work: (deskOf: (api: string) => UsageDesk) => Promise<T>,
): Promise<T> {
  const opened = await openCounter(options.counter, config)
  if (opened === undefined) throw missingCounter()
  const { counter } = opened
  const desks = new Map<string, UsageDesk>()
  const deskOf = (api: string): UsageDesk => {
    const desk = desks.get(api) ?? wirePolicies({ api, store, counter }).usage
    desks.set(api, desk)
    return desk
  }
  try {
    return await work(deskOf)
  } finally {
    await opened.close()
  }
}
