import type { NodeRedisClient } from '../redis/clients.js'
import { CliError, wrongInput } from './exit-codes.js'
import { fromProject } from './user-modules.js'

/** A place as it was named: on the command line, which every user of the machine can read, or in the environment. */
export interface NamedPlace {
  readonly argument: string | undefined
  readonly environment: string | undefined
  /** How the option and the variable are called. */
  readonly option: string
  readonly variable: string
}

export function isRedisUrl(location: string): boolean {
  return /^rediss?:/.test(location)
}

export function isConfigFile(location: string): boolean {
  return /\.[cm]?[jt]s$/.test(location)
}

export function urlOf(text: string, { argument, option, variable }: NamedPlace): URL {
  if (!URL.canParse(text)) throw wrongInput(`${option}: the URL is not valid`)
  const url = new URL(text)
  // Clients of databases take it from the query, too.
  if (argument !== undefined && (url.password !== '' || url.searchParams.has('password'))) {
    throw wrongInput(`${option}: a password on the command line can be read by others; use ${variable}`)
  }
  return url
}

/** An option of ours in the URL: taken out, since the server's client would not know it. */
export function taken(url: URL, name: string): Record<string, string> {
  const value = url.searchParams.get(name)
  url.searchParams.delete(name)
  return value === null ? {} : { [name]: value }
}

interface RedisModule {
  createClient(options: object): ConnectingClient
}

export type ConnectingClient = NodeRedisClient & {
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: () => void): unknown
}

/** Not connected yet: whatever is made over it checks its options first. */
export async function redisClient(url: URL): Promise<ConnectingClient> {
  const redis = (await fromProject('redis')) as unknown as RedisModule
  const client = redis.createClient({ url: url.href, socket: { reconnectStrategy: false, connectTimeout: 5000 } })
  // What went wrong is told by the call that fails.
  client.on('error', () => undefined)
  return client
}

export async function connected(client: ConnectingClient, what: string): Promise<void> {
  await client.connect().catch((error: unknown) => {
    const { code } = error as { readonly code?: unknown }
    throw new CliError('outage', `${what} does not answer${typeof code === 'string' ? ` (${code})` : ''}`)
  })
}
