import type { Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import type { Registration } from '../../contracts/registration.js'
import { registrationsFor, type AtProvider } from '../named-provider.js'
import { filterOf } from '../records.js'
import { onStore, type Session } from '../session.js'
import { oneOf } from '../units.js'
import { addRegister, addRotate, addUpdate } from './registration-changes.js'
import { atProvider, registeredClient } from './registration-options.js'

export function addRegistrations(program: Command): void {
  const group = program.command('registrations').description('clients whose IDs an identity provider gives out')
  onStore(
    group
      .command('list')
      .description('all registrations at issuers')
      .option('--unfinished', 'only those that broke off, or are under way'),
    list,
  )
  addRegister(group)
  addUpdate(group)
  addRotate(group)
  addRemove(group)
  addImport(group)
  addRepair(group)
}

function addRemove(group: Command): void {
  const command = atProvider(group, 'remove <client>', 'refuse a client here, then remove it at the issuer')
    .option('--client-id <id>', 'which of several registrations')
    .option('--at-issuer <what>', 'delete, or leave it there; delete unless said', oneOf('delete', 'leave'))
  onStore(command, async (session, options: AtProvider & { readonly atIssuer?: 'delete' | 'leave' }, name) => {
    const client = await registeredClient(session, name)
    const { atIssuer } = options
    const registrations = await registrationsFor(session, options)
    const more = { ...filterOf(options as { clientId?: string }, 'clientId'), ...(atIssuer && { atIssuer }) }
    await registrations.remove({ client, actor: session.actor, ...more })
    session.print.record({ client, done: 'removed' })
  })
}

function addImport(group: Command): void {
  const command = atProvider(group, 'import <client-id>', 'make a client known that was made by hand at the issuer')
    .option('--name <name>', 'what people call it, where the issuer does not say')
    .option('--owner <owner>', 'whose it is')
  onStore(command, async (session, options: AtProvider & { name?: string; owner?: string }, clientId = '') => {
    const registrations = await registrationsFor(session, options)
    const named = filterOf(options, 'name', 'owner')
    const { client, registration } = await registrations.importClient({ clientId, actor: session.actor, ...named })
    session.print.record({ client: client.id, registration: registration.id, clientId })
  })
}

interface RepairOptions extends AtProvider {
  readonly clientId?: string
  readonly gone?: boolean
  readonly adopt?: boolean
}

function addRepair(group: Command): void {
  const command = atProvider(group, 'repair <registration>', 'bring one that broke off to an end')
    .option('--client-id <id>', 'what the issuer calls it, where you have looked there')
    .option('--gone', 'you have looked: the issuer has no such client')
    .option('--adopt', 'keep what the issuer has made, rather than discard it')
  onStore(command, async (session, options: RepairOptions, registration = '') => {
    const { gone = false, adopt = false } = options
    const registrations = await registrationsFor(session, options)
    const outcome = adopt ? 'adopt' : 'discard'
    const more = { gone, outcome, ...filterOf(options, 'clientId') } as const
    const left = await registrations.repair({ registration, actor: session.actor, ...more })
    session.print.record({ registration, state: left?.state ?? 'nothing is left of it' })
  })
}

async function list(
  { store, print }: Session,
  { unfinished = false }: { readonly unfinished?: boolean },
): Promise<void> {
  const all = await listAll(store, { kind: 'registration' })
  print.list(
    unfinished ? all.filter(({ state }) => state !== 'active') : all,
    [
      ['REGISTRATION', ({ id }) => id],
      ['PROVIDER', ({ provider }) => provider],
      ['CLIENT', ({ client }) => client],
      ['CLIENT ID', ({ clientId }) => clientId],
      ['NAME', ({ metadata }) => metadata.name],
      ['STATE', ({ state }) => state],
      ['SECRET ENDS', ({ secretEndsAt }) => secretEndsAt],
      ['SINCE', ({ updatedAt }) => updatedAt],
    ],
    withoutToken,
  )
}

/** Sealed as it is, it is nobody's business. */
function withoutToken({ sealedToken: _unseen, ...registration }: Registration): object {
  return registration
}
