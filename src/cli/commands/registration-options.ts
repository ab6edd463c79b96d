import type { Command } from 'commander'
import { listAll } from '../../contracts/every-record.js'
import { clientNamed } from '../records.js'
import type { Session } from '../session.js'

/** Providers stand in the config file or in a file of YAML. */
export function atProvider(group: Command, usage: string, description: string): Command {
  return group
    .command(usage)
    .description(description)
    .requiredOption('--provider <name>', 'as it is called in the config file, or under `providers` in --file')
    .option('--file <file>', 'where `providers` stand', 'clientele.yaml')
}

/** One that is being removed has lost its identities, and is named by its internal ID. */
export async function registeredClient({ store }: Session, name = ''): Promise<string> {
  const [held] = (await store.list<'registration'>({ kind: 'registration', client: name, pageSize: 1 })).records
  if (held !== undefined) return name
  const byClientId = (await listAll(store, { kind: 'registration' })).find(({ clientId }) => clientId === name)
  return byClientId?.client ?? (await clientNamed(store, name)).id
}
