import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { ContractStore } from '../contracts/store.js'
import { readConfigFile, type ConfigFile } from './config-file.js'
import { wrongInput } from './exit-codes.js'
import { openStore, type OpenedStore } from './open-store.js'
import { isConfigFile, type NamedPlace } from './places.js'
import { printerTo, type Printer } from './print.js'

/** What every command works with. */
export interface Session {
  readonly store: ContractStore
  readonly actor: string
  readonly print: Printer
  readonly config: ConfigFile | undefined
  /** Where the store is, as it was named; `undefined` for that of a config file. */
  readonly location: string | undefined
}

/** What a command works with that looks at a config file alone. */
export interface ConfigSession {
  readonly config: ConfigFile
  readonly print: Printer
}

interface GlobalOptions {
  readonly store?: string
  readonly config?: string
  readonly actor?: string
  readonly json?: boolean
  readonly create?: boolean
}

/**
 * The action of a command: opens the store, does the work, and lets go of the store whatever happens. `parameters`: the
 * arguments of the command in their order.
 */
export function onStore<Options>(
  command: Command,
  work: (session: Session, options: Options, ...parameters: string[]) => Promise<void>,
): Command {
  return command.action(async (...given: unknown[]) => {
    const options = command.optsWithGlobals<Options & GlobalOptions>()
    const opened = await openNamed(options)
    const print = printerTo(process.stdout, options.json === true)
    const { store, config, location } = opened
    try {
      const session = { store, config, location, actor: options.actor ?? defaultActor(), print }
      await work(session, options, ...(given.slice(0, -2) as string[]))
    } finally {
      await opened.close()
    }
  })
}

/** The same for a command that needs what a config file exports, and no store of its own. */
export function onConfig<Options>(
  command: Command,
  work: (session: ConfigSession, options: Options, ...parameters: string[]) => Promise<void>,
): Command {
  return command.action(async (...given: unknown[]) => {
    const options = command.optsWithGlobals<Options & GlobalOptions>()
    const path = configPathOf(options)
    if (path === undefined) throw wrongInput('name the config file with --config, or in CLIENTELE_CONFIG')
    const config = await readConfigFile(path)
    try {
      const print = printerTo(process.stdout, options.json === true)
      await work({ config, print }, options, ...(given.slice(0, -2) as string[]))
    } finally {
      await config.close()
    }
  })
}

interface OpenedNamed extends OpenedStore {
  readonly config: ConfigFile | undefined
  readonly location: string | undefined
}

/** What stands on the command line comes before the environment, and a store before that of a config file. */
async function openNamed(options: GlobalOptions): Promise<OpenedNamed> {
  const place = storePlace(options)
  const location = place.argument ?? (options.config === undefined ? place.environment : undefined)
  const path = configPathOf(options)
  const config = path === undefined ? undefined : await readConfigFile(path)
  if (location !== undefined && !isConfigFile(location)) {
    const opened = await openStore(location, place, options.create === true)
    const close = async (): Promise<void> => {
      await opened.close()
      await config?.close()
    }
    return { store: opened.store, config, location, close }
  }
  if (config === undefined) throw wrongInput('name the store with --store, or in CLIENTELE_STORE')
  const { store } = config
  if (store === undefined) throw wrongInput(`${config.path}: expected an export named store, which is a ContractStore`)
  return { store, config, location: undefined, close: () => config.close() }
}

function storePlace({ store }: GlobalOptions): NamedPlace {
  const variable = 'CLIENTELE_STORE'
  return { argument: store, environment: process.env[variable], option: '--store', variable }
}

/** A store that is a file is a config file. */
function configPathOf({ config, store }: GlobalOptions): string | undefined {
  const { CLIENTELE_STORE, CLIENTELE_CONFIG } = process.env
  return config ?? [store, CLIENTELE_CONFIG, CLIENTELE_STORE].find((each) => each !== undefined && isConfigFile(each))
}

function defaultActor(): string {
  return process.env['CLIENTELE_ACTOR'] ?? userInfo().username
}
