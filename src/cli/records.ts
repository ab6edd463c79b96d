import { localIssuer, type Client } from '../contracts/model.js'
import type { ContractStore } from '../contracts/store.js'
import { CliError, wrongInput } from './exit-codes.js'

/** A client by its internal ID, or by the client ID that it sends. */
export async function clientNamed(store: ContractStore, name: string): Promise<Client> {
  const [internal, sent] = await Promise.all([
    Promise.resolve(store.find('client', { id: name })),
    Promise.resolve(store.findClient({ issuer: localIssuer, clientId: name })),
  ])
  if (internal !== undefined && sent !== undefined && internal.id !== sent.id) {
    throw wrongInput('the ID is the internal one of one client and the client ID of another; give the internal ID')
  }
  const client = internal ?? sent
  if (client === undefined) throw new CliError('notFound', 'there is no such client')
  return client
}

/** A client as it may be shown: nothing of what is stored of a secret. */
export function shownClient({ secrets, ...client }: Client): object {
  return {
    ...client,
    secrets: secrets.map(({ id, algorithm, createdAt, endsAt }) => ({ id, algorithm, createdAt, endsAt })),
  }
}

export function clientIdsOf({ identities }: Client): string {
  return identities
    .map(({ issuer, clientId }) => (issuer === localIssuer ? clientId : `${clientId} (${issuer})`))
    .join(', ')
}

/** The filters that were given, out of the options of a command. */
export function filterOf<Name extends string>(
  options: { readonly [N in Name]?: string },
  ...names: readonly Name[]
): { [N in Name]?: string } {
  const given = names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
  return Object.fromEntries(given) as { [N in Name]?: string }
}
