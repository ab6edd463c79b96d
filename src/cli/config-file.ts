import { isContractStore } from '../contracts/is-store.js'
import type { ContractStore } from '../contracts/store.js'
import type { Counter } from '../limits/counter.js'
import type { ClientProvider } from '../providers/client-provider.js'
import { isClientProvider } from '../providers/is-client-provider.js'
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
  readonly providers: readonly ClientProvider[]
  close(): Promise<void>
}

const isCounter = hasFunctions('take', 'peek', 'giveBack', 'reset')

/** Named exports, or the members of a default export. Each of them may be missing: a command says what it needs. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const module = await userFile(path)
  const { default: whole } = module
  const exports = { ...(typeof whole === 'object' ? (whole as Readonly<Record<string, unknown>>) : {}), ...module }
  const { store, counter, routes = [], providers = [], close } = exports
  const bad = (expected: string): CliError => wrongInput(`${path}: expected ${expected}`)
  if (store !== undefined && !isContractStore(store)) throw bad('an export named store, which is a ContractStore')
  if (counter !== undefined && !isCounter(counter)) throw bad('an export named counter, which is a Counter')
  if (!Array.isArray(routes)) throw bad('an export named routes, which is a list')
  if (!isProviders(providers)) throw bad('an export named providers, which is a list of ClientProvider')
  return {
    path,
    store,
    counter: counter as Counter | undefined,
    routes: routes.map((route: unknown, index) => readRoute(route, (what) => bad(`routes[${String(index)}]: ${what}`))),
    providers,
    close: async () => {
      await store?.close?.()
      if (typeof close === 'function') await (close as () => unknown)()
    },
  }
}

function isProviders(value: unknown): value is readonly ClientProvider[] {
  return Array.isArray(value) && value.every(isClientProvider)
}
