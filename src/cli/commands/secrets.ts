import type { Command } from 'commander'
import { endSecret, rotateSecret } from '../../contracts/lifecycle/client-secrets.js'
import type { StoredSecret } from '../../contracts/model.js'
import { clientNamed } from '../records.js'
import { onStore, type Session } from '../session.js'
import { parseDuration } from '../units.js'

export function addSecrets(program: Command): void {
  const secrets = program.command('secrets').description('what clients prove themselves with')
  onStore(secrets.command('list <client>').description('the secrets of a client: when they were made and end'), list)
  onStore(
    secrets
      .command('rotate <client>')
      .description('give a client a new secret, which is shown once')
      .requiredOption('--overlap <duration>', 'how long the old ones stay good: 0, 90s, 15m, 12h, 7d', parseDuration),
    rotate,
  )
  onStore(secrets.command('end <client> <secret>').description('end one secret at once, by its ID'), end)
}

async function list({ store, print }: Session, _options: object, name = ''): Promise<void> {
  const { secrets } = await clientNamed(store, name)
  print.list(
    secrets,
    [
      ['SECRET', ({ id }) => id],
      ['STORED AS', ({ algorithm }) => algorithm],
      ['MADE', ({ createdAt }) => createdAt],
      ['ENDS', ({ endsAt }) => endsAt],
    ],
    withoutHash,
  )
}

function withoutHash({ id, algorithm, createdAt, endsAt }: StoredSecret): object {
  return { id, algorithm, createdAt, endsAt }
}

async function rotate(
  { store, actor, print }: Session,
  options: { readonly overlap: number },
  name = '',
): Promise<void> {
  const { id, version } = await clientNamed(store, name)
  const { clientSecret } = await rotateSecret(store, { client: id, version, overlapSeconds: options.overlap, actor })
  print.record({ client: id, clientSecret })
  print.note('The secret is not stored and cannot be shown again.')
}

async function end({ store, actor, print }: Session, _options: object, name = '', secret = ''): Promise<void> {
  const { id, version } = await clientNamed(store, name)
  await endSecret(store, { client: id, version, secret, actor })
  print.record({ client: id, secret, done: 'ended' })
}
