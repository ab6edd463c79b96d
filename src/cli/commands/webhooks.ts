import type { Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import { disableWebhook, enableWebhook, removeWebhook } from '../../contracts/lifecycle/webhook-state.js'
import { addWebhook, rotateWebhookKey } from '../../contracts/lifecycle/webhooks.js'
import { lifecycleSteps, type LifecycleStep } from '../../contracts/model.js'
import type { Webhook } from '../../contracts/notification-model.js'
import { deliveries } from '../../notifications/deliveries.js'
import { wrongInput } from '../exit-codes.js'
import { onStore, type Session } from '../session.js'
import { parseDuration } from '../units.js'

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('who is told of each step over HTTP')
  onStore(webhooks.command('list').description('all webhooks, without their paths and keys'), list)
  onStore(
    webhooks
      .command('add <url>')
      .description('have a receiver be told from now on; its key is shown once. Needs CLIENTELE_SEALING_KEY')
      .option('--event <step...>', 'only of these steps, as `requestContract approveContract`')
      .option('--allow-http', 'although everybody on the way reads what is sent'),
    add,
  )
  onStore(
    webhooks
      .command('rotate <webhook>')
      .description('give a webhook a new key, which is shown once. Needs CLIENTELE_SEALING_KEY')
      .requiredOption('--overlap <duration>', 'how long the old ones sign too: 0, 90s, 15m, 12h, 7d', parseDuration),
    rotate,
  )
  for (const [name, { description, run }] of Object.entries(moves)) {
    const command = webhooks.command(`${name} <webhook>`).description(description)
    onStore(command.option('--reason <text>', 'why, for the record'), run)
  }
  onStore(
    program.command('deliveries').description('how far mails and webhooks have come, and what was given up'),
    listDeliveries,
  )
}

interface Reason {
  readonly reason?: string
}

type Run = (session: Session, options: Reason, webhook?: string) => Promise<void>

const moves: Readonly<Record<string, { readonly description: string; readonly run: Run }>> = {
  disable: {
    description: 'tell a receiver nothing for now',
    run: async ({ store, actor, print }, { reason }, webhook = '') => {
      print.record(shown(await disableWebhook(store, { webhook, actor, ...(reason !== undefined && { reason }) })))
    },
  },
  enable: {
    description: 'go on telling a receiver, from where it was left',
    run: async ({ store, actor, print }, { reason }, webhook = '') => {
      print.record(shown(await enableWebhook(store, { webhook, actor, ...(reason !== undefined && { reason }) })))
    },
  },
  remove: {
    description: 'end a webhook, with its keys and all that it had not been told',
    run: async ({ store, actor, print }, { reason }, webhook = '') => {
      await removeWebhook(store, { webhook, actor, ...(reason !== undefined && { reason }) })
      print.record({ webhook, done: 'removed' })
    },
  },
}

interface AddOptions {
  readonly event?: readonly string[]
  readonly allowHttp?: boolean
}

async function add(
  { store, actor, print }: Session,
  { event, allowHttp = false }: AddOptions,
  url = '',
): Promise<void> {
  const events = event === undefined ? {} : { events: event.map(stepNamed) }
  const { webhook, key } = await addWebhook(store, { url, ...events, allowHttp, actor, sealingKeys: sealingKeys() })
  print.record({ ...shown(webhook), key })
  print.note('The key is kept sealed and cannot be shown again.')
}

async function rotate({ store, actor, print }: Session, options: { readonly overlap: number }, id = ''): Promise<void> {
  const input = { webhook: id, overlapSeconds: options.overlap, actor, sealingKeys: sealingKeys() }
  const { webhook, key } = await rotateWebhookKey(store, input)
  print.record({ ...shown(webhook), key })
  print.note('The key is kept sealed and cannot be shown again.')
}

function stepNamed(name: string): LifecycleStep {
  const step = lifecycleSteps.find((each) => each === name)
  if (step === undefined) throw wrongInput(`--event: there is no such step; known: ${lifecycleSteps.join(', ')}`)
  return step
}

/** Never an argument: any user of the machine can read those. */
function sealingKeys(): string {
  const keys = process.env['CLIENTELE_SEALING_KEY']
  if (keys !== undefined && keys !== '') return keys
  throw wrongInput('set CLIENTELE_SEALING_KEY to what webhook keys are sealed under: 32 bytes as base64url or hex')
}

/** Nothing of keys, and of the address what is no secret of its receiver. */
function shown({ id, url, events, state, createdAt, updatedAt, updatedBy }: Webhook): Record<string, unknown> {
  return { webhook: id, to: new URL(url).origin, events, state, createdAt, updatedAt, updatedBy }
}

async function list({ store, print }: Session): Promise<void> {
  print.list(
    await listAll(store, { kind: 'webhook' }),
    [
      ['WEBHOOK', ({ id }) => id],
      ['TO', ({ url }) => new URL(url).origin],
      ['EVENTS', ({ events }) => events?.join(' ') ?? 'all'],
      ['STATE', ({ state }) => state],
      ['ADDED', ({ createdAt }) => createdAt],
    ],
    shown,
  )
}

async function listDeliveries({ store, print }: Session): Promise<void> {
  print.list(await deliveries(store), [
    ['FOLLOWER', ({ name }) => name],
    ['UP TO', ({ after }) => after],
    ['BEHIND', ({ behind }) => behind],
    ['AHEAD', ({ ahead }) => (ahead === 0 ? undefined : ahead)],
    ['TRIED AGAIN', ({ retrying }) => retrying.length],
    ['GIVEN UP', ({ failed }) => failed.length],
    ['LAST REASON', ({ retrying, failed }) => (retrying.at(-1) ?? failed.at(-1))?.reason],
  ])
}
