import type { Command } from 'commander'
import type { ClientMetadata } from '../../contracts/registration.js'
import { registrationsFor, type AtProvider } from '../named-provider.js'
import { filterOf } from '../records.js'
import { onStore, type Session } from '../session.js'
import { atProvider, registeredClient } from './registration-options.js'

interface MetadataOptions {
  readonly name?: string
  readonly redirectUri?: readonly string[]
  readonly grantType?: readonly string[]
  readonly scope?: readonly string[]
}

interface RegisterOptions extends AtProvider, MetadataOptions {
  readonly name: string
  readonly owner?: string
  readonly public?: boolean
}

function withMetadata(command: Command): Command {
  return command
    .option('--redirect-uri <uri...>', 'where its users come back to')
    .option('--grant-type <type...>', 'how it comes by tokens; client_credentials without redirect URIs')
    .option('--scope <scope...>', 'what it may ask for')
}

function metadataOf({ name, redirectUri, grantType, scope }: MetadataOptions): Partial<ClientMetadata> {
  return {
    ...(name !== undefined && { name }),
    ...(redirectUri && { redirectUris: redirectUri }),
    ...(grantType && { grantTypes: grantType }),
    ...(scope && { scopes: scope }),
  }
}

export function addRegister(group: Command): void {
  const command = atProvider(group, 'register', 'have an issuer make a client; its secret is shown once')
    .requiredOption('--name <name>', 'what people call it')
    .option('--owner <owner>', 'whose it is')
    .option('--public', 'it cannot keep a secret, and has none')
  onStore(withMetadata(command), async (session, options: RegisterOptions) => {
    const authMethod = options.public === true ? ({ authMethod: 'none' } as const) : {}
    const metadata = { ...metadataOf(options), ...authMethod, name: options.name }
    const registrations = await registrationsFor(session, options)
    const { client, registration, ...rest } = await registrations.register({
      ...filterOf(options, 'owner'),
      actor: session.actor,
      metadata,
    })
    showSecret(session, { client: client.id, registration: registration.id, ...rest })
  })
}

export function addUpdate(group: Command): void {
  const command = atProvider(group, 'update <client>', 'change a client at the issuer, and its name here')
    .option('--name <name>', 'what people call it')
    .option('--client-id <id>', 'which of several registrations')
  onStore(withMetadata(command), async (session, options: AtProvider & MetadataOptions, name) => {
    const registrations = await registrationsFor(session, options)
    const client = await registeredClient(session, name)
    const which = { client, ...filterOf(options as { clientId?: string }, 'clientId') }
    const { clientId, registration } = await registrations.update({
      ...which,
      actor: session.actor,
      changes: metadataOf(options),
    })
    session.print.record({ client, clientId, name: registration.metadata.name, state: registration.state })
  })
}

export function addRotate(group: Command): void {
  const command = atProvider(group, 'rotate <client>', 'a new secret, or a new client in its place where there is none')
  onStore(
    command.option('--keep-old', 'leave a client that is replaced where it is'),
    async (session, options, name) => {
      const { keepOld = false, ...at } = options as AtProvider & { readonly keepOld?: boolean }
      const registrations = await registrationsFor(session, at)
      const client = await registeredClient(session, name)
      const { clientId, clientSecret, old } = await registrations.rotate({ client, actor: session.actor, keepOld })
      showSecret(session, { client, clientId, clientSecret, old })
    },
  )
}

function showSecret({ print }: Session, members: Readonly<Record<string, unknown>>): void {
  print.record(members)
  if (members['clientSecret'] !== undefined) print.note('The secret is not stored and cannot be shown again.')
}
