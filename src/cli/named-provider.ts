import type { ClientProvider } from '../providers/client-provider.js'
import { clientRegistrations, type ClientRegistrations } from '../providers/registrations.js'
import { readCodeFile } from './as-code/code-schema.js'
import { providerOf } from './as-code/coded-provider.js'
import { CliError } from './exit-codes.js'
import type { Session } from './session.js'

export interface AtProvider {
  readonly provider: string
  readonly file: string
}

/** Registrations at the provider that a command line names. */
export async function registrationsFor(
  { store, config }: Session,
  { provider, file }: AtProvider,
): Promise<ClientRegistrations> {
  const sealingKeys = process.env['CLIENTELE_SEALING_KEY']
  return clientRegistrations({ store, provider: await providerNamed(config, provider, file), sealingKeys })
}

async function providerNamed(config: Session['config'], name: string, file: string): Promise<ClientProvider> {
  const exported = config?.providers.find((each) => each.name === name)
  if (exported !== undefined) return exported
  const coded = readCodeFile(file).code.providers?.find((each) => each.name === name)
  if (coded === undefined)
    throw new CliError('notFound', `there is no provider ${name} in the config file or in ${file}`)
  return providerOf(coded)
}
