import { isContractStore } from '../contracts/is-store.js'
import type { ContractStore } from '../contracts/store.js'
import type { Counter } from '../limits/counter.js'
import { hasFunctions } from '../runtime/check.js'
import { wrongInput, type CliError } from './exit-codes.js'
import { readRoute, type Route } from './routes.js'
import { userFile } from './user-modules.js'

/** What an application is built from, as its config file exports it. */
export interface ConfigFile {
  readonly path: string
  readonly store: ContractStore | undefined
  readonly counter: Counter | undefined
  readonly routes: readonly Route[]
  /** All that it exports, for who looks for more. */
  readonly exports: Readonly<Record<string, unknown>>
  close(): Promise<void>
}

const isCounter = hasFunctions('take', 'peek', 'giveBack', 'reset')

/** Named exports, or the members of a default export. Each of them may be missing: a command says what it needs. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const module = await userFile(path)
  const { default: whole } = module
  const exports = { ...(typeof whole === 'object' ? (whole as Readonly<Record<string, unknown>>) : {}), ...module }
  const { store, counter, routes = [], close } = exports
  const bad = (expected: string): CliError => wrongInput(`${path}: expected ${expected}`)
  if (store !== undefined && !isContractStore(store)) throw bad('an export named store, which is a ContractStore')
  if (counter !== undefined && !isCounter(counter)) throw bad('an export named counter, which is a Counter')
  if (!Array.isArray(routes)) throw bad('an export named routes, which is a list')
  return {
    path,
    store,
    counter: counter as Counter | undefined,
    routes: routes.map((route: unknown, index) => readRoute(route, (what) => bad(`routes[${String(index)}]: ${what}`))),
    exports,
    close: async () => {
      await store?.close?.()
      if (typeof close === 'function') await (close as () => unknown)()
    },
  }
}
