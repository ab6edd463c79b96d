import type { Command } from 'commander'
import { disableClient, enableClient, removeClient } from '../../contracts/lifecycle/client-state.js'
import { registerClient } from '../../contracts/lifecycle/clients.js'
import { linkIdentity } from '../../contracts/lifecycle/identities.js'
import { listAll } from '../../contracts/every-record.js'
import { readSecret, withSecretOptions, type SecretSource } from '../read-secret.js'
import { clientIdsOf, clientNamed, filterOf, shownClient } from '../records.js'
import { onStore, type Session } from '../session.js'
import { oneOf } from '../units.js'

const state = '--state <state>'

export function addClients(program: Command): void {
  const clients = program.command('clients').description('who may call: register, look at, turn away')
  onStore(
    clients.command('list').description('all clients').option(state, 'active or disabled', oneOf('active', 'disabled')),
    list,
  )
  onStore(clients.command('show <client>').description('one client, by its client ID or internal ID'), show)
  addRegister(clients)
  addMoves(clients)
  onStore(
    clients
      .command('link <client>')
      .description('let tokens of an issuer reach a client')
      .requiredOption('--issuer <issuer>', 'the `iss` of the tokens')
      .requiredOption('--client-id <id>', 'the client ID there')
      .option('--reuse', 'also where the ID belonged to a client that was removed'),
    link,
  )
}

interface RegisterOptions extends SecretSource {
  readonly name: string
  readonly owner?: string
  readonly public?: boolean
  readonly clientId?: string
}

function addRegister(clients: Command): void {
  const command = clients
    .command('register')
    .description('make a client known; its generated secret is shown once')
    .requiredOption('--name <name>', 'what people call it')
    .option('--owner <owner>', 'whose it is')
    .option('--public', 'it cannot keep a secret, and has none')
    .option('--client-id <id>', 'a client ID of your own; otherwise one is made')
  onStore(withSecretOptions(command), register)
}

async function register({ store, actor, print }: Session, options: RegisterOptions): Promise<void> {
  const chosen = await readSecret(options)
  const { client, clientId, clientSecret } = await registerClient(store, {
    ...filterOf(options, 'owner', 'clientId'),
    name: options.name,
    type: options.public === true ? 'public' : 'confidential',
    ...(chosen === undefined ? {} : { clientSecret: chosen }),
    actor,
  })
  print.record({ client: client.id, clientId, clientSecret })
  if (clientSecret !== undefined) print.note('The secret is not stored and cannot be shown again.')
}

async function list({ store, print }: Session, options: { readonly state?: string }): Promise<void> {
  const clients = await listAll(store, { kind: 'client', ...filterOf(options, 'state') })
  print.list(
    clients,
    [
      ['CLIENT', ({ id }) => id],
      ['CLIENT IDS', clientIdsOf],
      ['NAME', ({ name }) => name],
      ['OWNER', ({ owner }) => owner],
      ['TYPE', ({ type }) => type],
      ['STATE', (client) => client.state],
    ],
    shownClient,
  )
}

async function show({ store, print }: Session, _options: object, name = ''): Promise<void> {
  print.record({ ...shownClient(await clientNamed(store, name)) })
}

const moves = {
  disable: ['turn a client away everywhere', disableClient],
  enable: ['let a disabled client in again', enableClient],
  remove: ['forget a client and its contracts', removeClient],
} as const

function addMoves(clients: Command): void {
  for (const [name, [description, move]] of Object.entries(moves)) {
    onStore(
      clients.command(`${name} <client>`).description(description),
      async ({ store, actor, print }, _options, client = '') => {
        const { id, version } = await clientNamed(store, client)
        await move(store, { client: id, version, actor })
        print.record({ client: id, done: `${name}d` })
      },
    )
  }
}

interface LinkOptions {
  readonly issuer: string
  readonly clientId: string
  readonly reuse?: boolean
}

async function link({ store, actor, print }: Session, options: LinkOptions, name = ''): Promise<void> {
  const { id } = await clientNamed(store, name)
  const { issuer, clientId, reuse = false } = options
  print.record({ ...shownClient(await linkIdentity(store, { client: id, issuer, clientId, reuse, actor })) })
}
