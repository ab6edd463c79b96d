import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { ContractStore } from '../contracts/store.js'
import { openStore } from './open-store.js'
import { printerTo, type Printer } from './print.js'

/** What every command works with. */
export interface Session {
  readonly store: ContractStore
  readonly actor: string
  readonly print: Printer
  /** Of a config file: all that it exports. */
  readonly config: Readonly<Record<string, unknown>>
}

interface GlobalOptions {
  readonly store?: string
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
    const { create = false, json = false, store: argument } = options
    const opened = await openStore({ argument, environment: process.env['CLIENTELE_STORE'], create })
    const print = printerTo(process.stdout, json)
    const session = { store: opened.store, config: opened.config, actor: options.actor ?? defaultActor(), print }
    try {
      await work(session, options, ...(given.slice(0, -2) as string[]))
    } finally {
      await opened.close()
    }
  })
}

function defaultActor(): string {
  return process.env['CLIENTELE_ACTOR'] ?? userInfo().username
}
