import { Option, type Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import { defineTier, deprecateTier } from '../../contracts/lifecycle/tiers.js'
import type { LimitInput } from '../../contracts/limit-schemas.js'
import type { Tier } from '../../contracts/model.js'
import { limitText } from '../limit-text.js'
import { filterOf } from '../records.js'
import { onStore, type Session } from '../session.js'
import { oneOf, parseCount, parseLimit } from '../units.js'

const api = ['--api <api>', 'the API'] as const
const name = ['--name <tier>', 'the tier'] as const

export function addTiers(program: Command): void {
  const tiers = program.command('tiers').description('levels of service of an API')
  onStore(
    tiers
      .command('list')
      .description('all tiers')
      .option(...api)
      .option('--state <state>', 'active or deprecated', oneOf('active', 'deprecated')),
    list,
  )
  onStore(
    tiers
      .command('define')
      .description('make a tier, or edit it for all who have it')
      .requiredOption(...api)
      .requiredOption(...name)
      .addOption(approval)
      .requiredOption('--limit <limit...>', '100/60s, or a limit as JSON; several for several', parseLimit)
      .option('--per-owner <count>', 'how many contracts of one owner an automatic tier approves at once', parseCount)
      .option('--description <text>', 'for people'),
    define,
  )
  addDeprecate(tiers)
}

function addDeprecate(tiers: Command): void {
  onStore(
    tiers
      .command('deprecate')
      .description('close a tier to new contracts')
      .requiredOption(...api)
      .requiredOption(...name),
    deprecate,
  )
}

const approval = new Option('--approval <way>', 'whether asking is enough')
  .choices(['automatic', 'manual'])
  .makeOptionMandatory()

interface TierOptions {
  readonly api: string
  readonly name: string
}

interface DefineOptions extends TierOptions {
  readonly approval: Tier['approval']
  readonly limit: readonly LimitInput[]
  readonly perOwner?: number
  readonly description?: string
}

async function list({ store, print }: Session, options: { api?: string; state?: string }): Promise<void> {
  const tiers = await listAll(store, { kind: 'tier', ...filterOf(options, 'api', 'state') })
  print.list(tiers, [
    ['API', (tier) => tier.api],
    ['TIER', (tier) => tier.name],
    ['APPROVAL', (tier) => tier.approval],
    ['PER OWNER', ({ automaticPerOwner }) => automaticPerOwner],
    ['STATE', ({ state }) => state],
    ['LIMITS', ({ limits }) => limits.map(limitText).join(', ')],
  ])
}

async function define({ store, actor, print }: Session, options: DefineOptions): Promise<void> {
  const { limit, perOwner, ...said } = options
  const { tier, approved } = await defineTier(store, {
    ...filterOf(options, 'description'),
    api: said.api,
    name: said.name,
    approval: said.approval,
    limits: limit,
    ...(perOwner === undefined ? {} : { automaticPerOwner: perOwner }),
    actor,
  })
  print.record({ ...tier, approved: approved.map(({ client }) => client) })
}

async function deprecate({ store, actor, print }: Session, { api, name }: TierOptions): Promise<void> {
  print.record({ ...(await deprecateTier(store, { api, name, actor })) })
}
